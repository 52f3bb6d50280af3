"""Batches over the API: how far they are, and pause, resume and cancel."""

from typing import Any
from uuid import uuid4

import pytest

from pushcenter.messaging import broadcast, dispatch, work
from pushcenter.messaging.models import Batch, Delivery
from tests import factories
from tests.access.gateway import MESSAGES, Gateway, faults, problem

pytestmark = pytest.mark.django_db
BATCHES = "/api/v1/batches"


def send_batch(caller: Gateway, number: int = 2, **shared: Any) -> str:
    """The address of a new batch."""
    items = [{"to": {"recipient": "u-1001"}, "params": {"order_no": str(index)}} for index in range(number)]
    answer = caller.post(f"{MESSAGES}/batch", {"template": "order-paid", "items": items, **shared})
    assert answer.status_code == 202, answer.content
    place: str = answer["Location"]
    return place


def begin(caller: Gateway) -> str:
    """The address of a new broadcast."""
    body = {"template": "order-paid", "audience": {"all": True}, "params": {"order_no": "1"}}
    answer = caller.post("/api/v1/broadcasts", body)
    assert answer.status_code == 202, answer.content
    place: str = answer["Location"]
    return place


def act(caller: Gateway, place: str, verb: str, **headers: str) -> Any:
    answer = caller.raw(f"{place}/{verb}", b"", **headers)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_batch_tells_how_far_it_is(shop: Gateway) -> None:
    place = send_batch(shop, reference="night")
    document = shop.get(place).json()
    assert (document["kind"], document["status"], document["template"]) == ("batch", "running", "order-paid")
    assert (document["accepted"], document["rejected"], document["reference"]) == (2, 0, "night")
    assert (document["deliveries"], document["expansion"], document["audience"]) == (
        {"pending": 4},
        None,
        None,
    )
    dispatch.run("normal")
    document = shop.get(place).json()
    assert (document["status"], document["deliveries"]) == ("done", {"delivered": 4})


def test_a_broadcast_tells_how_far_its_expansion_is(shop: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broadcast, "CHUNK", 1)
    for name in ("a", "b"):
        factories.recipient(name)
    place = begin(shop)
    document = shop.get(place).json()
    assert (document["kind"], document["status"], document["audience"]) == (
        "broadcast",
        "expanding",
        {"all": True},
    )
    assert document["expansion"] == {"people": 3, "looked_at": 0, "left_out": {}, "finished_at": None}
    batch = Batch.objects.get()
    work._step(batch.pk)
    assert shop.get(place).json()["expansion"]["looked_at"] == 1
    work.run(str(batch.pk))
    document = shop.get(place).json()
    assert (document["status"], document["accepted"], document["expansion"]["looked_at"]) == ("running", 3, 3)
    assert document["expansion"]["finished_at"] is not None


def test_pause_and_resume(shop: Gateway) -> None:
    place = send_batch(shop)
    paused = act(shop, place, "pause")
    assert (paused["status"], paused["cancelled_at"]) == ("paused", None)
    assert paused["paused_at"] is not None
    assert dispatch.run("normal") == 0
    assert act(shop, place, "pause") == shop.get(place).json()
    resumed = act(shop, place, "resume")
    assert (resumed["status"], resumed["paused_at"]) == ("running", None)
    work.run(resumed["id"])
    assert dispatch.run("normal") == 4


def test_cancelling_says_what_had_gone_out(shop: Gateway) -> None:
    place = send_batch(shop)
    Delivery.objects.filter(channel="email").update(due_at=factories.in_an_hour())
    dispatch.run("normal")
    document = act(shop, place, "cancel")
    assert (document["cancelled"], document["too_late"], document["not_expanded"]) == (2, {"delivered": 2}, 0)
    assert shop.get(place).json()["status"] == "cancelled"
    work.run(document["id"])
    again = act(shop, place, "cancel")
    assert again == document
    assert shop.get(place).json()["deliveries"] == {"delivered": 2, "cancelled": 2}


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_a_cancelled_batch_stays_cancelled(shop: Gateway, verb: str) -> None:
    place = send_batch(shop)
    act(shop, place, "cancel")
    problem(shop.raw(f"{place}/{verb}", b""), 409, "batch_cancelled")


def test_with_a_key_the_first_answer_comes_again(shop: Gateway) -> None:
    place = send_batch(shop)
    first = act(shop, place, "pause", **{"Idempotency-Key": "p-1"})
    act(shop, place, "resume")
    assert act(shop, place, "pause", **{"Idempotency-Key": "p-1"}) == first
    assert shop.get(place).json()["status"] == "running"


def listed(caller: Gateway, **query: Any) -> list[str]:
    answer = caller.get(BATCHES, **query)
    assert answer.status_code == 200, answer.content
    return [f"{BATCHES}/{each['id']}" for each in answer.json()["items"]]


def test_the_list_is_newest_first_in_pages_and_by_parameters(shop: Gateway) -> None:
    first, second, third = send_batch(shop), send_batch(shop, reference="night"), begin(shop)
    assert listed(shop) == [third, second, first]
    page = shop.get(BATCHES, limit=2).json()
    assert listed(shop, limit=2, cursor=page["next"]) == [first]
    assert listed(shop, reference="night") == [second]
    assert (listed(shop, kind="broadcast"), listed(shop, kind="batch")) == ([third], [second, first])
    moment = Batch.objects.get(pk=second.rpartition("/")[2]).accepted_at
    assert listed(shop, since=moment.isoformat()) == [third, second]
    assert listed(shop, until=moment.isoformat()) == [first]
    assert [each["status"] for each in page["items"]] == ["expanding", "running"]
    assert "deliveries" not in page["items"][0]


BAD = {
    "unknown parameter": ({"state": "paused"}, ("/state", "unknown_field")),
    "unknown kind": ({"kind": "both"}, ("/kind", "invalid_choice")),
    "limit too large": ({"limit": 1000}, ("/limit", "max_value")),
    "no cursor": ({"cursor": "!"}, ("/cursor", "invalid_cursor")),
    "no moment": ({"since": "x"}, ("/since", "invalid_datetime")),
    "no zone": ({"until": "2030-01-01T00:00"}, ("/until", "missing_time_zone")),
    "null character": ({"reference": "\0"}, ("/reference", "null_characters_not_allowed")),
}


@pytest.mark.parametrize(("query", "fault"), BAD.values(), ids=BAD)
def test_a_bad_parameter_is_named(shop: Gateway, query: dict[str, Any], fault: tuple[str, str]) -> None:
    assert faults(shop.get(BATCHES, **query)) == [fault]


VERBS = [("get", ""), ("post", "/pause"), ("post", "/resume"), ("post", "/cancel")]


@pytest.mark.parametrize(("verb", "what"), VERBS)
def test_another_systems_batch_is_not_found(shop: Gateway, verb: str, what: str) -> None:
    place = send_batch(shop)
    stranger = Gateway(factories.key(factories.system("erp"))[1])
    tester = Gateway(factories.key(is_test=True)[1])
    for caller in (stranger, tester):
        hidden = problem(getattr(caller.client, verb)(place + what), 404, "not_found")
        assert hidden == problem(getattr(caller.client, verb)(f"{BATCHES}/{uuid4()}{what}"), 404, "not_found")
        assert listed(caller) == []
    assert shop.get(place).json()["status"] == "running"


@pytest.mark.parametrize("path", ["/x", "/00000000-0000-0000-0000-000000000000", "/%00", "/%ff"])
def test_what_is_no_id_is_not_found(shop: Gateway, path: str) -> None:
    problem(shop.get(BATCHES + path), 404, "not_found")


def test_a_batch_tells_how_it_stands_with_its_brake(shop: Gateway, settings: Any) -> None:
    assert shop.get(send_batch(shop)).json()["brake"] is None
    settings.BRAKE_ABOVE, settings.BRAKE_SLICE = 2, 1
    document = shop.get(send_batch(shop, 3)).json()
    assert document["status"] == "waiting"
    brake = document["brake"]
    assert (brake["state"], brake["slice"], brake["ended"], brake["reason"]) == ("slice", 1, 0, "")
    assert (brake["looked_at"], brake["wait_until"] > document["accepted_at"]) == (None, True)
