"""Finding messages: by every parameter, page by page, newest first."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import combinations
from typing import Any
from uuid import uuid4

import pytest

from pushcenter.access.views import messages as views
from pushcenter.ids import uuid7
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.states import State, summary
from tests import factories
from tests.access.gateway import MESSAGES, Gateway, faults

pytestmark = pytest.mark.django_db


def found(caller: Gateway, **query: Any) -> list[str]:
    answer = caller.get(MESSAGES, **query)
    assert answer.status_code == 200, answer.content
    return [each["id"] for each in answer.json()["items"]]


def sent(caller: Gateway, **changes: Any) -> str:
    answer = caller.send(**changes)
    assert answer.status_code == 202, answer.content
    identity: str = answer.json()["id"]
    return identity


def all_pages(caller: Gateway, **query: Any) -> list[list[str]]:
    pages: list[list[str]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = caller.get(MESSAGES, **query, **cursor).json()
        pages.append([each["id"] for each in answer["items"]])
        if answer["next"] is None:
            return pages
        cursor = {"cursor": answer["next"]}


def test_the_newest_comes_first_and_each_page_leads_to_the_next(shop: Gateway) -> None:
    ids = [sent(shop) for _ in range(5)]
    newest_first = ids[::-1]
    assert found(shop) == newest_first
    assert all_pages(shop, limit=2) == [newest_first[:2], newest_first[2:4], newest_first[4:]]


def test_an_item_is_what_reading_it_gives(shop: Gateway) -> None:
    place = shop.send(reference="SO-1")["Location"]
    [item] = shop.get(MESSAGES).json()["items"]
    assert item == shop.get(place).json()


def test_a_message_that_comes_between_two_pages_shifts_nothing(shop: Gateway) -> None:
    first, second = sent(shop), sent(shop)
    answer = shop.get(MESSAGES, limit=1).json()
    sent(shop)
    assert answer["items"][0]["id"] == second
    assert found(shop, limit=1, cursor=answer["next"]) == [first]


def test_each_parameter_finds_what_it_names(shop: Gateway) -> None:
    factories.recipient("u-2")
    factories.template("other", ["email"])
    plain = sent(shop)
    by = {
        "reference": sent(shop, reference="SO-7"),
        "recipient": sent(shop, to={"recipient": "u-2"}),
        "template": sent(shop, template="other", to={"email": "ann@example.com"}),
    }
    batch = shop.post(
        f"{MESSAGES}/batch",
        {"template": "order-paid", "items": [{"to": {"recipient": "u-1001"}, "params": {"order_no": "1"}}]},
    ).json()["id"]
    assert found(shop, reference="SO-7") == [by["reference"]]
    assert found(shop, recipient="u-2") == [by["recipient"]]
    assert found(shop, template="other") == [by["template"]]
    [in_batch] = found(shop, batch=batch)
    assert in_batch not in {plain, *by.values()}
    assert found(shop, reference="SO-7", recipient="u-2") == []
    assert found(shop, channel="inbox")[-1] == plain
    assert by["template"] not in found(shop, channel="inbox")


@pytest.mark.parametrize(
    "query", [{"recipient": "nobody"}, {"template": "none"}, {"reference": "x"}, {"channel": "fax"},
              {"batch": str(uuid4())}],
)  # fmt: skip
def test_what_is_not_there_is_an_empty_list(shop: Gateway, query: Mapping[str, Any]) -> None:
    sent(shop)
    assert shop.get(MESSAGES, **query).json() == {"items": [], "next": None}


def test_since_and_until_are_by_the_time_of_storing(shop: Gateway) -> None:
    first = Message.objects.get(pk=sent(shop))
    moment = first.accepted_at
    assert found(shop, since=moment.isoformat()) == [str(first.pk)]
    assert found(shop, since=(moment + timedelta(seconds=5)).isoformat()) == []
    assert found(shop, until=moment.isoformat()) == []
    assert found(shop, until=(moment + timedelta(seconds=5)).isoformat()) == [str(first.pk)]
    local = (moment - timedelta(seconds=1)).astimezone().isoformat()
    assert found(shop, since=local) == [str(first.pk)]


def test_the_status_is_the_summary_of_the_deliveries(shop: Gateway) -> None:
    expected: dict[str, set[str]] = {state.value: set() for state in State}
    combined = [*([state] for state in State), *map(list, combinations(State, 2)), []]
    template = [sent(shop) for _ in combined]
    Delivery.objects.all().delete()
    for identity, states in zip(template, combined, strict=True):
        message = Message.objects.get(pk=identity)
        for state in states:
            Delivery.objects.create(
                id=uuid7(),
                message=message,
                channel="email",
                kind="email",
                lane="normal",
                state=state,
                expires_at=message.expires_at,
                lease_until=message.expires_at if state is State.SENDING else None,
            )
        expected[summary(states)].add(identity)
    for state in State:
        assert set(found(shop, status=state.value, limit=200)) == expected[state.value], state


def test_a_rare_status_is_looked_for_in_pieces(shop: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [sent(shop) for _ in range(7)]
    Delivery.objects.filter(message__in=[ids[0], ids[5]]).update(state=State.FAILED)
    monkeypatch.setattr(views, "LOOKED_AT", 3)
    pages = all_pages(shop, status="failed", limit=2)
    assert [identity for page in pages for identity in page] == [ids[5], ids[0]]
    assert pages == [[ids[5]], [], [ids[0]]]


def test_a_full_page_of_a_piece_leads_on_within_it(shop: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [sent(shop) for _ in range(6)]
    monkeypatch.setattr(views, "LOOKED_AT", 4)
    assert [identity for page in all_pages(shop, status="pending", limit=1) for identity in page] == ids[::-1]


def test_a_test_key_sees_test_messages_and_a_live_key_live_ones(shop: Gateway) -> None:
    live = sent(shop)
    tester = Gateway(factories.key(is_test=True)[1])
    trial = sent(tester)
    assert (found(shop), found(tester)) == ([live], [trial])
    for what in ("", "/trace", "/explain"):
        assert shop.get(f"{MESSAGES}/{live}{what}").status_code == 200
        assert shop.get(f"{MESSAGES}/{trial}{what}").status_code == 404
        assert tester.get(f"{MESSAGES}/{live}{what}").status_code == 404
    assert tester.post(f"{MESSAGES}/{live}/cancel", {}).status_code == 404


BAD = {
    "unknown parameter": ({"statuz": "sent"}, ("/statuz", "unknown_field")),
    "unknown status": ({"status": "gone"}, ("/status", "invalid_choice")),
    "batch that is no id": ({"batch": "x"}, ("/batch", "invalid")),
    "moment without zone": ({"since": "2030-01-01T00:00:00"}, ("/since", "missing_time_zone")),
    "no moment": ({"until": "soon"}, ("/until", "invalid_datetime")),
    "limit of nothing": ({"limit": 0}, ("/limit", "min_value")),
    "limit too large": ({"limit": 201}, ("/limit", "max_value")),
    "limit a text": ({"limit": "ten"}, ("/limit", "invalid")),
    "cursor of ours that is none": ({"cursor": "AAAA"}, ("/cursor", "invalid_cursor")),
    "cursor with a null character": ({"cursor": "AA=="}, ("/cursor", "invalid_cursor")),
    "reference too long": ({"reference": "x" * 201}, ("/reference", "max_length")),
    "null character": ({"reference": "a\0b"}, ("/reference", "null_characters_not_allowed")),
    "recipient with one": ({"recipient": "\0"}, ("/recipient", "null_characters_not_allowed")),
}


@pytest.mark.parametrize(("query", "fault"), BAD.values(), ids=BAD)
def test_a_bad_parameter_is_named(shop: Gateway, query: dict[str, Any], fault: tuple[str, str]) -> None:
    assert faults(shop.get(MESSAGES, **query)) == [fault]


@pytest.mark.parametrize("text", ["' OR 1=1 --", "%", "{{7*7}}", "a\u2028b", "😀"])
@pytest.mark.parametrize("name", ["reference", "recipient", "template", "channel"])
def test_an_injected_text_finds_nothing(shop: Gateway, name: str, text: str) -> None:
    sent(shop, reference="SO-1")
    assert found(shop, **{name: text}) == []


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_the_ends_of_time_do_no_harm(shop: Gateway, moment: str) -> None:
    sent(shop)
    for name in ("since", "until"):
        assert shop.get(MESSAGES, **{name: moment}).status_code == 200
