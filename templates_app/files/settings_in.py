"""The settings of a template as they stand in its file, made into the values of its row."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError

from channels_app import registry
from pushcenter.lanes import Lane
from templates_app import steps
from templates_app.files.folder import SETTINGS, Flaw, Flawed, hint
from templates_app.files.sheet import Sheet
from templates_app.models import DoubtPolicy, RouteMode, Template, TemplateKind
from templates_app.steps import Step, Until

OF_ALL = ("kind", "name", "category", "owner")
OF_MESSAGES = ("priority", "route", "time_to_live", "doubt_policy", "tracking")
CHOICES: Mapping[str, Sequence[str]] = {
    "kind": TemplateKind.values,
    "priority": Lane.values,
    "doubt_policy": DoubtPolicy.values,
}


def apply(sheet: Sheet, row: Template, *, where: str) -> list[str]:
    """Give a row the settings of a sheet, but for category and owner, which are rows themselves; returns the names of
    what has changed. Raises :class:`Flawed` with all that cannot be.
    """
    flaws = [Flaw(path=f"{where}/{SETTINGS}", message=each) for each in problems(sheet.settings)]
    if flaws:
        raise Flawed(flaws)
    values = _values(sheet)
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name, value in values.items():
        setattr(row, name, value)
    try:
        row.full_clean(exclude=["category", "owner", "channels"], validate_unique=False)
    except ValidationError as error:
        raise Flawed(
            Flaw(path=f"{where}/{SETTINGS}", message=f"{name}: {' '.join(said)}")
            for name, said in error.message_dict.items()
        ) from None
    return changed


def problems(settings: Mapping[str, Any]) -> Iterator[str]:
    """What cannot be, one sentence each."""
    is_message = settings.get("kind", TemplateKind.MESSAGE) == TemplateKind.MESSAGE
    known = (*OF_ALL, *OF_MESSAGES) if is_message else OF_ALL
    for name in settings:
        if name not in known:
            yield f"{name} is no setting." + hint(name, known)
    for name in ("name", "category"):
        if not isinstance(settings.get(name), str) or not settings[name].strip():
            yield f"{name} is missing."
    yield from _value_problems(settings)
    if is_message:
        yield from _route_problems(settings.get("route", {}))


def _value_problems(settings: Mapping[str, Any]) -> Iterator[str]:
    for name, choices in CHOICES.items():
        if name in settings and settings[name] not in choices:
            yield f"{name} is one of {', '.join(choices)}."
    if settings.get("owner") is not None and not isinstance(settings["owner"], str):
        yield "owner is the name of a team, or null."
    if not isinstance(settings.get("tracking", True), bool):
        yield "tracking is true or false."
    span = settings.get("time_to_live")
    if span is not None and (isinstance(span, bool) or not isinstance(span, int) or not 1 <= span < 2**31):
        yield "time_to_live is a number of seconds, or null."


def _route_problems(route: Any) -> Iterator[str]:
    if not isinstance(route, dict) or not route.keys() <= {"mode", "channels"}:
        yield "route has mode and channels."
        return
    if route.get("mode", RouteMode.ALL) not in RouteMode.values:
        yield f"route: mode is one of {', '.join(RouteMode.values)}."
    lines = route.get("channels", [])
    if not isinstance(lines, list):
        yield "route: channels is a list."
        return
    names: list[str] = []
    for line in lines:
        if isinstance(line, dict) and not line.keys() <= {"channel", "until", "within"}:
            yield "route: a step has channel, until and within."
        name = line.get("channel") if isinstance(line, dict) else line
        if not isinstance(name, str) or name not in registry.channels():
            yield f"route: there is no channel {name}." + hint(name, registry.channels())
        elif name in names:
            yield f"route: {name} stands there twice."
        else:
            names.append(name)
        if isinstance(line, dict):
            yield from _step_problems(line)


def _step_problems(line: Mapping[str, Any]) -> Iterator[str]:
    if line.get("until", Until.SENT) not in Until.values:
        yield f"route: until is one of {', '.join(Until.values)}."
    if not steps.is_span(line.get("within")):
        yield "route: within is a number of seconds up to thirty days, or null."


def _values(sheet: Sheet) -> dict[str, Any]:
    settings = sheet.settings
    found = {
        "folder": sheet.folder,
        "kind": settings.get("kind", TemplateKind.MESSAGE),
        "name": settings["name"],
    }
    if found["kind"] != TemplateKind.MESSAGE:
        return found
    route = settings.get("route", {})
    lines = [each if isinstance(each, dict) else {"channel": each} for each in route.get("channels", [])]
    made = {
        line["channel"]: Step(until=Until(line.get("until", Until.SENT)), within=line.get("within"))
        for line in lines
    }
    return {
        **found,
        "priority": settings.get("priority", Lane.NORMAL),
        "route_mode": route.get("mode", RouteMode.ALL),
        "channels": [*made],
        "steps": {name: step.as_json() for name, step in made.items() if step != steps.PLAIN},
        "time_to_live": settings.get("time_to_live"),
        "doubt_policy": settings.get("doubt_policy", DoubtPolicy.RESEND),
        "is_tracked": settings.get("tracking", True),
    }
