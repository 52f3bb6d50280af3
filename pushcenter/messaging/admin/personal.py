"""What of a message only some may see: where it went, and what it said."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from channels_app.registry import address_kinds
from pushcenter.recipients.masking import mask


def sees_personal_data(request: HttpRequest) -> bool:
    return request.user.has_perm("messaging.view_personal_data")


def masked_addresses(to: Mapping[str, Any]) -> dict[str, Any]:
    """The ``to`` of a message with its addresses masked."""
    kinds = address_kinds()
    return {
        key: mask(value) if key in kinds and isinstance(value, str) else value for key, value in to.items()
    }
