"""Every call, one by one: what it lets another system see and change, and what a key of the other kind.

The table has to name each route of the API. A call about something of a system is *hidden* from all others: they get
the very answer of something that is not there. One that names nothing is each caller's *own*. What belongs to the
enterprise is *shared*: every system sees the same, and a test key changes nothing in it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from django.core import serializers
from django.db import transaction
from pytest_django import DjangoDbBlocker

from pushcenter.access.models import ApiKey
from pushcenter.messaging import dispatch
from pushcenter.messaging.models import Batch, Delivery, Event, Interaction, Message
from pushcenter.recipients.models import Address, Group, Preference, Recipient
from tests import factories
from tests.access.gateway import Gateway, order, problem
from tests.access.routes import CALLS, PREFIX, name

pytestmark = pytest.mark.django_db
TABLES = (ApiKey, Batch, Message, Delivery, Event, Interaction, Recipient, Address, Preference, Group)
NOWHERE = "00000000-0000-4000-8000-000000000000"
#: A code, a reference, a name of the owner's: what a stranger's answer must not hold.
SECRET = "owners-secret"


@dataclass(frozen=True, kw_only=True)
class World:
    """The owner's things, and who looks at them."""

    owner: Gateway
    test: Gateway
    stranger: Gateway
    #: The owner's things, by the parameter that names one: those of the live key, and those of the test key.
    live_things: Mapping[str, str]
    test_things: Mapping[str, str]


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Made once, in a transaction around those of the tests, each of which is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield created()
        transaction.set_rollback(True)


def created() -> World:
    """A shop that has sent a live and a test message, and a system ``erp`` that may not send its template."""
    factories.recipient()
    factories.template(SECRET)
    factories.template()
    factories.accounts("inbox", "email")
    Group.objects.create(code=SECRET, name="Ours")
    shop = factories.system()
    row, secret = factories.key(shop, name=SECRET)
    test_row, test_secret = factories.key(shop, is_test=True)
    owner, test = Gateway(secret), Gateway(test_secret)
    live_things = {**made(owner), "key_id": str(row.pk)}
    test_things = {**made(test), "key_id": str(test_row.pk)}
    dispatch.run("normal")
    stranger = Gateway(factories.key(factories.system("erp", templates=["order-paid"]))[1])
    return World(
        owner=owner,
        test=test,
        stranger=stranger,
        live_things=live_things,
        test_things=test_things,
    )


def made(caller: Gateway) -> dict[str, str]:
    """Send a message and a batch; everything that can be named of it and of the directory."""
    batch = {
        "template": SECRET,
        "items": [{"to": ORDER["to"], "params": ORDER["params"]}],
        "reference": SECRET,
    }
    return {
        "message_id": caller.send(template=SECRET, reference=SECRET).json()["id"],
        "batch_id": caller.post(f"{PREFIX}/messages/batch", batch).json()["id"],
        "code": SECRET,
        "external_id": "u-1001",
    }


Body = Callable[[Mapping[str, str]], Any]


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """A call about something of a system; ``body`` makes its body from what is named."""

    body: Body = field(default=lambda _names: None)
    #: Whether a test key and a live one of the same system are strangers to each other, too.
    is_apart: bool = True


@dataclass(frozen=True, kw_only=True)
class Own:
    """A call that names nothing: it makes or lists things of the caller."""

    body: Any = None
    statuses: tuple[int, ...] = (200,)


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A call about the enterprise's directory."""

    body: Any = None
    statuses: tuple[int, ...] = (200,)
    #: What it shows depends on the kind of the key alone, and a test key may do it.
    of_kind: bool = False


ORDER = order()
CONVERSION: Body = lambda names: {"message": names["message_id"], "event": "purchase"}  # noqa: E731
TABLE: Mapping[str, Hidden | Own | Shared] = {
    "GET /system": Own(),
    "GET /keys": Own(),
    "POST /keys": Own(body={"scopes": ["read"]}, statuses=(201,)),
    # The keys of a system are one another's to manage, but for what a test key may do: see test_keys_api.
    "POST /keys/{key_id}/rotate": Hidden(body=lambda _names: {}, is_apart=False),
    "POST /keys/{key_id}/revoke": Hidden(is_apart=False),
    "POST /messages": Own(body=ORDER, statuses=(202,)),
    "POST /messages/batch": Own(
        body={"template": "order-paid", "items": [{"to": ORDER["to"], "params": ORDER["params"]}]},
        statuses=(202,),
    ),
    "POST /messages/explain": Own(body=ORDER),
    "GET /messages": Own(),
    "GET /messages/{message_id}": Hidden(),
    "GET /messages/{message_id}/trace": Hidden(),
    "GET /messages/{message_id}/explain": Hidden(),
    "POST /messages/{message_id}/cancel": Hidden(),
    "GET /batches": Own(),
    "GET /batches/{batch_id}": Hidden(),
    "POST /batches/{batch_id}/pause": Hidden(),
    "POST /batches/{batch_id}/resume": Hidden(),
    "POST /batches/{batch_id}/cancel": Hidden(),
    "POST /broadcasts": Own(
        body={"template": "order-paid", "audience": {"all": True}, "params": ORDER["params"]},
        statuses=(202,),
    ),
    "GET /recipients": Shared(),
    "POST /recipients": Shared(body={"external_id": "u-7"}, statuses=(201,)),
    "PUT /recipients:bulk": Shared(body={"items": [{"external_id": "u-8"}]}),
    "GET /recipients/{external_id}": Shared(),
    "PUT /recipients/{external_id}": Shared(body={"name": "Ann"}),
    "PATCH /recipients/{external_id}": Shared(body={"name": "Ann"}),
    "DELETE /recipients/{external_id}": Shared(statuses=(204,)),
    "GET /recipients/{external_id}/preferences": Shared(),
    "PUT /recipients/{external_id}/preferences": Shared(body={"preferences": []}),
    "GET /recipients/{external_id}/inbox": Shared(of_kind=True),
    "POST /recipients/{external_id}/inbox/read": Shared(body={}, of_kind=True),
    "GET /recipients/{external_id}/inbox/unread": Shared(of_kind=True),
    "GET /recipients/{external_id}/inbox/events": Shared(of_kind=True),
    "POST /recipients/{external_id}/inbox/archive": Shared(body={"ids": [NOWHERE]}, of_kind=True),
    "GET /groups": Shared(),
    "POST /groups": Shared(body={"code": "new", "name": "New"}, statuses=(201,)),
    "GET /groups/{code}": Shared(),
    "PATCH /groups/{code}": Shared(body={"name": "Theirs"}),
    "DELETE /groups/{code}": Shared(statuses=(204,)),
    "GET /groups/{code}/members": Shared(),
    "POST /groups/{code}/members": Shared(body={"add": ["u-1001"]}),
    # Templates are the enterprise's as well, and a system sees those that it may send.
    "GET /templates": Own(),
    "GET /templates/{code}": Hidden(is_apart=False),
    "POST /templates/{code}/preview": Hidden(
        body=lambda _names: {"params": {"order_no": "SO-1"}}, is_apart=False
    ),
    "POST /conversions": Hidden(body=CONVERSION),
    "GET /stats": Own(),
}
BY_NAME = {name(route, verb): (verb.upper(), route) for route, _view, verb in CALLS}


def of_kind(kind: type[Any]) -> list[Any]:
    found = [(call, entry) for call, entry in TABLE.items() if isinstance(entry, kind)]
    return [pytest.param(call, entry, id=call) for call, entry in found]


def place(call: str, names: Mapping[str, str]) -> tuple[str, str]:
    """The method and address of a call about certain things."""
    method, path = call.split(" ")
    return method, PREFIX + path.format_map(names)


def ask(caller: Gateway, call: str, entry: Hidden, names: Mapping[str, str]) -> Any:
    return caller.call(*place(call, names), entry.body(names))


def stored() -> str:
    """Everything that a call could change, but for when a key was used."""
    rows = [row for model in TABLES for row in model.objects.order_by("pk")]
    fields = json.loads(serializers.serialize("json", rows))
    return json.dumps([{**row, "fields": {**row["fields"], "last_used_at": None}} for row in fields])


def nowhere(names: Mapping[str, str]) -> Mapping[str, str]:
    """The same parameters, with names of nothing."""
    return {**dict.fromkeys(names, NOWHERE), "code": "nothing", "external_id": "nobody"}


def test_the_table_names_every_call() -> None:
    assert set(TABLE) == set(BY_NAME)


@pytest.mark.parametrize(("call", "entry"), of_kind(Hidden))
def test_a_stranger_finds_nothing_and_changes_nothing(world: World, call: str, entry: Hidden) -> None:
    before = stored()
    hidden = problem(ask(world.stranger, call, entry, world.live_things), 404, "not_found")
    missing = problem(ask(world.stranger, call, entry, nowhere(world.live_things)), 404, "not_found")
    assert hidden == missing
    assert stored() == before
    assert ask(world.owner, call, entry, world.live_things).status_code < 300


@pytest.mark.parametrize(("call", "entry"), of_kind(Hidden))
def test_live_and_test_keys_do_not_find_each_others_things(world: World, call: str, entry: Hidden) -> None:
    if not entry.is_apart:
        return
    before = stored()
    problem(ask(world.test, call, entry, world.live_things), 404, "not_found")
    problem(ask(world.owner, call, entry, world.test_things), 404, "not_found")
    assert stored() == before
    assert ask(world.test, call, entry, world.test_things).status_code < 300


@pytest.mark.parametrize(("call", "entry"), of_kind(Own))
def test_what_names_nothing_shows_and_makes_only_what_is_the_callers(
    world: World, call: str, entry: Own
) -> None:
    things = [*world.live_things.items(), *world.test_things.items()]
    theirs = {value for name, value in things if name != "external_id"}
    before = json.loads(stored())
    answer = world.stranger.call(*place(call, {}), entry.body)
    assert answer.status_code in entry.statuses, answer.content
    assert [each for each in theirs if each in answer.content.decode()] == []
    after = json.loads(stored())
    assert [row for row in before if row not in after] == []


@pytest.mark.parametrize(("call", "entry"), of_kind(Shared))
def test_the_directory_is_the_same_for_all(world: World, call: str, entry: Shared) -> None:
    method, path = place(call, world.live_things)
    answer = world.stranger.call(method, path, entry.body)
    assert answer.status_code in entry.statuses, answer.content
    if method == "GET" and not answer.streaming:
        assert world.owner.get(path).json() == answer.json()


@pytest.mark.parametrize(("call", "entry"), of_kind(Shared))
def test_a_test_key_changes_nothing_in_the_directory(world: World, call: str, entry: Shared) -> None:
    method, path = place(call, world.live_things)
    before = stored()
    answer = world.test.call(method, path, entry.body)
    if method == "GET":
        assert answer.status_code == 200
    elif not entry.of_kind:
        problem(answer, 403, "test_key")
    if not entry.of_kind:
        assert stored() == before


def test_an_inbox_shows_a_test_key_what_test_keys_sent_and_a_live_one_the_rest(world: World) -> None:
    path = f"{PREFIX}/recipients/u-1001/inbox"
    shown, of_test = (caller.get(path).json() for caller in (world.owner, world.test))
    for box, is_test in ((shown, False), (of_test, True)):
        assert len(box["entries"]) == 2
        for entry in box["entries"]:
            assert Message.objects.get(pk=entry["message"]).is_test is is_test
    world.test.post(f"{path}/read", {})
    assert world.owner.get(path).json() == shown


def test_a_test_key_reads_no_live_figures(world: World) -> None:
    sums = [caller.get(f"{PREFIX}/stats").json()["total"]["accepted"] for caller in (world.owner, world.test)]
    assert sums[0] > 0
    assert sums[1] == 0


def test_an_idempotency_key_is_the_callers_own(world: World) -> None:
    """Another system, and a test key, may use the same one: each makes a message of its own."""
    made = [
        caller.post(f"{PREFIX}/messages", ORDER, **{"Idempotency-Key": "1"}).json()["id"]
        for caller in (world.owner, world.test, world.stranger)
    ]
    assert len(set(made)) == 3


def test_all_keys_of_a_system_see_its_messages(world: World) -> None:
    colleague = Gateway(factories.key(scopes=["read"])[1])
    assert colleague.get(f"{PREFIX}/messages/{world.live_things['message_id']}").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/not-a-uuid",
        "/00000000-0000-0000-0000-000000000000",
        "/%00",
        "/%ff",
        "/..%2f..%2fetc",
        f"/{UUID(int=7)}",
    ],
)
def test_what_is_no_id_is_not_found(world: World, path: str) -> None:
    problem(world.owner.get(f"{PREFIX}/messages{path}"), 404, "not_found")
