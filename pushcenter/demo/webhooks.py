"""A receiver of Standard Webhooks 1.0.0, written as an integrator would: by the specification alone."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

TOLERANCE_S = 300
PREFIX = "whsec_"


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as it came. ``fault`` says why it was refused; an empty one means that it was verified."""

    at: str
    headers: Mapping[str, str]
    body: str
    fault: str

    @property
    def is_verified(self) -> bool:
        return not self.fault

    @property
    def message_id(self) -> str:
        return self.headers.get("webhook-id", "")

    @property
    def event(self) -> str:
        payload = self.payload()
        return str(payload.get("type", "")) if isinstance(payload, dict) else ""

    @property
    def when(self) -> str:
        """The time for people."""
        return f"{datetime.fromisoformat(self.at).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"

    def payload(self) -> Any:
        """The body as JSON, or None."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def summary(self, number: int) -> dict[str, Any]:
        """What lists need of it, for JSON too."""
        return {
            "number": number,
            "id": self.message_id,
            "event": self.event,
            "at": self.at,
            "when": self.when,
            "verified": self.is_verified,
            "fault": self.fault,
        }

    def dump(self) -> bytes:
        return json.dumps(asdict(self), ensure_ascii=False).encode(errors="replace")

    @classmethod
    def load(cls, stored: bytes) -> Self:
        return cls(**json.loads(stored))


def fault_of(*, secret: str, headers: Mapping[str, str], body: bytes, now: float) -> str:
    """Why this call cannot be trusted, or an empty string. ``now`` is in Unix seconds."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    signatures = headers.get("webhook-signature", "")
    if not (message_id and timestamp and signatures):
        return "a webhook header is missing"
    if not (timestamp.isascii() and timestamp.isdecimal()) or len(timestamp) > len("9999999999"):
        return "the timestamp is no number of seconds"
    if abs(now - int(timestamp)) > TOLERANCE_S:
        return "the timestamp is more than five minutes off"
    expected = _digest(secret, f"{message_id}.{timestamp}.".encode(errors="replace") + body)
    if not any(hmac.compare_digest(expected, given) for given in _given(signatures)):
        return "no signature fits"
    return ""


def _digest(secret: str, content: bytes) -> bytes:
    return hmac.new(base64.b64decode(secret.removeprefix(PREFIX)), content, hashlib.sha256).digest()


def _given(header: str) -> list[bytes]:
    """The version 1 signatures of the header, which may carry several while a secret changes."""
    found = []
    for signature in header.split():
        version, _, encoded = signature.partition(",")
        if version == "v1":
            try:
                found.append(base64.b64decode(encoded, validate=True))
            except (binascii.Error, ValueError):
                continue
    return found
