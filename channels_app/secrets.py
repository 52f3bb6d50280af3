"""Secrets at rest: encrypted with the first of ``FIELD_KEYS``, readable with any of them."""

import json
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class UnreadableSecret(Exception):
    """The stored secret was encrypted with a key that is no longer among ``FIELD_KEYS``."""


def encrypt(value: Any) -> str:
    """Any JSON value as one encrypted token."""
    return _fernet().encrypt(json.dumps(value).encode()).decode()


def decrypt(token: str) -> Any:
    """The value again; raises :class:`UnreadableSecret`."""
    try:
        return json.loads(_fernet().decrypt(token.encode()))
    except InvalidToken:
        raise UnreadableSecret("a stored secret cannot be read with the present FIELD_KEYS") from None


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FIELD_KEYS])
