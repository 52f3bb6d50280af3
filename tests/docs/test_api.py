"""docs/api.md names every code that the API can give, every magic address, and every field of a message."""

import ast
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from channels_app import registry
from channels_app.adapters.simulated import MAGIC, magic_outcome
from channels_app.contract import Address
from pushcenter import web_worker
from pushcenter.access.gate import Reason
from pushcenter.access.models import Scope
from pushcenter.access.serializers.batches import BatchSerializer
from pushcenter.access.serializers.messages import SendSerializer
from pushcenter.messaging import routing
from pushcenter.messaging.states import State
from pushcenter.recipients import magic
from tests import factories
from tests.docs.pages import DOCS, ROOT, codes, prose, table

PAGE = DOCS / "api.md"

#: What may answer a caller, but the console and the table of systems.
ACCESS = ("bodies", "door", "fields", "gate", "idempotent", "issuing", "parsing", "problems")
SOURCES = [
    *(ROOT / "pushcenter/access" / f"{name}.py" for name in ACCESS),
    *sorted((ROOT / "pushcenter/access/views").glob("*.py")),
    *sorted((ROOT / "pushcenter/access/serializers").glob("*.py")),
    ROOT / "pushcenter/access/paging.py",
    ROOT / "pushcenter/messaging/intake.py",
    ROOT / "pushcenter/messaging/validate.py",
    ROOT / "pushcenter/messaging/conversions.py",
    *sorted((ROOT / "pushcenter/recipients").glob("*.py")),
    ROOT / "templates_app/preview.py",
    ROOT / "templates_app/variables.py",
]
#: Calls that make an error, and where its code stands: the name of an argument, or its place.
FAULTS: dict[str, str | int] = {"Fault": "code", "ErrorDetail": "code", "ValidationError": 1}
PROBLEMS: dict[str, str | int] = {
    "body": 1,
    "problem_response": 1,
    "PermissionDenied": 1,
    "NotAuthenticated": 1,
}


def in_code(calls: dict[str, str | int]) -> set[str]:
    """The codes that these calls give, anywhere in the sources."""
    return {code for path in SOURCES for code in _in_tree(ast.parse(path.read_text()), calls)}


def _in_tree(tree: ast.Module, calls: dict[str, str | int]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            argument = _argument(node, calls[called]) if called in calls else None
            if argument is not None:
                yield from _values(argument, tree)


def _argument(call: ast.Call, place: str | int) -> ast.expr | None:
    if isinstance(place, int):
        return call.args[place] if len(call.args) > place else None
    return next((each.value for each in call.keywords if each.arg == place), None)


def _values(value: ast.expr, tree: ast.Module) -> Iterator[str]:
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=first, orelse=second):
            yield from _values(first, tree)
            yield from _values(second, tree)
        case ast.JoinedStr(values=[ast.Constant(value=str(start)), *_]):
            yield from (start + kind for kind in registry.address_kinds())
        case ast.Name(id=name):
            for node in ast.walk(tree):
                if isinstance(node, ast.Assign) and any(
                    isinstance(to, ast.Name) and to.id == name for to in node.targets
                ):
                    yield from _values(node.value, tree)


def defaults() -> set[str]:
    """The codes of our own exception classes; those of the gate stand in its list of reasons."""
    return set(Reason) | {
        str(node.value.value)
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and any(getattr(to, "id", "") == "default_code" for to in node.targets)
    }


def of_the_server() -> set[str]:
    """The codes that the web server itself gives."""
    return {code for _status, code, _detail in (*web_worker.ANSWERS.values(), web_worker.OTHERWISE)}


def documented(heading: str, column: int) -> set[str]:
    return {code for row in table(PAGE, heading) for code in codes(row[column])}


@pytest.fixture
def call(client: Client) -> Any:
    """POST or another method to an address, with a key that may do everything."""
    _row, secret = factories.key()

    def calling(path: str, body: Any = None, *, method: str = "POST", kind: str = "application/json") -> Any:
        headers = {"Authorization": f"Bearer {secret}"}
        return client.generic(method, path, body or b"", content_type=kind, headers=headers)

    return calling


MESSAGES, INBOX = "/api/v1/messages", "/api/v1/recipients/u-1001/inbox"
PEOPLE, CONVERSIONS = "/api/v1/recipients", "/api/v1/conversions"
GOOD = '"template": "order-paid", "to": {"email": "a@example.com"}'
#: Requests whose faults the framework names itself.
BAD = [
    ("POST", MESSAGES, "{}"),
    ("POST", MESSAGES, "[]"),
    ("POST", MESSAGES, '{"template": null, "to": null}'),
    ("POST", MESSAGES, '{"template": "", "to": "Li Wei", "params": [], "channels": 1}'),
    ("POST", MESSAGES, f'{{{GOOD}, "priority": "soon", "channels": [], "reference": "{"x" * 201}"}}'),
    ("POST", f"{INBOX}/read", '{"ids": ["x"]}'),
    ("GET", f"{INBOX}?limit=0", ""),
    ("GET", f"{INBOX}?limit=1000&unread=perhaps", ""),
    ("GET", f"{PEOPLE}?q=%00", ""),
    ("POST", CONVERSIONS, '{"value": 1e300}'),
    ("POST", CONVERSIONS, '{"value": 1.23456}'),
    ("POST", CONVERSIONS, '{"value": 1234567890123456}'),
]


@pytest.mark.django_db
def test_the_codes_of_faults_are_those_of_the_code(call: Any) -> None:
    observed = {
        fault["code"]
        for method, path, body in BAD
        for fault in call(path, body, method=method).json()["errors"]
    }
    assert documented("### Codes of a fault", 0) == in_code(FAULTS) | observed


@pytest.mark.django_db
def test_the_codes_of_problems_are_those_of_the_code(call: Any) -> None:
    observed = {
        call(MESSAGES, method="PUT").json()["code"],
        call(MESSAGES, "x", kind="text/plain").json()["code"],
    }
    assert documented("### Codes of a problem", 1) == (
        in_code(PROBLEMS) | defaults() | of_the_server() | observed
    )


def test_the_states_of_a_delivery_are_all_told() -> None:
    assert set(State.values) <= documented("## What became of it", 0)


def test_the_reasons_for_which_a_channel_is_skipped_are_all_told() -> None:
    reasons = set(routing.Reason) - {routing.Reason.IN_ROUTE, routing.Reason.KEPT_AS_FALLBACK}
    assert {reason.value for reason in reasons} <= documented("### Codes of a delivery", 0)


def test_the_codes_that_the_flow_gives_a_delivery_are_all_told() -> None:
    sources = [
        path.read_text() for path in (ROOT / "pushcenter/messaging").glob("*.py") if path.stem != "intake"
    ]
    given = {
        node.value.value
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.keyword) and node.arg == "code" and isinstance(node.value, ast.Constant)
    }
    assert given
    assert given <= set(codes(prose(PAGE)))


def test_the_outcomes_are_those_of_the_simulator() -> None:
    told = {codes(name)[0]: codes(digits) for name, digits, _ in table(PAGE, "### Outcomes")}
    assert told == {name: [behaviour.digits] for name, behaviour in MAGIC.items()}


def test_the_recipients_of_test_keys_are_told() -> None:
    rows = [codes(name)[0] for name, _ in table(PAGE, "### Recipients for tests")]
    assert rows == [magic.PREFIX, *(f"{magic.PREFIX}{name}" for name in magic.BEFORE)]


def test_the_examples_of_addresses_name_an_outcome() -> None:
    rows = table(PAGE, "### How an address names an outcome")
    examples = {codes(kind)[0]: codes(example)[0] for kind, _, example in rows}
    assert set(examples) == set(registry.address_kinds())
    for kind, value in examples.items():
        stored = registry.address_kinds()[kind].normalise(value)
        assert magic_outcome(Address(kind=kind, value=stored)) == "bounced", kind


def test_the_fields_of_a_message_are_all_told() -> None:
    told = [codes(row[0])[0] for row in table(PAGE, "## Sending a message")]
    assert told == list(SendSerializer().fields)


def test_the_fields_of_a_batch_are_all_told() -> None:
    assert documented("## Sending many at once", 0) == set(BatchSerializer().fields)


def test_the_scopes_are_all_told() -> None:
    assert documented("## Keys", 0) == {scope.value for scope in Scope}
