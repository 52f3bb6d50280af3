"""The inbox as a site or an app reads it."""

from typing import Any
from uuid import uuid4

import pytest

from pushcenter.messaging import dispatch
from pushcenter.messaging.models import Interaction, Tally
from templates_app.models import Template, TemplateVersion, Variant, VersionState
from tests import factories
from tests.access.gateway import Gateway, faults, problem

pytestmark = pytest.mark.django_db
INBOX = "/api/v1/recipients/u-1001/inbox"


def sent(shop: Gateway, *numbers: str) -> None:
    for number in numbers:
        assert shop.send(channels=["inbox"], params={"order_no": number}).status_code == 202
    dispatch.run("normal")


def titles(page: dict[str, Any]) -> list[str]:
    return [each["title"].removeprefix("Paid: ") for each in page["entries"]]


def test_the_inbox_is_empty_at_first(shop: Gateway) -> None:
    assert shop.get(INBOX).json() == {"entries": [], "unread": 0, "next": None}


def test_entries_come_newest_first_with_their_content(shop: Gateway) -> None:
    sent(shop, "A", "B")
    page = shop.get(INBOX).json()
    assert titles(page) == ["B", "A"]
    assert (page["unread"], page["next"]) == (2, None)
    entry = page["entries"][0]
    assert set(entry) == {
        "id", "message", "template", "category", "title", "body", "link", "delivered_at", "read_at",
    }  # fmt: skip
    assert (entry["template"], entry["category"]) == ("order-paid", "orders")
    assert (entry["body"], entry["link"], entry["read_at"]) == ("Thank you, Li Wei.", "", None)


def test_only_what_was_delivered_to_the_inbox_of_this_recipient_is_shown(shop: Gateway) -> None:
    factories.recipient("u-1002")
    shop.send(channels=["email"])
    shop.send(to={"recipient": "u-1002"})
    dispatch.run("normal")
    shop.send()
    assert shop.get(INBOX).json()["entries"] == []


@pytest.mark.parametrize(("number", "pages"), [(4, ["DC", "BA"]), (5, ["ED", "CB", "A"])])
def test_cursors_lead_through_all_pages(shop: Gateway, number: int, pages: list[str]) -> None:
    sent(shop, *"ABCDE"[:number])
    found = []
    page = shop.get(INBOX, limit=2).json()
    found.append(page)
    while page["next"]:
        page = shop.get(INBOX, limit=2, cursor=page["next"]).json()
        found.append(page)
    assert ["".join(titles(each)) for each in found] == pages


def test_what_was_read_can_be_left_out(shop: Gateway) -> None:
    sent(shop, "A", "B", "C")
    middle = shop.get(INBOX).json()["entries"][1]["id"]
    assert shop.post(f"{INBOX}/read", {"ids": [middle]}).json() == {"marked": 1, "unread": 2}
    assert titles(shop.get(INBOX, unread="true").json()) == ["C", "A"]
    assert [each["read_at"] is None for each in shop.get(INBOX).json()["entries"]] == [True, False, True]


def test_all_can_be_marked_as_read_and_count_once(shop: Gateway) -> None:
    sent(shop, "A", "B", "C")
    assert shop.post(f"{INBOX}/read", {}).json() == {"marked": 3, "unread": 0}
    assert shop.post(f"{INBOX}/read", {}).json() == {"marked": 0, "unread": 0}
    assert Interaction.objects.filter(kind="opened", source="inbox").count() == 3
    assert sum(Tally.objects.filter(measure="opened").values_list("amount", flat=True)) == 3


def test_ids_that_are_not_in_this_inbox_change_nothing(shop: Gateway) -> None:
    factories.recipient("u-1002")
    sent(shop, "A")
    [entry] = shop.get(INBOX).json()["entries"]
    other = "/api/v1/recipients/u-1002/inbox/read"
    assert shop.post(other, {"ids": [entry["id"], str(uuid4())]}).json() == {"marked": 0, "unread": 0}
    assert shop.get(INBOX).json()["unread"] == 1


def test_what_is_put_away_is_shown_and_counted_no_more(shop: Gateway) -> None:
    factories.recipient("u-1002")
    sent(shop, "A", "B", "C")
    middle = shop.get(INBOX).json()["entries"][1]["id"]
    other = "/api/v1/recipients/u-1002/inbox/archive"
    assert shop.post(other, {"ids": [middle]}).json() == {"archived": 0, "unread": 0}
    body = {"ids": [middle, middle, str(uuid4())]}
    assert shop.post(f"{INBOX}/archive", body).json() == {"archived": 1, "unread": 2}
    assert shop.post(f"{INBOX}/archive", body).json() == {"archived": 0, "unread": 2}
    assert titles(shop.get(INBOX).json()) == ["C", "A"]
    assert shop.get(f"{INBOX}/unread").json() == {"unread": 2}
    assert faults(shop.post(f"{INBOX}/archive", {})) == [("/ids", "required")]
    assert faults(shop.post(f"{INBOX}/archive", {"ids": ["x"]})) == [("/ids/0", "invalid")]


def test_a_test_has_an_inbox_of_its_own(shop: Gateway) -> None:
    tester = Gateway(factories.key(is_test=True)[1])
    sent(shop, "real")
    sent(tester, "test")
    assert titles(shop.get(INBOX).json()) == ["real"]
    assert titles(tester.get(INBOX).json()) == ["test"]
    assert tester.post(f"{INBOX}/read", {}).json() == {"marked": 1, "unread": 0}
    assert shop.get(INBOX).json()["unread"] == 1


@pytest.mark.parametrize(
    ("given", "title"), [({}, "已付款"), ({"locale": "zh-CN"}, "已付款"), ({"locale": "fr"}, "Paid")]
)
def test_an_entry_is_in_the_recipients_language(shop: Gateway, given: dict[str, str], title: str) -> None:
    template = Template.objects.create(
        code="paid", name="paid", channels=["inbox"], category=factories.category()
    )
    version = TemplateVersion.objects.create(template=template, number=1)
    for locale, text in (("", "Paid"), ("zh-hans", "已付款")):
        content = {"title": text, "body": "{{ recipient.locale }}"}
        Variant.objects.create(version=version, channel="inbox", locale=locale, content=content)
    TemplateVersion.objects.update(state=VersionState.PUBLISHED)
    shop.send(template="paid", to={"recipient": "u-1001", **given}, params={})
    dispatch.run("normal")
    [entry] = shop.get(INBOX).json()["entries"]
    assert (entry["title"], entry["body"]) == (title, given.get("locale", "zh-hans"))


@pytest.mark.parametrize("person", ["u-1", "%00", "%ff", "u-1001%20", "x" * 500])
def test_an_unknown_recipient_is_not_found(shop: Gateway, person: str) -> None:
    problem(shop.get(f"/api/v1/recipients/{person}/inbox"), 404, "not_found")
    problem(shop.post(f"/api/v1/recipients/{person}/inbox/read", {}), 404, "not_found")


QUERIES = {
    "cursor no id": ("cursor=7", ("/cursor", "invalid")),
    "cursor empty": ("cursor=", ("/cursor", "invalid")),
    "cursor null character": ("cursor=%00", ("/cursor", "invalid")),
    "limit nought": ("limit=0", ("/limit", "min_value")),
    "limit too high": ("limit=201", ("/limit", "max_value")),
    "limit a word": ("limit=all", ("/limit", "invalid")),
    "limit endless": ("limit=" + "9" * 5000, ("/limit", "invalid")),
    "unread a word": ("unread=maybe", ("/unread", "invalid")),
    "unknown name": ("page=2", ("/page", "unknown_field")),
}


@pytest.mark.parametrize(("query", "expected"), QUERIES.values(), ids=QUERIES)
def test_a_bad_query_is_refused(shop: Gateway, query: str, expected: tuple[str, str]) -> None:
    assert faults(shop.get(f"{INBOX}?{query}")) == [expected]


BODIES: dict[str, tuple[Any, tuple[str, str]]] = {
    "ids a text": ({"ids": "all"}, ("/ids", "not_a_list")),
    "no ids": ({"ids": []}, ("/ids", "empty")),
    "one bad id": ({"ids": [str(uuid4()), "x"]}, ("/ids/1", "invalid")),
    "a negative id": ({"ids": [-1]}, ("/ids/0", "invalid")),
    "too many ids": ({"ids": [str(uuid4())] * 1001}, ("/ids", "max_length")),
    "unknown name": ({"id": str(uuid4())}, ("/id", "unknown_field")),
    "list": ([], ("", "invalid")),
}


@pytest.mark.parametrize(("body", "expected"), BODIES.values(), ids=BODIES)
def test_a_bad_list_of_ids_is_refused(shop: Gateway, body: Any, expected: tuple[str, str]) -> None:
    assert faults(shop.post(f"{INBOX}/read", body)) == [expected]
