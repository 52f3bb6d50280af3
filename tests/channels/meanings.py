"""What an outcome means, in a few words that fit into a table: ``Throttled 60 address``, ``Unreachable opted_out``."""

from datetime import datetime, timedelta

from channels_app.china import BEIJING
from channels_app.contract import (
    ChannelError,
    Misconfigured,
    Scope,
    Sent,
    Temporary,
    Throttled,
    Unreachable,
)

KINDS = ("Temporary", "Throttled", "Unreachable", "Refused", "Misconfigured")


def meaning(result: Sent | ChannelError) -> str:
    """The kind as dispatch sees it, and what it was told besides; what is plain is left out."""
    if isinstance(result, Sent):
        return "Sent final" if result.final else "Sent"
    kind = next(each.__name__ for each in type(result).__mro__ if each.__name__ in KINDS)
    return " ".join([kind, *_besides(result)])


def _besides(error: ChannelError) -> list[str]:
    match error:
        case Temporary(maybe_sent=True):
            return ["maybe_sent"]
        case Throttled():
            return [_wait(error.retry_after), *_scope(error.scope)]
        case Unreachable(opted_out=True):
            return ["opted_out"]
        case Misconfigured():
            return _scope(error.scope)
    return []


def _scope(scope: Scope) -> list[str]:
    return [] if scope is Scope.ACCOUNT else [scope.value]


def _wait(seconds: float) -> str:
    """In seconds; or until which hour in Beijing, where it is no round number."""
    if seconds == int(seconds):
        return str(int(seconds))
    then = datetime.now(BEIJING) + timedelta(seconds=seconds, minutes=30)
    return f"until {then.hour}:00"
