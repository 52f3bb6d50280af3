"""The header ``X-Request-Id``: a name for a request, which the caller may choose."""

import re
from collections.abc import Mapping
from typing import Any

from pushcenter.ids import uuid7_hex, written

HEADER = "X-Request-Id"
FORM = re.compile(r"[A-Za-z0-9._-]{1,64}")


def request_id(meta: Mapping[str, Any]) -> str:
    """The id that the caller gave to its request, or a new one."""
    given = meta.get("HTTP_X_REQUEST_ID", "")
    return given if given and FORM.fullmatch(given) else written(uuid7_hex())
