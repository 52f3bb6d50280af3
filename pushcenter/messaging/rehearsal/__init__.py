"""Rehearsal: a version renders what was sent lately, and is compared with the published one. Nothing is sent.

:func:`rehearse` goes through the sets one by one, as intake and dispatch would, until all are done or the time is up.
It keeps numbers and no contents; the pairs to look at are chosen by them, and rendered once more.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pushcenter.faults import Fault
from pushcenter.messaging.rehearsal.figures import OnChannel, difference
from pushcenter.messaging.rehearsal.findings import Findings
from pushcenter.messaging.rehearsal.gaps import Gaps
from pushcenter.messaging.rehearsal.pairs import Candidate
from pushcenter.messaging.rehearsal.sets import Set
from pushcenter.messaging.rehearsal.side import Content, Side
from templates_app.models import TemplateVersion, Variant
from templates_app.render import RenderError

#: Seconds after which no further set is begun.
PATIENCE = 1.5
#: How unlike what is not said yet counts as: there is something to see, but nothing to compare it with.
NEW = 0.001


@dataclass(slots=True, kw_only=True)
class Rehearsal:
    """What came of it. ``done`` sets of ``sets`` were gone through."""

    after: Side
    before: Side | None
    sets: Sequence[Set]
    is_masked: bool
    gaps: Gaps
    done: int = 0
    seconds: float = 0.0
    findings: Findings = field(default_factory=Findings)
    channels: dict[str, OnChannel] = field(default_factory=dict)
    candidates: list[Candidate] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        return self.done == len(self.sets)

    @property
    def is_of_messages(self) -> bool:
        return any(each.message for each in self.sets)


def rehearse(
    version: TemplateVersion, sets: Sequence[Set], *, is_masked: bool, patience: float = PATIENCE
) -> Rehearsal:
    """Run a version over these sets, beside the published version where that is another one."""
    published = version.template.published
    after = Side(version)
    run = Rehearsal(
        after=after,
        before=Side(published) if published and published.pk != version.pk else None,
        sets=sets,
        is_masked=is_masked,
        gaps=Gaps.of(after),
    )
    began = time.monotonic()
    for each in sets:
        if time.monotonic() - began > patience:
            break
        _one(run, each)
        run.done += 1
    run.seconds = time.monotonic() - began
    return run


def _one(run: Rehearsal, each: Set) -> None:
    called = _as_called(run.before, each.params)
    if faults := _faults(run, called):
        run.findings.refuse(each, faults)
        return
    run.gaps.add(each, run.after.check.with_defaults(called))
    failed = [channel for channel in run.after.channels if not _on_channel(run, channel, each)]
    run.findings.failed_sets += bool(failed)


def _as_called(before: Side | None, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without what the published schema has filled in: callers did not give it."""
    defaults = before.check.with_defaults({}) if before else {}
    return {name: value for name, value in params.items() if name not in defaults or defaults[name] != value}


def _faults(run: Rehearsal, params: Mapping[str, Any]) -> Iterable[Fault]:
    faults = run.after.faults(params)
    if not faults or not run.is_masked or run.before is None:
        return faults
    # What the published version took as it was, and refuses masked, says nothing about the new one.
    of_mask = {fault.pointer for fault in run.before.faults(params)}
    return [fault for fault in faults if fault.pointer not in of_mask]


def _on_channel(run: Rehearsal, channel: str, each: Set) -> bool:
    """Whether it can be rendered."""
    variant = run.after.variant(channel, each.locale)
    assert variant is not None  # noqa: S101  (it is a channel of this version)
    before, could_before = _before(run.before, channel, each)
    try:
        after = run.after.content(variant, each)
    except RenderError as error:
        place = (channel, variant.locale)
        run.findings.fail(each, place, error, failed_before=not could_before)
        return False
    _measure(run, variant, each, before, after)
    return True


def _before(side: Side | None, channel: str, each: Set) -> tuple[Content | None, bool]:
    """What the published version says there, if it says anything, and whether it could."""
    variant = side.variant(channel, each.locale) if side else None
    if side is None or variant is None:
        return None, True
    try:
        return side.content(variant, each), True
    except RenderError:
        return None, False


def _measure(run: Rehearsal, variant: Variant, each: Set, before: Content | None, after: Content) -> None:
    channel = variant.channel
    is_new = run.before is None or channel not in run.before.channels
    if channel not in run.channels:
        run.channels[channel] = OnChannel.of(channel, is_new=is_new)
    numbers = run.channels[channel]
    numbers.after.add(channel, after)
    score = NEW
    if before is not None:
        score = difference(before, after)
        numbers.before.add(channel, before)
        numbers.changed += score > 0
    if before is not None or is_new:  # else the published version could not be rendered
        run.candidates.append(Candidate(variant, each, score=score, length=numbers.after.lengths[-1]))
