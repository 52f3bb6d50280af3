"""The pages of the console in Chinese: none of our own words is left in English."""

from functools import cache

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from tests.admin.conftest import Sent, sent  # noqa: F401  (a fixture)
from tests.admin.test_every_page_opens import MODELS, everything  # noqa: F401  (a fixture)
from tests.words.catalog import messages, stored
from tests.words.pages import Words


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
