"""The history of a template in sentences, in the language of the reader."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from pushcenter.retold import retold
from templates_app.models import Change, ChangeKind, Template
from templates_app.part_forms import label_of

#: Settings that are chosen among a few.
CHOICES = {"priority", "route_mode", "doubt_policy"}
#: After these somebody may ask what is different now.
COMPARED = {
    ChangeKind.SUBMITTED,
    ChangeKind.SCHEDULED,
    ChangeKind.CANARY_STARTED,
    ChangeKind.PUBLISHED,
    ChangeKind.ROLLED_BACK,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One sentence on one change, or on edits of one person in a row; ``more`` are details below it."""

    change: Change
    text: str
    more: list[str]

    @property
    def at(self) -> datetime:
        return self.change.at

    @property
    def who(self) -> str:
        return self.change.by_name or _("Push Center")

    @property
    def is_compared(self) -> bool:
        """Whether a link to the difference has its place here."""
        return self.change.kind in COMPARED and (self.change.number or 0) > 1


def lines(changes: Iterable[Change]) -> list[Line]:
    """The newest first, as they are given. Edits of one version by one person in a row are one line."""
    found = []
    for (kind, _number, _name), group in groupby(changes, key=_sort):
        if kind == ChangeKind.EDITED:
            rows = list(group)
            found.append(Line(change=rows[0], text=_edited(rows), more=[]))
        else:
            found.extend(Line(change=each, text=said(each), more=details(each)) for each in group)
    return found


def _sort(change: Change) -> tuple[str, int | None, str]:
    return change.kind, change.number, change.by_name


def _edited(rows: list[Change]) -> str:
    if len(rows) == 1:
        return said(rows[0])
    words = {"number": rows[0].number, "times": len(rows)}
    return (
        ngettext("Version %(number)s edited.", "Version %(number)s edited %(times)s times.", len(rows))
        % words
    )


def said(change: Change) -> str:
    """What was done, in one sentence without who and when."""
    words = {"number": change.number or "–", **_plain(change.detail)}
    kind = ChangeKind(change.kind)
    if kind == ChangeKind.CREATED:
        return _created(change, words)
    return SENTENCES[kind](words)


def _plain(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in detail.items() if isinstance(value, str | int)}


def _created(change: Change, words: Mapping[str, Any]) -> str:
    if change.number is None:
        return _("Made.")
    if "from" in words:
        return _("Version %(number)s begun as a copy of version %(from)s.") % words
    return _("Version %(number)s begun.") % words


def _published(words: Mapping[str, Any]) -> str:
    if words.get("canary"):
        return _("Version %(number)s promoted: it goes to all recipients.") % words
    return _("Version %(number)s published.") % words


def _rolled_back(words: Mapping[str, Any]) -> str:
    if words.get("before"):
        return _("Rolled back from version %(before)s to version %(number)s.") % words
    return _("Rolled back to version %(number)s.") % words


def _scheduled(words: Mapping[str, Any]) -> str:
    at = parse_datetime(str(words.get("at", "")))
    when = date_format(timezone.localtime(at), "SHORT_DATETIME_FORMAT") if at else "–"
    return _("Version %(number)s approved, to go live on %(when)s.") % {**words, "when": when}


def _archived(words: Mapping[str, Any]) -> str:
    if words.get("successor"):
        return _("Version %(number)s archived: version %(successor)s took its place.") % words
    return _("Version %(number)s archived.") % words


def _imported(words: Mapping[str, Any]) -> str:
    return (_("Version %(number)s imported.") if words["number"] != "–" else _("Imported.")) % words


SENTENCES: Mapping[ChangeKind, Callable[[Mapping[str, Any]], str]] = {
    ChangeKind.SETTINGS: lambda words: _("Settings changed."),
    ChangeKind.EDITED: lambda words: _("Version %(number)s edited.") % words,
    ChangeKind.SUBMITTED: lambda words: _("Version %(number)s sent to review.") % words,
    ChangeKind.WITHDRAWN: lambda words: _("Version %(number)s taken back from review.") % words,
    ChangeKind.SENT_BACK: lambda words: _("Version %(number)s sent back to its author.") % words,
    ChangeKind.SCHEDULED: _scheduled,
    ChangeKind.UNSCHEDULED: lambda words: _("Schedule of version %(number)s cancelled.") % words,
    ChangeKind.NOT_PUBLISHED: lambda words: (
        _("Version %(number)s could not be published at its time; it is in review again.") % words
    ),
    ChangeKind.CANARY_STARTED: lambda words: (
        _("Version %(number)s started as a canary with %(percent)s %% of the messages.") % words
    ),
    ChangeKind.CANARY_CHANGED: lambda words: (
        _("Share of the canary, version %(number)s, set to %(percent)s %% of the messages.") % words
    ),
    ChangeKind.CANARY_WITHDRAWN: lambda words: _("Canary withdrawn, version %(number)s.") % words,
    ChangeKind.PUBLISHED: _published,
    ChangeKind.ARCHIVED: _archived,
    ChangeKind.ROLLED_BACK: _rolled_back,
    ChangeKind.TEST_SENT: lambda words: _("Test of version %(number)s sent.") % words,
    ChangeKind.IMPORTED: _imported,
    ChangeKind.DELETED: lambda words: _("Draft deleted: version %(number)s.") % words,
}


def details(change: Change) -> list[str]:
    """What belongs below the sentence: a reason, obstacles, or which settings changed from what to what."""
    found = [str(change.detail[name]) for name in ("reason", "note") if change.detail.get(name)]
    found += [str(each) for each in change.detail.get("problems", []) if each]
    if change.kind == ChangeKind.SETTINGS:
        values = change.detail.get("values", {})
        found += [_setting(name, values.get(name)) for name in values or change.detail.get("fields", [])]
    if change.kind == ChangeKind.TEST_SENT:
        found.append(_test(change.detail))
    if change.kind in {ChangeKind.SETTINGS, ChangeKind.IMPORTED} and change.detail.get("revision"):
        found.append(_("From files, revision %(revision)s.") % {"revision": change.detail["revision"]})
    return [each for each in found if each]


def _test(detail: Mapping[str, Any]) -> str:
    channels = ", ".join(str(label_of(each)) for each in detail.get("channels", []))
    return f"{channels} ({_('simulated')})" if detail.get("simulated") else channels


def _setting(name: str, values: Any) -> str:
    label = _label(name)
    if not isinstance(values, list) or len(values) != 2:
        return label
    return _("%(setting)s: %(old)s → %(new)s") % {
        "setting": label,
        "old": _value(name, values[0]) or "–",
        "new": _value(name, values[1]) or "–",
    }


def _value(name: str, value: Any) -> str:
    """A choice by its label; what people write themselves as it is."""
    field: Any = Template._meta.get_field(name) if name in CHOICES else None
    choices = dict(field.flatchoices) if field else {}
    if name in {"is_tracked", "owner"}:
        return retold(str(value))
    return str(choices.get(value, value))


def _label(name: str) -> str:
    names = {each.name: each for each in Template._meta.fields}
    label = str(names[name].verbose_name) if name in names else name
    return label[:1].upper() + label[1:]
