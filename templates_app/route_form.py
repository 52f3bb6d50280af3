"""The route of a template as a form: which channels, in which order, and what each of them waits for."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import INPUT_CLASSES, SELECT_CLASSES

from templates_app import steps
from templates_app.steps import Step, Until

#: A channel with what it waits for, as it was typed in.
Typed = Mapping[str, str]
PARTS = ("until", "number", "unit")


class RouteWidget(forms.Widget):
    """A line for each place: a channel, and when the next one starts; a line without a channel is passed over."""

    template_name = "templates_app/route_widget.html"

    class Media:
        js = ("js/route.js",)

    def __init__(self, choices: Iterable[tuple[str, Any]]) -> None:
        super().__init__()
        self.choices = list(choices)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        places = [each if isinstance(each, Mapping) else typed(*each) for each in value or []]
        # What is stored stays to be seen, even where the plug-in that brought it is gone.
        known = dict(self.choices)
        lost = [each["channel"] for each in places if each["channel"] not in known]
        choices = [*self.choices, *((each, each) for each in lost)]
        empty = typed("", steps.PLAIN)
        context["widget"] |= {
            "choices": choices,
            "places": [*places, *[empty] * (len(choices) - len(places))],
            "untils": Until.choices,
            "units": [(unit, label) for unit, (_seconds, label) in reversed(steps.UNITS.items())],
            "select_classes": " ".join(SELECT_CLASSES),
            "input_classes": " ".join(INPUT_CLASSES),
        }
        return context

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Typed]:
        columns = [data.getlist(name), *(data.getlist(f"{name}_{part}") for part in PARTS)]
        lines = zip_longest(*columns, fillvalue="")
        return [dict(zip(("channel", *PARTS), line, strict=True)) for line in lines if line[0]]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return f"{id_}_0" if id_ else ""


class RouteField(forms.Field):
    """Gives pairs of a channel and its step, each channel once, in the order of the route."""

    default_error_messages = {
        "channel": _("There is no channel %(channel)s."),
        "until": _("Choose when %(channel)s has done what it is for."),
        "number": _("Give %(channel)s from one second to thirty days, in whole numbers, or leave it empty."),
    }

    def __init__(self, *, choices: Iterable[tuple[str, Any]], **kwargs: Any) -> None:
        self.choices = dict(choices)
        super().__init__(widget=RouteWidget(self.choices.items()), **kwargs)

    def has_changed(self, initial: Any, data: Any) -> bool:
        before = [typed(*each) for each in initial or []]
        return before != [{**typed(each["channel"], steps.PLAIN), **_filled(each)} for each in data or []]

    def clean(self, value: Any) -> list[tuple[str, Step]]:
        super().clean(value)
        found: dict[str, Step] = {}
        faults: list[ValidationError] = []
        for each in value or []:
            try:
                found.setdefault(each["channel"], self._step(each))
            except ValidationError as error:
                faults.append(error)
        if faults:
            raise ValidationError(faults)
        return list(found.items())

    def _step(self, given: Typed) -> Step:
        channel = given["channel"]
        if channel not in self.choices:
            raise self._fault("channel", channel)
        label = self.choices[channel]
        until = given["until"] or Until.SENT.value
        if until not in Until.values:
            raise self._fault("until", label)
        number = given["number"].strip()
        if not number:
            return Step(until=Until(until))
        unit = given["unit"] or "seconds"
        if not (number.isascii() and number.isdigit() and len(number) <= 9) or unit not in steps.UNITS:
            raise self._fault("number", label)
        within = int(number) * steps.UNITS[unit][0]
        if not steps.is_span(within):
            raise self._fault("number", label)
        return Step(until=Until(until), within=within)

    def _fault(self, code: str, channel: Any) -> ValidationError:
        return ValidationError(self.error_messages[code], code=code, params={"channel": channel})


def typed(channel: str, step: Step) -> dict[str, str]:
    """A line as the form shows it."""
    number, unit = ("", "minutes") if step.within is None else steps.in_unit(step.within)
    return {"channel": channel, "until": step.until.value, "number": str(number), "unit": unit}


def _filled(line: Typed) -> dict[str, str]:
    return {name: value for name, value in line.items() if value}


def stored(route: Sequence[tuple[str, Step]]) -> dict[str, Any]:
    """The steps as a template stores them: those that are no plain ones."""
    return {channel: step.as_json() for channel, step in route if step != steps.PLAIN}
