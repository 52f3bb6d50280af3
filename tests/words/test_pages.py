"""The pages of the console in Chinese: none of our own words is left in English."""

from functools import cache
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from tests.admin.conftest import Sent, sent  # noqa: F401  (a fixture)
from tests.admin.test_every_page_opens import MODELS, everything  # noqa: F401  (a fixture)
from tests.words.catalog import messages, stored

#: What is written, is code, or is no text at all.
UNREAD = {"script", "style", "code", "pre", "textarea", "svg", "time"}
#: Named icons of the theme are text.
ICONS = ("material-symbols-outlined", "pc-icon")
#: Without an end of their own.
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
SEEN = ("title", "placeholder", "aria-label", "alt")


class Words(HTMLParser):
    """The texts of a page, and those of its attributes that people see."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: set[str] = set()
        self.open: list[tuple[str, bool]] = []
        self.code = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.texts |= {(values.get(name) or "").strip() for name in SEEN}
        classes = values.get("class") or ""
        # A choice that reads as its value is a code.
        self.code = (values.get("value") or "") if tag == "option" else ""
        hidden = tag in UNREAD or any(icon in classes for icon in ICONS)
        if tag not in VOID:
            self.open.append((tag, hidden))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not any(hidden for _tag, hidden in self.open):
            text = " ".join(data.split())
            self.texts |= {text} - {self.code}


@cache
def english() -> set[str]:
    """Our words that read differently in Chinese, as they could stand on a page; first letters may be large."""
    found, same = set(), set(NAMES)
    for each in messages(stored("django")):
        if (
            isinstance(each.id, str)
            and each.id != each.string
            and "%(" not in each.id
            and each.id[:1].isalpha()
        ):
            found |= {each.id, each.id[:1].upper() + each.id[1:]}
        same.add(str(each.string))
    return found - same


#: What data of the tests are called, and codes that are the same for callers.
NAMES = {
    "English",
    "email",
    "sms",
    "inbox",
    "push",
    "webhook",
    "Shop",
    "Orders",
    "orders",
    "simulated",
    "VIP",
    "low",
}


OTHERS = (
    "index",
    "reports",
    "ledger",
    "dead_letters",
    "messaging_alert_operator",
    "auth_user_changelist",
    "auth_user_add",
    "auth_group_changelist",
    "auth_group_add",
    "password_change",
)


def left_over(client: Client, address: str) -> set[str]:
    answer = client.get(address, follow=True)
    assert answer.status_code in {200, 403}, address
    words = Words()
    words.feed(answer.content.decode())
    return words.texts & english()


@pytest.fixture
def chinese(admin_client: Client) -> Client:
    admin_client.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    return admin_client


def test_every_table_and_every_row_is_in_chinese(everything: None, chinese: Client) -> None:  # noqa: F811
    left: dict[str, set[str]] = {}
    for model in MODELS:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        row = model.objects.first()  # type: ignore[attr-defined]
        for address in (reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[row.pk])):
            if found := left_over(chinese, address):
                left[address] = found
    assert left == {}


def test_the_other_pages_are_in_chinese(everything: None, chinese: Client) -> None:  # noqa: F811
    found = {name: left_over(chinese, reverse(f"admin:{name}")) for name in OTHERS}
    assert {name: words for name, words in found.items() if words} == {}
