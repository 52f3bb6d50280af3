"""The page of a rehearsal: what a version would do with what was sent lately."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from pushcenter.acting import ActingAdmin
from pushcenter.dressing import pretty
from pushcenter.messaging.admin.page import label_of
from pushcenter.messaging.admin.personal import sees_personal_data
from pushcenter.messaging.rehearsal import Rehearsal, rehearse
from pushcenter.messaging.rehearsal.figures import Numbers, OnChannel, spread
from pushcenter.messaging.rehearsal.findings import Failed, Group
from pushcenter.messaging.rehearsal.pairs import Order, Pair, chosen, pairs
from pushcenter.messaging.rehearsal.sets import Set, sets
from templates_app.models import TemplateVersion
from templates_app.part_forms import form_of

NUMBERS = (100, 300, 1_000)
ORDERS = [
    (Order.DIFFERENT.value, _("the most different")),
    (Order.LONGEST.value, _("the longest")),
    (Order.SHORTEST.value, _("the shortest")),
    (Order.NEWEST.value, _("the newest")),
]


class RehearsalForm(forms.Form):
    """How many messages, and which of them are shown. What is not asked for, or not known, is as at first."""

    number = forms.TypedChoiceField(
        label=_("Messages"),
        coerce=int,
        choices=lambda: [(each, _("the newest %(number)s") % {"number": each}) for each in NUMBERS],
        widget=UnfoldAdminSelectWidget,
    )
    order = forms.ChoiceField(label=_("Shown"), choices=ORDERS, widget=UnfoldAdminSelectWidget)
    channel = forms.ChoiceField(label=_("Channel"), required=False, widget=UnfoldAdminSelectWidget)

    def __init__(self, given: Any, *, channels: Sequence[str]) -> None:
        first = {"number": NUMBERS[0], "order": Order.DIFFERENT.value}
        super().__init__({**first, **given.dict()})
        every: list[tuple[str, Any]] = [("", _("all")), *((name, label_of(name)) for name in channels)]
        self.fields["channel"].choices = every  # type: ignore[attr-defined]

    @property
    def asked(self) -> tuple[int, Order, str]:
        self.is_valid()
        known = self.cleaned_data
        return (
            known.get("number", NUMBERS[0]),
            Order(known.get("order", Order.DIFFERENT)),
            known.get("channel", ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Where a set comes from, with a way there for whom may go it."""

    label: str
    url: str
    params: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the tables of what goes wrong."""

    place: str
    said: str
    number: int
    before: int
    example: Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One figure of both versions on a channel: the least, the middle and the greatest, and the sum."""

    label: Any
    before: "Spread"
    after: "Spread"


@dataclass(frozen=True, slots=True)
class Spread:
    """Empty texts where there is nothing to tell."""

    numbers: str = ""
    total: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    label: Any
    number: int
    changed: int
    is_new: bool
    measures: list[Measure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A pair with its heading."""

    channel: Any
    locale: str
    example: Example
    pair: Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """All that the template shows."""

    run: Rehearsal
    refused: list[Row]
    failed: list[Row]
    gaps: list[Row]
    channels: list[Channel]
    shown: list[Shown]

    @property
    def changed(self) -> int:
        return sum(each.changed for each in self.channels)

    @property
    def compared(self) -> int:
        return sum(each.number for each in self.channels if not each.is_new)


class RehearsalPages(ActingAdmin):
    """Adds the page to those of a version."""

    @action(
        description=_("Rehearse"),
        permissions=["templates_app.view_templateversion"],
        url_path="rehearse",
        icon="theaters",
    )
    def rehearse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        version = self.get_object(request, object_id)
        if version is None:
            return HttpResponseRedirect(reverse("admin:templates_app_templateversion_changelist"))
        channels = sorted(set(version.variants.values_list("channel", flat=True)))
        form = RehearsalForm(request.GET, channels=channels)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Rehearsal of %(version)s") % {"version": version},
            "opts": self.opts,
            "version": version,
            "form": form,
            "page": page(version, request, *form.asked),
        }
        return TemplateResponse(request, "messaging/rehearsal.html", context)


def page(version: TemplateVersion, request: HttpRequest, number: int, order: Order, channel: str) -> Page:
    is_open = sees_personal_data(request)
    run = rehearse(version, sets(version, number, is_open=is_open), is_masked=not is_open)
    may_go = request.user.has_perm("messaging.view_message")

    def example(of: Set) -> Example:
        return _example(of, may_go=may_go)

    looked = pairs(chosen(run.candidates, order, channel=channel), before=run.before, after=run.after)
    return Page(
        run=run,
        refused=[
            _row(kind.pointer, kind.detail, group, example(group.example))
            for kind, group in run.findings.refused.items()
        ],
        failed=[
            _row(_place(kind), _said(kind), group, example(group.example))
            for kind, group in run.findings.failed.items()
        ],
        gaps=[
            Row(
                place=gap.name,
                said=", ".join(str(label_of(name)) for name in gap.channels),
                number=gap.number,
                before=0,
                example=example(gap.example),
            )
            for gap in run.gaps.all()
        ],
        channels=[_channel(each) for each in run.channels.values()],
        shown=[
            Shown(
                channel=label_of(each.variant.channel),
                locale=each.variant.locale,
                example=example(each.set),
                pair=each,
            )
            for each in looked
        ],
    )


def _example(of: Set, *, may_go: bool) -> Example:
    if of.at is None:
        return Example(label=f"{of.name} {of.locale}".strip(), url="", params=pretty(of.params))
    url = reverse("admin:messaging_message_change", args=[of.message]) if may_go else ""
    at = timezone.localtime(of.at).strftime("%Y-%m-%d %H:%M:%S")
    return Example(label=f"{at} {of.locale}".strip(), url=url, params=pretty(of.params))


def _row(place: str, said: str, group: Group, example: Example) -> Row:
    return Row(place=place, said=said, number=group.number, before=group.before, example=example)


def _place(kind: Failed) -> str:
    return " · ".join(str(each) for each in (label_of(kind.channel), kind.locale) if each)


def _said(kind: Failed) -> str:
    """The field by its label, the part, the line, and what the engine says."""
    form = form_of(kind.channel)
    field = form.base_fields.get(kind.field) if form else None
    places = [str(field.label) if field is not None and field.label else kind.field]
    if kind.part:
        places.append(gettext("in %(part)s") % {"part": kind.part})
    if kind.line:
        places.append(gettext("line %(line)s") % {"line": kind.line})
    where = ", ".join(each for each in places if each)
    return f"{where}: {kind.message}" if where else kind.message


def _channel(each: OnChannel) -> Channel:
    return Channel(
        label=label_of(each.channel),
        number=len(each.after.lengths),
        changed=each.changed,
        is_new=each.is_new,
        measures=list(_measures(each)),
    )


def _measures(each: OnChannel) -> Iterator[Measure]:
    both = each.before, each.after
    lengths = [_spread(numbers.lengths) for numbers in both]
    yield Measure(label=_("characters"), before=lengths[0], after=lengths[1])
    if each.after.segments:
        parts = [_spread(numbers.segments, is_summed=True) for numbers in both]
        yield Measure(label=_("text messages"), before=parts[0], after=parts[1])
    if each.price is not None:
        costs = [_cost(each, numbers) for numbers in both]
        yield Measure(label=_("cost"), before=costs[0], after=costs[1])


def _spread(numbers: Sequence[int], *, is_summed: bool = False) -> Spread:
    if not numbers:
        return Spread()
    return Spread(" · ".join(map(_number, spread(numbers))), _number(sum(numbers)) if is_summed else "")


def _cost(each: OnChannel, numbers: Numbers) -> Spread:
    cost = each.cost(numbers)
    if cost is None or not numbers.lengths:
        return Spread()
    return Spread(total=f"{number_format(cost, decimal_pos=2, force_grouping=True)} {each.currency}")


def _number(value: int) -> str:
    return number_format(value, force_grouping=True)
