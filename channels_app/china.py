"""What providers in China have in common: the clock of Beijing, and how phones are written there."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from channels_app.contract import Scope, Throttled

#: China has one time zone, and no summer time since 1991.
BEIJING = timezone(timedelta(hours=8), "Beijing")
MAINLAND = "+86"
#: What people answer who want no more; each provider appends one of them to marketing messages.
STOP_WORDS = frozenset({"R", "T", "TD", "退订", "拒收", "STOP", "UNSUBSCRIBE"})


def until(hour: int, *, now: datetime) -> float:
    """Seconds until the clocks of Beijing show this full hour next."""
    here = now.astimezone(BEIJING)
    then = here.replace(hour=hour, minute=0, second=0, microsecond=0)
    return (then + timedelta(days=then <= here) - here).total_seconds()


def throttled_until(hour: int, *, scope: Scope = Scope.ACCOUNT) -> Callable[..., Throttled]:
    """For tables of codes: nothing more before this hour in Beijing; 0 for a limit of the day."""

    def meaning(detail: str = "", *, code: str = "") -> Throttled:
        wait = until(hour, now=datetime.now(BEIJING))
        return Throttled(detail, code=code, retry_after=wait, scope=scope)

    return meaning


def moment(text: object) -> datetime | None:
    """``2026-11-25 08:03:04`` in Beijing; None where it is none."""
    try:
        return datetime.strptime(str(text), "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
    except ValueError:
        return None


def is_mainland(phone: str) -> bool:
    """Is this number, in E.164, one of mainland China?"""
    return phone.startswith(MAINLAND)


def e164(number: str) -> str:
    """A number as providers report it: with or without the plus, in mainland China without the country's code."""
    if number.startswith("+"):
        return number
    digits = number.removeprefix("00")
    return f"{MAINLAND}{digits}" if len(digits) == 11 and digits.startswith("1") else f"+{digits}"


def says_stop(answer: str) -> bool:
    """Is this what somebody writes who wants no more?"""
    return answer.strip().strip("。.!！").upper() in STOP_WORDS
