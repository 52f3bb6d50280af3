"""docs/architecture.md says what the code does: states, retry schedule, constraints, functions, files."""

import importlib
import itertools
import pkgutil
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from types import ModuleType

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

import analytics_app
import channels_app
import pushcenter
import templates_app
from channels_app.contract import (
    ChannelError,
    Misconfigured,
    Refused,
    Scope,
    Sent,
    Temporary,
    Throttled,
    Unreachable,
)
from pushcenter.ids import uuid7
from pushcenter.lanes import Lane
from pushcenter.messaging import outcomes, retry
from pushcenter.messaging.deliveries import DeliveryQuerySet
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.states import State
from tests import claiming, factories
from tests.docs.pages import DOCS, FENCE, ROOT, codes, prose, table

PAGE = DOCS / "architecture.md"
ARROW = re.compile(r"^\s+(\S+) --> (\S+) : (.+)$", re.MULTILINE)

BATCH = uuid7()

Arrow = tuple[str, str, str]
Step = Callable[[DeliveryQuerySet, Sequence[Delivery]], object]


def drawn() -> set[Arrow]:
    """The arrows of the diagram: state before, state after, what causes it."""
    (diagram,) = (
        fence["text"] for fence in FENCE.finditer(PAGE.read_text()) if fence["language"] == "mermaid"
    )
    return {
        (before, after, cause)
        for before, after, causes in ARROW.findall(diagram)
        for cause in causes.split(", ")
    }


def verdicts() -> set[State]:
    """Every state that the retry policy can ask for."""
    now = timezone.now()
    results: list[Sent | ChannelError] = [
        *(Sent(final=final) for final in (True, False)),
        *(Temporary(maybe_sent=maybe_sent) for maybe_sent in (True, False)),
        *(Misconfigured(scope=scope) for scope in Scope),
        Throttled(),
        Unreachable(),
        Refused(),
    ]
    situations = [
        retry.Situation(
            lane=Lane.CRITICAL,
            attempt=attempt,
            expires_at=now + life,
            idempotent=idempotent,
            hold_when_in_doubt=hold,
        )
        for attempt, life, idempotent, hold in itertools.product(
            (1, 99), (timedelta(milliseconds=1), timedelta(days=1)), (True, False), (True, False)
        )
    ]
    return {retry.decide(result, each, now=now).state for result in results for each in situations}


def deliveries(message: Message, *, expired: bool = False) -> list[Delivery]:
    """One in each state, as it would be there."""
    now = timezone.now()
    rows = [
        Delivery(
            id=uuid7(),
            message=message,
            batch_id=BATCH,
            channel="email",
            kind="email",
            lane=Lane.NORMAL,
            state=state,
            due_at=now - timedelta(hours=2),
            expires_at=now + timedelta(hours=-1 if expired else 1),
            claims=1,
            lease_until=now - timedelta(minutes=1) if state is State.SENDING else None,
        )
        for state in State
    ]
    Delivery.objects.all().delete()
    return Delivery.objects.bulk_create(rows)


def recording(state: State) -> Step:
    due_at = timezone.now() if state is State.PENDING else None

    def step(_queryset: DeliveryQuerySet, rows: Sequence[Delivery]) -> object:
        claimed = [claiming.as_claimed(row) for row in rows]
        return outcomes.change(
            [claiming.ended(each, state=state, outcome="sent", due_at=due_at) for each in claimed]
        )

    return step


def doubtful(rows: Sequence[Delivery]) -> Sequence[Delivery]:
    """The same, each after an attempt that may have reached the provider."""
    for row in rows:
        row.maybe_sent = True
    return rows


def steps() -> Iterator[tuple[str, Step]]:
    """Every method that changes a state, with what it can be asked for."""
    now = timezone.now()
    yield "claim", lambda _queryset, _rows: claiming.claim(Lane.NORMAL, limit=99)
    yield "expire", lambda queryset, _rows: queryset.expire(now, limit=99)
    yield "expire", lambda queryset, _rows: [queryset.update(maybe_sent=True), queryset.expire(now, limit=99)]
    yield "repeat", lambda queryset, rows: queryset.repeat(rows, maybe_duplicate=True)
    yield (
        "put_back",
        lambda queryset, rows: queryset.put_back([claiming.as_claimed(row) for row in rows]),
    )
    yield "hold", lambda queryset, rows: queryset.hold(rows, now, code="", reason="")
    yield "cancel", lambda queryset, rows: queryset.cancel(rows, now)
    yield "cancel_some", lambda queryset, _rows: queryset.cancel_some(BATCH, limit=99)
    yield "reopen", lambda queryset, rows: queryset.reopen(rows, now, maybe_duplicate=True)
    yield "pass_over", lambda queryset, rows: queryset.pass_over(rows, now)
    yield "not_needed", lambda queryset, rows: queryset.not_needed(rows, now, reason="")
    yield "unwanted", lambda queryset, rows: queryset.unwanted(rows, now, reason="")
    yield "unwanted", lambda queryset, rows: queryset.unwanted(doubtful(rows), now, reason="")
    yield "cancel", lambda queryset, rows: queryset.cancel(doubtful(rows), now)
    yield "pass_over", lambda queryset, rows: queryset.pass_over(doubtful(rows), now)
    yield "not_needed", lambda queryset, rows: queryset.not_needed(doubtful(rows), now, reason="")
    yield (
        "cancel_some",
        lambda queryset, _rows: [queryset.update(maybe_sent=True), queryset.cancel_some(BATCH, limit=99)],
    )
    yield "give_up", lambda queryset, rows: queryset.give_up(rows, now)
    yield "bounce", lambda queryset, rows: [queryset.bounce(row, now, code="", reason="") for row in rows]
    for state in (State.SENT, State.DELIVERED):
        yield "advance", lambda queryset, rows, to=state: [queryset.advance(row, to, now) for row in rows]  # type: ignore[misc]
    for state in verdicts():
        yield "record", recording(state)


@pytest.mark.django_db
def test_the_diagram_shows_what_the_database_does() -> None:
    factories.recipient()
    factories.accounts("email")
    factories.template(channels=["email"])
    message = factories.message()
    found: set[Arrow] = {
        ("[*]", "pending", "accept"),
        ("[*]", "pending", "fall_back"),
        ("[*]", "skipped", "accept"),
    }
    for name, step in steps():
        rows = deliveries(message, expired=name == "expire")
        step(Delivery.objects.all(), rows)
        after = dict(Delivery.objects.values_list("pk", "state"))
        found |= {(row.state, after[row.pk], name) for row in rows if after[row.pk] != row.state}
    assert drawn() == found


def test_every_state_is_explained() -> None:
    assert [codes(row[0])[0] for row in table(PAGE, "## The states of a delivery")] == State.values


def test_the_retry_schedule_is_the_one_of_the_code() -> None:
    rows = [row for row in table(PAGE, "## What follows from an attempt") if codes(row[0])[0] in Lane.values]
    assert {codes(lane)[0]: tuple(map(int, waits.split(", "))) for lane, waits in rows} == retry.SCHEDULE


@pytest.mark.django_db
def test_every_constraint_and_trigger_is_among_what_always_holds() -> None:
    told = {code for row in table(PAGE, "## What always holds") for code in codes(row[1])}
    ours = [model for model in apps.get_models() if model.__module__.split(".")[0] in OURS]
    constraints = {each.name for model in ours for each in model._meta.constraints}
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tgname FROM pg_trigger WHERE NOT tgisinternal")
        triggers = {name for (name,) in cursor.fetchall()}
    assert {code for code in told if "(" not in code} - {"FOR UPDATE SKIP LOCKED", "state = 'pending'"} >= (
        constraints | triggers
    )


OURS = ("pushcenter", "templates_app", "channels_app", "analytics_app")
CALL = re.compile(r"^(?P<owner>\w+)\.(?P<name>\w+)\(\)$")


def modules() -> dict[str, list[ModuleType]]:
    """The modules that the page speaks of, by their last name."""
    found: dict[str, list[ModuleType]] = {}
    for package in (pushcenter, analytics_app, channels_app, templates_app):
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            parts = each.name.split(".")
            if not {
                "migrations",
                "commands",
                "embedded",
                "demo",
                "__main__",
                "gunicorn_conf",
                "launch",
            } & set(parts):
                found.setdefault(parts[-1], []).append(importlib.import_module(each.name))
    return found


def test_every_function_that_is_named_exists() -> None:
    by_name = modules()
    everything = [module for each in by_name.values() for module in each]
    named = [call for code in codes(prose(PAGE)) if (call := CALL.match(code))]
    assert len(named) > 20
    for call in named:
        owners = [
            *by_name.get(call["owner"], []),
            *(getattr(each, call["owner"], None) for each in everything),
        ]
        assert any(hasattr(owner, call["name"]) for owner in owners if owner), call[0]


def test_every_file_and_folder_that_is_named_exists() -> None:
    for code in codes(prose(PAGE)):
        if re.fullmatch(r"[a-z_]+(/[a-z_.]+)+", code):
            assert (ROOT / code).exists(), code
