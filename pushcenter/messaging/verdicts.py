"""What one attempt came to: the value that policy decides and that the record stores."""

from dataclasses import dataclass
from datetime import datetime

from channels_app.contract import Receipt
from pushcenter.messaging.claims import Claimed
from pushcenter.messaging.states import State


def storable(text: object, limit: int) -> str:
    """What a provider or an adapter said, as a column takes it: nothing it says may keep us from recording it.

    A number where a text was due is taken as it is written: providers are not strict, and so adapters are not.
    """
    if type(text) is str and len(text) <= limit and text.isascii() and "\0" not in text:
        return text
    return (
        ("" if text is None else str(text))
        .replace("\0", "\ufffd")
        .encode("utf-8", "replace")
        .decode()[:limit]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
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
        for name, limit in (("provider_id", 300), ("code", 80), ("reason", 500)):
            said = getattr(self, name)
            if said != "" and (fit := storable(said, limit)) is not said:
                object.__setattr__(self, name, fit)


@dataclass(slots=True, kw_only=True)
class Ended:
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
