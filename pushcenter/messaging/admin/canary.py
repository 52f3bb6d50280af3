"""The canary beside the published version, on the pages of both: numbers, rates, and what they are worth."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from pushcenter.messaging.chance import Share, Verdict
from pushcenter.messaging.comparison import Comparison, Figures, Line, compare
from pushcenter.messaging.states import State
from templates_app.models import TemplateVersion, VersionState

LABELS: Mapping[str, Any] = {
    **{state.value: state.label for state in State},
    "opened": _("opened"),
    "clicked": _("clicked"),
    "converted": _("converted"),
}
WORDS = {
    Verdict.TOO_FEW: _("too few to tell"),
    Verdict.CHANCE: _("may be chance"),
    Verdict.LIKELY: _("perhaps more than chance"),
    Verdict.SURE: _("more than chance"),
}
#: Reasons of what went nowhere, the most frequent first.
REASONS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    rate: str
    numbers: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure of both as the table shows it."""

    label: Any
    cells: tuple[Cell, Cell]
    difference: str
    bounds: str
    word: Any
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """How many deliveries of each came to nothing, and why."""

    label: Any
    code: str
    numbers: tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that the template shows; ``versions`` are the canary and the published one."""

    versions: tuple[TemplateVersion, TemplateVersion]
    sentence: str
    colour: str
    messages: tuple[str, str]
    deliveries: tuple[str, str]
    rows: list[Row]
    reasons: list[Reason]
    since: datetime
    is_complete: bool


def of_version(version: TemplateVersion | None, *, patience: float) -> Page | None:
    """What is to be seen of a canary; None of any other version."""
    if version is None or version.state != VersionState.CANARY:
        return None
    published = version.template.published
    if published is None:
        return None
    return _page((version, published), compare(version, patience=patience))


def _page(versions: tuple[TemplateVersion, TemplateVersion], found: Comparison) -> Page:
    lines = list(found.lines())
    both = found.canary, found.published
    sentence, colour = summary(found, lines)
    return Page(
        versions=versions,
        sentence=sentence,
        colour=colour,
        messages=_both(*(each.messages for each in both)),
        deliveries=_both(*(each.deliveries for each in both)),
        rows=[_row(line) for line in lines],
        reasons=list(_reasons(*both)),
        since=found.since,
        is_complete=found.is_complete,
    )


def summary(found: Comparison, lines: Sequence[Line]) -> tuple[str, str]:
    """All of it in one sentence, and the colour of a card with it."""
    if not found.canary.tried or not found.published.tried:
        return gettext("Nothing can be compared before both have been sent."), ""
    sure, likely = [
        [line for line in lines if line.verdict is verdict] for verdict in (Verdict.SURE, Verdict.LIKELY)
    ]
    if worse := [line for line in sure if not line.is_better]:
        return gettext("It does worse than the published version: %(names)s.") % _names(worse), "bad"
    if worse := [line for line in likely if not line.is_better]:
        text = gettext("Perhaps it does worse: %(names)s. Wait for more messages before you promote it.")
        return text % _names(worse), "warning"
    if sure:
        return gettext("It does better than the published version: %(names)s.") % _names(sure), "good"
    if all(line.verdict is Verdict.TOO_FEW for line in lines):
        return gettext("There are too few messages to tell one from the other."), ""
    return gettext("No difference so far that chance would not make."), ""


def _names(lines: Sequence[Line]) -> dict[str, str]:
    """``failed (2.1 % rather than 0.4 %)``; that less was sent says no more than why."""
    told = [line for line in lines if line.name != "sent"] or lines
    comma = str(pgettext_lazy("between words of a list", ", "))
    return {"names": comma.join(map(_rather, told))}


def _rather(line: Line) -> str:
    return gettext("%(name)s (%(canary)s rather than %(published)s)") % {
        "name": LABELS[line.name],
        "canary": _cell(line.canary).rate,
        "published": _cell(line.published).rate,
    }


def _row(line: Line) -> Row:
    colour = ""
    if line.verdict in {Verdict.SURE, Verdict.LIKELY}:
        colour = "green" if line.is_better else "red" if line.is_sure else "amber"
    return Row(
        label=LABELS[line.name],
        cells=(_cell(line.canary), _cell(line.published)),
        difference=_points(line.difference),
        bounds=gettext("95 %%: %(low)s to %(high)s") % {"low": _points(line.low), "high": _points(line.high)},
        word=WORDS[line.verdict],
        colour=colour,
    )


def _cell(share: Share) -> Cell:
    numbers = gettext("%(part)s of %(whole)s") % {
        "part": _number(share.part),
        "whole": _number(share.whole),
    }
    return Cell(rate=f"{_number(100 * share.rate, 1)} %" if share.whole else "–", numbers=numbers)


def _reasons(canary: Figures, published: Figures) -> Iterator[Reason]:
    for (state, code), _sum in (canary.codes + published.codes).most_common(REASONS):
        numbers = _both(canary.codes[state, code], published.codes[state, code])
        yield Reason(label=state.label, code=code, numbers=numbers)


def _both(canary: int, published: int) -> tuple[str, str]:
    return _number(canary), _number(published)


def _points(difference: float) -> str:
    """Percentage points with their sign."""
    points = round(100 * difference, 1)
    sign = "−" if points < 0 else "+" if points > 0 else "±"
    return sign + _number(abs(points), 1)


def _number(value: float, places: int = 0) -> str:
    return number_format(value, decimal_pos=places, use_l10n=True, force_grouping=True)
