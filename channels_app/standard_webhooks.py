"""Signatures of calls by Standard Webhooks 1.0.0: https://www.standardwebhooks.com

Svix signs in the same way for its customers, such as Resend, and calls its headers ``svix-…``.
"""

import base64
import binascii
import hmac
import re
import time
from functools import lru_cache

from channels_app.contract import Callback, ForgedCallback

PREFIX = "whsec_"
#: A call that was signed longer ago, or lies so far ahead, in seconds, is not believed: it may be a repetition.
TOLERANCE = 300
#: Seconds since 1970, as no clock writes more of them.
SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


@lru_cache(maxsize=1024)
def key_of(secret: str) -> bytes:
    """The key inside ``whsec_<base64>``; raises ``ValueError``."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("not a signing secret") from error
    if not key:
        raise ValueError("not a signing secret")
    return key


def signature(key: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """One signature, as it stands in the header."""
    content = f"{message_id}.{timestamp}.".encode("utf-8", "replace") + body
    begun = _begun(key).copy()
    begun.update(content)
    return "v1," + binascii.b2a_base64(begun.digest(), newline=False).decode()


@lru_cache(maxsize=1024)
def _begun(key: bytes) -> hmac.HMAC:
    # Unlike hmac.digest(), going on from here keeps Python's lock for what is short, and so does not wait for a thread
    # that takes it meanwhile.
    return hmac.new(key, digestmod="sha256")


def verify(secret: str, callback: Callback, *, headers: str = "webhook") -> None:
    """Raises :class:`ForgedCallback` unless the call was signed with this secret a moment ago."""
    message_id, timestamp, signatures = (
        callback.headers.get(f"{headers}-{name}", "") for name in ("id", "timestamp", "signature")
    )
    if not (message_id and SECONDS.fullmatch(timestamp) and signatures):
        raise ForgedCallback("the call is not signed")
    if abs(time.time() - int(timestamp)) > TOLERANCE:
        raise ForgedCallback("the call was signed at another time")
    try:
        expected = signature(key_of(secret), message_id, timestamp, callback.body).encode()
    except ValueError as error:
        raise ForgedCallback(str(error)) from None
    # Several stand there while a secret is being changed.
    given = signatures.encode("utf-8", "replace").split(b" ")
    if not any(hmac.compare_digest(expected, each) for each in given):
        raise ForgedCallback("the signature does not fit")
