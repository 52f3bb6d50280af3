"""Accounts: the provider's own form, and secrets that go in and never come out."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from channels_app.models import Account, AccountDay, AccountEvent, AccountHealth, AccountLoad
from tests import factories
from tests.admin.conftest import AsRole, Sent

SECRET = "a-very-secret-password"
SMTP = {
    "name": "Relay",
    "priority": "10",
    "weight": "1",
    "is_active": "on",
    "config-host": "mail.example.com",
    "config-port": "587",
    "config-security": "starttls",
    "config-username": "shop",
    "config-password": SECRET,
    "config-from_address": "Shop <shop@example.com>",
    "config-reply_to": "",
    "config-timeout_s": "10",
    "config-connections": "4",
}
ADD = "admin:channels_app_account_add"


def add(client: Client, **changes: str) -> Any:
    return client.post(reverse(ADD) + "?channel=email&adapter=smtp", {**SMTP, **changes})


def change_url(account: Account) -> str:
    return reverse("admin:channels_app_account_change", args=[account.pk])


@pytest.fixture
def relay(admin_client: Client) -> Account:
    assert add(admin_client).status_code == 302
    return Account.objects.get()


def test_adding_begins_with_the_choice_of_a_provider(admin_client: Client) -> None:
    page = admin_client.get(reverse(ADD)).content.decode()
    assert "?channel=email&amp;adapter=smtp" in page
    assert "?channel=sms&amp;adapter=smtp" not in page


def test_the_adapters_form_is_stored_with_its_secret_encrypted(relay: Account) -> None:
    assert (relay.channel, relay.adapter) == ("email", "smtp")
    assert relay.config["host"] == "mail.example.com"
    assert relay.config["port"] == 587
    assert "password" not in relay.config
    assert SECRET not in relay.secrets
    assert relay.secret_values() == {"password": SECRET}


def test_the_secret_is_in_no_page(relay: Account, admin_client: Client) -> None:
    wrong = admin_client.post(change_url(relay), {**SMTP, "config-port": "none"})
    assert wrong.status_code == 200
    for page in (
        wrong,
        admin_client.get(change_url(relay)),
        admin_client.get(reverse("admin:channels_app_account_changelist")),
    ):
        assert SECRET not in page.content.decode()
        assert relay.secrets not in page.content.decode()


def test_a_blank_secret_keeps_the_stored_one(relay: Account, admin_client: Client) -> None:
    answer = admin_client.post(
        change_url(relay), {**SMTP, "config-password": "", "config-host": "new.example.com"}
    )
    assert answer.status_code == 302
    relay.refresh_from_db()
    assert relay.config["host"] == "new.example.com"
    assert relay.secret_values() == {"password": SECRET}


def test_an_optional_secret_can_be_removed(relay: Account, admin_client: Client) -> None:
    data = {**SMTP, "config-password": "", "config-forget-password": "on"}
    assert admin_client.post(change_url(relay), data).status_code == 302
    relay.refresh_from_db()
    assert relay.secret_values() == {}


def test_what_the_adapter_refuses_stands_at_its_field(admin_client: Client) -> None:
    answer = add(admin_client, **{"config-port": "70000", "config-from_address": "nobody"})
    assert answer.status_code == 200
    errors = answer.context["adminform"].form.errors
    assert set(errors) == {"config-port", "config-from_address"}
    assert all(len(messages) == 1 for messages in errors.values())
    assert not Account.objects.exists()


def test_secrets_of_a_lost_key_are_asked_for_again(
    relay: Account, admin_client: Client, settings: Settings
) -> None:
    settings.FIELD_KEYS = [Fernet.generate_key().decode()]
    assert "cannot be read" in admin_client.get(change_url(relay)).content.decode()
    assert admin_client.post(change_url(relay), {**SMTP, "config-password": "another-one"}).status_code == 302
    relay.refresh_from_db()
    assert relay.secret_values() == {"password": "another-one"}


def test_an_account_whose_adapter_is_gone_still_opens(relay: Account, admin_client: Client) -> None:
    Account.objects.update(adapter="vanished")
    assert "is not installed" in admin_client.get(change_url(relay)).content.decode()
    data = {"name": "Old relay", "priority": "10", "weight": "1"}
    assert admin_client.post(change_url(relay), data).status_code == 302
    relay.refresh_from_db()
    assert (relay.name, relay.is_active, relay.config["host"]) == ("Old relay", False, "mail.example.com")


def test_the_callback_url_is_shown_where_receipts_come(admin_client: Client, relay: Account) -> None:
    inbox = factories.account("inbox", "inbox")
    assert relay.callback_token in admin_client.get(change_url(relay)).content.decode()
    assert inbox.callback_token not in admin_client.get(change_url(inbox)).content.decode()


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("", []),
        ("198.51.100.0/24, 2001:db8::/32", ["198.51.100.0/24", "2001:db8::/32"]),
        ("198.51.100.7/24", None),
        ("everywhere", None),
    ],
)
def test_the_networks_of_the_provider_are_networks(
    written: str, stored: list[str] | None, admin_client: Client, relay: Account
) -> None:
    answer = admin_client.post(change_url(relay), {**SMTP, "callback_networks": written})
    relay.refresh_from_db()
    assert answer.status_code == (200 if stored is None else 302)
    assert relay.callback_networks == (stored or [])
    assert ("is not an IP network" in answer.content.decode()) is (stored is None)


def test_an_account_is_paused_and_resumed(as_role: AsRole) -> None:
    account = factories.account("sms")
    client = as_role("Operators")
    client.post(
        reverse("admin:channels_app_account_pause", args=[account.pk]),
        {"_form_submitted": "True", "reason": "too many bounces"},
    )
    account.refresh_from_db()
    assert account.is_paused
    assert account.pause_reason.startswith("by user-")
    data = {"action": "resume_selected", "_selected_action": [str(account.pk)]}
    client.post(reverse("admin:channels_app_account_changelist"), data)
    account.refresh_from_db()
    assert not account.is_paused
    lines = [(each.kind, each.detail) for each in AccountEvent.objects.order_by("id")]
    assert [kind for kind, _ in lines] == ["paused", "resumed"]
    assert "too many bounces" in lines[0][1]
    assert lines[1][1].startswith("by user-")
    assert "too many bounces" in client.get(change_url(account)).content.decode()


def test_a_channel_and_an_adapter_that_do_not_fit_lead_back_to_the_choice(admin_client: Client) -> None:
    answer = admin_client.post(reverse(ADD) + "?channel=sms&adapter=smtp", SMTP)
    assert "which provider" in answer.content.decode()
    assert not Account.objects.exists()


def test_an_account_that_brought_receipts_is_not_deleted(sent: Sent, admin_client: Client) -> None:
    url = reverse("admin:channels_app_account_delete", args=[sent.delivery.account_id])
    assert admin_client.get(url).status_code == 200
    assert admin_client.post(url, {"post": "yes"}).status_code == 403
    assert Account.objects.exclude(adapter="inbox").exists()


def ailing(account: Account, **fields: Any) -> AccountHealth:
    given = {"code": "503", "detail": "down", "failed_at": timezone.now(), **fields}
    return AccountHealth.objects.create(account=account, **given)


def in_an_hour() -> datetime:
    return timezone.now() + timedelta(hours=1)


STATES: dict[str, tuple[dict[str, Any], str, bool]] = {
    "well": ({}, "serving", False),
    "open": ({"switch": "open", "until": in_an_hour()}, "breaker open until", True),
    "probed": ({"switch": "half_open", "until": in_an_hour()}, "being tried out", True),
    "slowed": ({"slowed_until": in_an_hour()}, "slowed until", True),
    "was slowed": ({"slowed_until": timezone.now()}, "serving", False),
}


@pytest.mark.parametrize(("fields", "told", "helps"), STATES.values(), ids=STATES)
def test_list_and_page_tell_how_an_account_is_doing(
    fields: dict[str, Any], told: str, helps: bool, admin_client: Client
) -> None:
    account = factories.account("sms", daily_quota=5000)
    ailing(account, **fields)
    AccountDay.objects.create(
        account=account, day=timezone.localdate(), quota=5000, asked=0, back=0, used=1200, granted=0
    )
    AccountLoad.objects.create(account=account, process="a", calls=3, until=in_an_hour())
    AccountLoad.objects.create(account=account, process="gone", calls=9, until=timezone.now())
    listed = admin_client.get(reverse("admin:channels_app_account_changelist")).content.decode()
    page = admin_client.get(change_url(account)).content.decode()
    for each in (listed, page):
        assert told in each
        assert "1,200\u00a0of\u00a05,000" in each
    assert (">503<" in listed) is helps
    assert "503: down" in page
    assert (reverse("admin:channels_app_account_release", args=[account.pk]) in page) is helps


def test_an_operator_lets_calls_through_again(as_role: AsRole) -> None:
    account = factories.account("sms")
    ailing(account, switch="open", until=in_an_hour(), slowed_until=in_an_hour())
    client = as_role("Operators")
    client.post(reverse("admin:channels_app_account_release", args=[account.pk]), {"_form_submitted": "True"})
    row = AccountHealth.objects.get()
    assert (row.is_open, row.slowed_until) == (False, None)
    assert AccountEvent.objects.get().detail.startswith("by user-")
    assert "breaker closed by hand" in client.get(change_url(account)).content.decode()


def test_limits_are_stored_and_empty_means_what_the_provider_documents(admin_client: Client) -> None:
    assert add(admin_client, rate_per_second="0.5", daily_quota="2000").status_code == 302
    account = Account.objects.get()
    assert (account.rate_per_second, account.daily_quota, account.max_in_flight) == (0.5, 2000, None)
    assert add(admin_client, rate_per_second="0").status_code == 200
    robot = admin_client.get(reverse(ADD) + "?channel=wecom&adapter=wecom_robot").content.decode()
    assert "Empty is what the provider documents: 20." in robot


def test_a_price_has_a_currency(admin_client: Client) -> None:
    assert "in which currency" in add(admin_client, price="0.045").content.decode()
    assert "ISO 4217" in add(admin_client, price="0.045", currency="yuan"[:3]).content.decode()
    assert not Account.objects.exists()
    assert add(admin_client, price="0.045", currency="CNY").status_code == 302
    account = Account.objects.get()
    assert (account.price, account.currency) == (Decimal("0.04500"), "CNY")
