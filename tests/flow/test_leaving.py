"""``/u/{token}``: people leave a category from a message, and come back, without an account, a cookie or a script."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import Settings

from channels_app.models import Account
from pushcenter.messaging import content, dispatch, erasure, leaving
from pushcenter.messaging.models import Delivery, Event, Message
from pushcenter.messaging.trace import timeline
from pushcenter.recipients.models import Category, Preference, Suppression
from tests import factories
from tests.flow.world import MailSink, mail_sink

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_ledger_balances")]
BASE = "https://push.example.com"
INLINE = {"email": "ann@example.org"}
MAIL = {"subject": "News", "text": "Leave: {{ unsubscribe_url }}", "html": ""}
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
LEAVE, COME_BACK = {"do": "leave", "where": "here"}, {"do": "come_back"}
EVERYWHERE = {**LEAVE, "where": "everywhere"}


@pytest.fixture(autouse=True)
def news(settings: Settings) -> None:
    """A template in a category that people may leave, one in another such category, and one that nobody can leave."""
    settings.BASE_URL = BASE
    categories = {code: factories.category(code) for code in ("news", "hints")}
    categories["safety"] = factories.category("safety", is_mandatory=True)
    for code, category in categories.items():
        factories.template(
            code, ["inbox", "email"], category=category, content={"email": MAIL, "inbox": {"title": "x"}}
        )
    factories.accounts("inbox", "email")


def browser() -> Client:
    return Client(enforce_csrf_checks=True)


def sent(code: str = "news", **fields: Any) -> Delivery:
    """The delivery of a mail that has gone out."""
    message = factories.message(code, channels=["email"], **fields)
    dispatch.run("normal")
    return message.deliveries.get(channel="email")


def path(delivery: Delivery) -> str:
    return f"/u/{leaving.token_of(str(delivery.pk))}"


def post(delivery: Delivery, form: dict[str, str] = ONE_CLICK, **fields: Any) -> Any:
    answer = browser().post(path(delivery), form, **fields)
    assert answer.status_code == 200
    assert not answer.cookies
    return answer


def states(code: str = "news", **fields: Any) -> dict[str, str]:
    """How the deliveries of a further message are, before anybody sends them."""
    message = factories.message(code, **fields)
    return {
        channel: f"{state} {why}".strip()
        for channel, state, why in message.deliveries.values_list("channel", "state", "code")
    }


def kinds() -> list[str]:
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


@pytest.fixture
def sink() -> Iterator[MailSink]:
    with mail_sink() as found:
        yield found


def test_a_mail_carries_its_way_out_and_one_click_stops_the_next(sink: MailSink) -> None:
    factories.recipient(locale="en")
    Account.objects.filter(channel="email").delete()
    config = {"host": "127.0.0.1", "port": sink.port, "security": "none", "from_address": "shop@example.com"}
    factories.account("email", "smtp", config=config)
    delivery = sent()
    [mail] = sink.mails
    link = f"{BASE}{path(delivery)}"
    assert mail["List-Unsubscribe"] == f"<{link}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail.get_content().strip() == f"Leave: {link}"

    assert b"Unsubscribed" in browser().post(link.removeprefix(BASE), ONE_CLICK).content
    assert states() == {"email": "skipped opted_out", "inbox": "pending"}
    assert states("hints") == {"email": "pending", "inbox": "pending"}
    dispatch.run("normal")
    assert len(sink.mails) == 2
    assert sink.mails[1]["List-Unsubscribe"] != mail["List-Unsubscribe"]


def test_what_nobody_can_leave_carries_no_way_out(sink: MailSink) -> None:
    Account.objects.filter(channel="email").delete()
    config = {"host": "127.0.0.1", "port": sink.port, "security": "none", "from_address": "shop@example.com"}
    factories.account("email", "smtp", config=config)
    delivery = sent("safety", to=INLINE)
    [mail] = sink.mails
    assert (mail["List-Unsubscribe"], mail.get_content().strip()) == (None, "Leave:")
    for form in (ONE_CLICK, EVERYWHERE):
        answer = browser().post(path(delivery), form)
        assert answer.status_code == (409 if form is ONE_CLICK else 200)
    assert "cannot be left" in browser().get(path(delivery)).content.decode()
    assert (Suppression.objects.count(), kinds()) == (0, [])


def test_an_address_of_nobody_known_is_left_alone_in_this_category(db: None) -> None:
    delivery = sent(to=INLINE)
    post(delivery)
    assert Suppression.objects.values_list("kind", "value", "channel", "category", "reason").get() == (
        *("email", "ann@example.org", "email", "news"),
        "opted_out",
    )
    assert states(to=INLINE)["email"] == "skipped opted_out"
    assert states("hints", to=INLINE)["email"] == "pending"
    assert states("safety", to=INLINE)["email"] == "pending"
    assert states(to={"email": "bob@example.org"})["email"] == "pending"
    decision = next(each for each in Message.objects.order_by("-id")[3].plan if each["channel"] == "email")
    assert (decision["reason"], decision["detail"]) == ("opted_out", "left news")
    # What is known of the address holds for whoever has it.
    factories.recipient("u-9", INLINE)
    assert states(to={"recipient": "u-9"}) == {"email": "skipped opted_out", "inbox": "pending"}


def test_over_any_channel(db: None) -> None:
    factories.recipient(locale="en")
    post(sent(), EVERYWHERE)
    assert states() == {"email": "skipped opted_out", "inbox": "skipped opted_out"}
    assert Preference.objects.get().channel == ""
    delivery = sent(to=INLINE)
    post(delivery, EVERYWHERE)
    assert Suppression.objects.get().channel == ""
    assert states(to=INLINE)["email"] == "skipped opted_out"


@pytest.mark.parametrize("to", [{"recipient": "u-1001"}, INLINE], ids=["known", "inline"])
@pytest.mark.parametrize("form", [LEAVE, EVERYWHERE, ONE_CLICK], ids=["here", "everywhere", "one click"])
def test_again_changes_nothing_and_undo_takes_it_back(to: dict[str, str], form: dict[str, str]) -> None:
    factories.recipient(locale="en")
    delivery = sent(to=to)
    for _ in range(3):
        post(delivery, form)
    assert (Preference.objects.count() + Suppression.objects.count(), kinds()) == (1, ["left"])
    assert "You have unsubscribed" in browser().get(path(delivery)).content.decode()
    for _ in range(2):
        assert "again" in post(delivery, COME_BACK).content.decode()
    assert states(to=to)["email"] == "pending"
    assert kinds() == ["left", "came_back"]
    post(delivery, form)
    assert states(to=to)["email"] == "skipped opted_out"


def test_what_was_left_here_can_be_left_everywhere(db: None) -> None:
    factories.recipient(locale="en")
    delivery = sent()
    post(delivery)
    post(delivery, EVERYWHERE)
    assert states()["inbox"] == "skipped opted_out"
    post(delivery, COME_BACK)
    assert states() == {"email": "pending", "inbox": "pending"}


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_at_it_changes_nothing(method: str) -> None:
    factories.recipient(locale="en")
    delivery = sent()
    for address in (path(delivery), f"{path(delivery)}?List-Unsubscribe=One-Click&do=leave"):
        answer = getattr(browser(), method)(address)
        assert answer.status_code == 200
    assert (Preference.objects.count(), kinds()) == (0, [])
    assert answer["Cache-Control"].startswith("max-age=0")
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert not answer.cookies


@pytest.mark.parametrize(
    "fields",
    [
        {"data": b"List-Unsubscribe=One-Click", "content_type": "application/x-www-form-urlencoded"},
        {"data": ONE_CLICK},  # multipart, as the test client writes it
    ],
    ids=["urlencoded", "multipart"],
)
def test_a_mail_programs_button_works_in_both_forms(fields: dict[str, Any]) -> None:
    factories.recipient(locale="en")
    assert browser().post(path(sent()), **fields).status_code == 200
    assert Preference.objects.get().channel == "email"


@pytest.mark.parametrize(
    "body", [b"", b"List-Unsubscribe=", b"List-Unsubscribe=One-Click-Not", b"\xff=%00&do"]
)
def test_another_body_changes_nothing(body: bytes) -> None:
    factories.recipient(locale="en")
    delivery = sent()
    answer = browser().post(path(delivery), body, content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, Preference.objects.count()) == (200, 0)


def test_the_page_says_what_one_is_about_to_leave(db: None) -> None:
    Category.objects.filter(code="news").update(name="News & <b>more</b>", description="Once a month")
    page = browser().get(path(sent(to=INLINE))).content.decode()
    text = said(page)
    assert "News & <b>more</b>" in text
    assert {"Once a month", "Shop", "a•••@example.org", "Email", "Everywhere"} <= set(text)
    assert "ann@example.org" not in page
    assert 'lang="en"' in page
    assert "<script" not in page


class Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data.strip())


def said(page: str) -> list[str]:
    reader = Texts()
    reader.feed(page)
    return reader.found


def test_the_page_speaks_the_language_of_the_message_and_else_the_browsers(db: None) -> None:
    for locale, accepted, language in (
        ("zh-cn", "en", "zh-hans"),
        ("zh-hans", "", "zh-hans"),
        ("en-gb", "zh-hans", "en"),
        ("tlh", "zh-hans", "zh-hans"),
        ("", "zh-hans", "zh-hans"),
        ("", "", "en"),
    ):
        delivery = sent(to={**INLINE, **({"locale": locale} if locale else {})})
        answer = browser().get(path(delivery), headers={"Accept-Language": accepted})
        assert f'lang="{language}"' in answer.content.decode(), (locale, accepted)
        assert answer["Content-Language"] == language
        assert ("Unsubscribe" in answer.content.decode()) is (language == "en")


def forged(token: str) -> list[str]:
    first, last = ("B" if token[end] == "A" else "A" for end in (0, -1))
    return [
        *(first + token[1:], token[:-1] + last, token[:-1], token + "A", token.swapcase()),
        *("A" * 40, "x", "é" * 40, "." * 40),
    ]


def test_a_link_that_nobody_was_given_is_not_found_and_costs_no_query(
    django_assert_num_queries: Any,
) -> None:
    token = leaving.token_of(str(sent(to=INLINE).pk))
    with django_assert_num_queries(0):
        for each in forged(token):
            for answer in (browser().get(f"/u/{each}"), browser().post(f"/u/{each}", ONE_CLICK)):
                assert answer.status_code == 404
                assert "This link does not work" in answer.content.decode()
    assert not Suppression.objects.exists()


def test_a_link_is_good_for_its_own_delivery_and_under_earlier_keys(settings: Settings) -> None:
    delivery = sent(to=INLINE)
    address = path(delivery)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    assert browser().get(address).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert browser().get(address).status_code == 404
    assert browser().get(f"/u/{leaving.token_of(str(uuid4()))}").status_code == 410


@pytest.mark.parametrize("gone", ["person", "category"])
def test_what_is_no_longer_kept_is_gone(gone: str) -> None:
    person = factories.recipient(locale="en")
    delivery = sent()
    if gone == "person":
        erasure.erase([person.pk], by="olga")
    else:
        Category.objects.filter(code="news").update(code="old-news")
    for answer in (browser().get(path(delivery)), browser().post(path(delivery), ONE_CLICK)):
        assert answer.status_code == 410
        assert "no longer needed" in answer.content.decode()


def test_another_method_is_not_answered(db: None) -> None:
    assert browser().put(path(sent(to=INLINE))).status_code == 405


def test_what_waits_for_the_person_is_ended_and_nothing_else(db: None) -> None:
    factories.recipient(locale="en")
    delivery = sent()
    later: dict[str, Any] = {"send_at": factories.in_an_hour()}
    waiting = factories.message("news", **later)
    others = [
        factories.message("hints", **later),
        factories.message("safety", **later),
        factories.message("news", to=INLINE, **later),
    ]
    post(delivery)
    assert dict(waiting.deliveries.values_list("channel", "state")) == {
        "email": "cancelled",
        "inbox": "pending",
    }
    row = waiting.deliveries.get(channel="email")
    assert (row.code, row.reason) == ("opted_out", "left news")
    for other in others:
        assert set(other.deliveries.values_list("state", flat=True)) <= {"pending", "skipped"}
    assert factories.figures()["email", "cancelled"] == 1


def test_the_trace_tells_of_it(db: None) -> None:
    factories.recipient(locale="en")
    delivery = sent()
    post(delivery)
    post(delivery, COME_BACK)
    lines = {entry.kind: entry for entry in timeline(delivery.message)}
    assert lines["left"].title == "The person left this category"
    assert lines["left"].data == {"category": "news", "channel": "email", "by": "one-click"}
    assert (lines["left"].channel, lines["came_back"].data["by"]) == ("email", "page")


def test_the_link_of_a_test_shows_the_page_and_changes_nothing(db: None) -> None:
    factories.recipient(locale="en")
    delivery = sent(caller=factories.caller(is_test=True))
    assert "was a test" in browser().get(path(delivery)).content.decode()
    for form in (ONE_CLICK, LEAVE, COME_BACK):
        post(delivery, form)
    assert (Preference.objects.count(), kinds()) == (0, [])


def test_what_is_shown_later_has_the_same_link(db: None) -> None:
    delivery = sent(to=INLINE)
    assert content.seen(delivery)["text"] == f"Leave: {BASE}{path(delivery)}"
