"""The pages of the console in Chinese: none of our own words is left in English."""

import re
from functools import cache

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, reverse

from templates_app import drafts
from templates_app.models import TemplateKind, TemplateVersion
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


#: The route of a page of one row.
ROW = re.compile(r"<path:object_id>/[^<]+")
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
    assert answer.status_code in {200, 403, 404, 405}, address
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


def further_pages(page: ModelAdmin) -> list[str]:
    """The names of all further pages and dialogs of one row; those that delete it or are for scripts left out."""
    routes = {str(each.pattern): each.name for each in page.get_urls() if isinstance(each, URLPattern)}
    names = [name for route, name in routes.items() if ROW.fullmatch(route) and name]
    return [each for each in names if not each.endswith(("_delete", "_change", "_live"))]


def test_the_dialogs_and_further_pages_are_in_chinese(everything: None, chinese: Client) -> None:  # noqa: F811
    with transaction.atomic():
        source = TemplateVersion.objects.get(template__kind=TemplateKind.MESSAGE)
        drafts.new_draft(template=source.template, by=None, source=source)
    left: dict[str, set[str]] = {}
    for model, page in admin.site._registry.items():
        if model is Group:  # its pages have the stored name as their title
            continue
        for row in model._default_manager.all()[:2]:
            for name in further_pages(page):
                if found := left_over(chinese, reverse(f"admin:{name}", args=[row.pk])):
                    left[name] = found
    assert left == {}


def test_the_other_pages_are_in_chinese(everything: None, chinese: Client) -> None:  # noqa: F811
    found = {name: left_over(chinese, reverse(f"admin:{name}")) for name in OTHERS}
    assert {name: words for name, words in found.items() if words} == {}


def test_rights_are_named_in_chinese(chinese: Client) -> None:
    page = chinese.get(reverse("admin:auth_group_add")).content.decode()
    assert "模板 | 可修改：模板版本" in page
    assert "模板 | 可发布模板版本" in page
    assert "Can " not in page
