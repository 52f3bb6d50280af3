"""What one attempt came to: the value that policy decides and that the record stores."""

from datetime import datetime
from typing import TypeGuard

import msgspec
from msgspec.structs import force_setattr

from channels_app.contract import Receipt
from pushcenter.messaging.claims import Claimed
from pushcenter.messaging.states import State


def _is_storable(text: object, limit: int) -> TypeGuard[str]:
    return type(text) is str and (not text or (len(text) <= limit and text.isascii() and "\0" not in text))


def storable(text: object, limit: int) -> str:
    """What a provider or an adapter said, as a column takes it: nothing it says may keep us from recording it.

    A number where a text was due is taken as it is written: providers are not strict, and so adapters are not.
    """
    if _is_storable(text, limit):
        return text
    return (
        ("" if text is None else str(text))
        .replace("\0", "\ufffd")
        .encode("utf-8", "replace")
        .decode()[:limit]
    )


class Verdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The consequence of an attempt for its delivery.

    ``due_at`` is set with the state ``pending``: when to try again. ``suppress`` is the reason for which the
    address is not to be used again; ``fall_back`` asks for the next channel of the route, ``pause_account``
    for a pause of the account, ``maybe_duplicate`` marks a repetition that may reach the person twice, and
    ``maybe_sent`` an attempt that the provider may have taken although it is to be repeated.
    """

    state: State
    outcome: str
    due_at: datetime | None = None
    provider_id: str = ""
    code: str = ""
    reason: str = ""
    suppress: str = ""
    fall_back: bool = False
    pause_account: bool = False
    maybe_duplicate: bool = False
    maybe_sent: bool = False

    def __post_init__(self) -> None:
        if not _is_storable(self.provider_id, 300):
            force_setattr(self, "provider_id", storable(self.provider_id, 300))
        if not _is_storable(self.code, 80):
            force_setattr(self, "code", storable(self.code, 80))
        if not _is_storable(self.reason, 500):
            force_setattr(self, "reason", storable(self.reason, 500))


class Ended(msgspec.Struct, kw_only=True):
    """A claim that came to an end. ``called`` tells whether an adapter was called at all; ``number`` counts that."""

    claimed: Claimed
    number: int
    called: bool
    verdict: Verdict
    adapter: str
    account_id: str | None
    started_at: datetime
    finished_at: datetime
    receipts: tuple[Receipt, ...] = ()
