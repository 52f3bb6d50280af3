"""The steps of a route that takes one channel after another: when each has succeeded, and how long it may take."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

#: No step waits longer, in seconds.
LONGEST = 30 * 24 * 3600
#: How people count: the largest unit that divides a span is the one to say it in.
UNITS: dict[str, tuple[int, Any]] = {
    "hours": (3600, _("hours")),
    "minutes": (60, _("minutes")),
    "seconds": (1, _("seconds")),
}


class Until(models.TextChoices):
    """With what a step has succeeded, so that the next one never starts."""

    SENT = "sent", _("it is sent")
    DELIVERED = "delivered", _("it is delivered")
    READ = "read", _("it is read")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One channel of a chain. ``within`` is in seconds from its first attempt; None waits without end."""

    until: Until = Until.SENT
    within: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {"until": self.until.value, "within": self.within}


PLAIN = Step()


def of(stored: Mapping[str, Any], channel: str) -> Step:
    """The step of a channel; as good as nothing is stored for one that nobody has spoken of."""
    found = stored.get(channel)
    if not found:
        return PLAIN
    return Step(until=Until(found.get("until", Until.SENT)), within=found.get("within"))


def chain(stored: Mapping[str, Any], channels: Sequence[str]) -> list[tuple[str, Step]]:
    """The steps of a route in its order. The last one has no time: nothing could follow it."""
    found = [(name, of(stored, name)) for name in channels]
    return [*found[:-1], *((name, Step(until=step.until)) for name, step in found[-1:])]


def check(stored: Any) -> None:
    """Validator of what a template stores: ``{"email": {"until": "delivered", "within": 600}}``."""
    if not isinstance(stored, dict):
        raise ValidationError(gettext("Steps are a JSON object with a step for each channel."))
    if problems := list(_problems(stored)):
        raise ValidationError(problems)


def _problems(stored: Mapping[str, Any]) -> Iterator[str]:
    for channel, step in stored.items():
        if not isinstance(step, dict) or not step.keys() <= {"until", "within"}:
            yield gettext("The step of %(channel)s has until and within alone.") % {"channel": channel}
            continue
        if step.get("until", Until.SENT) not in Until.values:
            known = ", ".join(Until.values)
            yield gettext("The step of %(channel)s lasts until one of: %(known)s.") % {
                "channel": channel,
                "known": known,
            }
        if not is_span(step.get("within")):
            yield gettext("The step of %(channel)s takes from one second to thirty days, or null.") % {
                "channel": channel
            }


def is_span(within: Any) -> bool:
    """Whether a step may take so long."""
    return within is None or (
        isinstance(within, int) and not isinstance(within, bool) and 1 <= within <= LONGEST
    )


def in_unit(within: int) -> tuple[int, str]:
    """A span as people say it: ``(10, "minutes")`` for 600."""
    unit = next(name for name, (seconds, _label) in UNITS.items() if within % seconds == 0)
    return within // UNITS[unit][0], unit


def told(channel: Any, until: str, within: int | None) -> str:
    """A step in words: ``until email is delivered, at most 10 minutes``."""
    words = {Until.SENT: _("sent"), Until.DELIVERED: _("delivered"), Until.READ: _("read")}
    said = gettext("until %(channel)s is %(done)s") % {"channel": channel, "done": words[Until(until)]}
    if within is None:
        return said
    return gettext("%(step)s, at most %(span)s") % {"step": said, "span": span(within)}


def span(within: int) -> str:
    """``10 minutes`` for 600."""
    number, unit = in_unit(within)
    if unit == "hours":
        return ngettext("%(number)s hour", "%(number)s hours", number) % {"number": number}
    if unit == "minutes":
        return ngettext("%(number)s minute", "%(number)s minutes", number) % {"number": number}
    return ngettext("%(number)s second", "%(number)s seconds", number) % {"number": number}
