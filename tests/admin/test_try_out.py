"""Trying an account out from the console: what the provider said is shown, its secrets are not."""

from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.test import Client
from django.urls import reverse

from channels_app import registry
from channels_app.channels import SMS
from channels_app.codes import with_token
from channels_app.contract import (
    Adapter,
    BaseURLField,
    Capabilities,
    Misconfigured,
    Outgoing,
    SecretField,
    Sent,
)
from channels_app.json_api import JsonApi, text_at
from channels_app.models import Account, AccountToken
from channels_app.tokens import Token
from pushcenter.messaging.models import Attempt, Message
from tests import factories
from tests.admin.conftest import AsRole
from tests.channels.provider import Answer, serving

pytestmark = pytest.mark.django_db
SECRET = "k-very-secret"
CODES = {"unauthorised": Misconfigured}


class HeronAdapter(Adapter):
    """A provider with a check."""

    name = "heron"
    label = "Heron"
    channel = SMS
    capabilities = Capabilities(check=True)
    api = JsonApi(verdict=lambda data: (text_at(data, "code"), text_at(data, "detail")), codes=CODES)

    class Config(forms.Form):
        api_key = SecretField()
        base_url = BaseURLField("https://api.heron.example")

    async def check(self) -> str:
        answer = await self.api.get(
            f"{self.base_url}/balance", query={"key": self.config["api_key"]}, guard=self.guard
        )
        return f"the balance is {text_at(answer.data, 'balance')}"

    async def send(self, message: Outgoing) -> Sent:
        return await self.send_with(self.config["api_key"], message)

    async def send_with(self, key: str, message: Outgoing) -> Sent:
        answer = await self.api.post(
            f"{self.base_url}/messages", {"key": key, "text": message.content["text"]}, guard=self.guard
        )
        return Sent(provider_id=text_at(answer.data, "id"))


class TokenAdapter(HeronAdapter):
    """The same with a token."""

    name = "token_heron"

    async def send(self, message: Outgoing) -> Sent:
        return await with_token(
            self.tokens, "access", self._fetch, lambda token: self.send_with(token, message)
        )

    async def _fetch(self) -> Token:
        answer = await self.api.get(
            f"{self.base_url}/token", query={"key": self.config["api_key"]}, guard=self.guard
        )
        return Token(value=text_at(answer.data, "access_token"), seconds=60)


SCRIPT = {
    "/token": Answer(body={"access_token": "t-very-secret"}),
    "/balance": Answer(body={"balance": 7}),
    "/messages": Answer(body={"id": "h-1", "echo": f"{SECRET} t-very-secret"}),
}


@pytest.fixture
def heron(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {**registry.adapters(), "heron": HeronAdapter, "token_heron": TokenAdapter}
    monkeypatch.setattr(registry, "adapters", lambda: known)


@pytest.fixture
def account(heron: None) -> Iterator[Account]:
    with serving(SCRIPT) as (base_url, _provider):
        yield factories.account("sms", "heron", config={"api_key": SECRET, "base_url": base_url})


def page(account: Account) -> str:
    return reverse("admin:channels_app_account_try_out", args=[account.pk])


def send(client: Client, account: Account, **fields: str) -> Any:
    data = {"do": "send", "address": "+86 138 0013 8000", "content-text": "Hello", **fields}
    return client.post(page(account), data)


def test_the_page_shows_the_content_form_of_the_channel(account: Account, admin_client: Client) -> None:
    shown = admin_client.get(page(account)).content.decode()
    assert 'name="content-text"' in shown
    assert 'value="check"' in shown


def test_a_test_message_shows_the_raw_answer_without_secrets(account: Account, admin_client: Client) -> None:
    response = send(admin_client, account)
    shown = response.content.decode()
    assert (response.context["result"].outcome, response.context["result"].provider_id) == ("sent", "h-1")
    assert "/messages" in shown
    assert "echo" in shown
    assert SECRET not in shown


def test_it_is_no_message(account: Account, admin_client: Client) -> None:
    send(admin_client, account)
    assert (Message.objects.count(), Attempt.objects.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_a_token_is_shared_with_the_workers_and_not_shown(heron: None, admin_client: Client) -> None:
    with serving(SCRIPT) as (base_url, _provider):
        account = factories.account("sms", "token_heron", config={"api_key": SECRET, "base_url": base_url})
        response = send(admin_client, account)
    assert response.context["result"].outcome == "sent"
    assert [each.call.split("/")[3].split("?")[0] for each in response.context["result"].said] == [
        "token",
        "messages",
    ]
    assert "t-very-secret" not in response.content.decode()
    assert AccountToken.objects.count() == 1


def test_the_check_says_what_the_credentials_open(account: Account, admin_client: Client) -> None:
    response = admin_client.post(page(account), {"do": "check"})
    assert response.context["result"].detail == "the balance is 7"


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        (
            Answer(status=401, body={"code": "unauthorised", "detail": SECRET}),
            "misconfigured",
            "unauthorised",
        ),
        (Answer(status=500, body=b"<html>down</html>"), "temporary", "500"),
        (Answer(status=429, body={}), "throttled", "429"),
        (Answer(status=400, body={"code": "new"}), "refused", "new"),
    ],
)
def test_a_no_is_named_with_its_code(
    heron: None, admin_client: Client, answer: Answer, outcome: str, code: str
) -> None:
    with serving({**SCRIPT, "/messages": answer}) as (base_url, _provider):
        account = factories.account("sms", "heron", config={"api_key": SECRET, "base_url": base_url})
        response = send(admin_client, account)
    result = response.context["result"]
    assert (result.outcome, result.code) == (outcome, code)
    assert SECRET not in response.content.decode()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"address": "12"}, "international form"),
        ({"address": ""}, "required"),
        ({"content-text": ""}, "Write a text"),
        ({"content-params": "{nonsense"}, "Expecting property name"),
    ],
)
def test_a_fault_in_the_form_is_shown_and_nothing_is_sent(
    account: Account, admin_client: Client, fields: dict[str, str], sentence: str
) -> None:
    response = send(admin_client, account, **fields)
    assert response.context["result"] is None
    assert sentence in response.content.decode()


def test_settings_that_cannot_be_used_are_said(account: Account, admin_client: Client) -> None:
    Account.objects.update(secrets="encrypted with a lost key")
    response = send(admin_client, account)
    assert response.context["result"].outcome == "misconfigured"


def test_who_may_not_change_accounts_may_not_try_them(account: Account, as_role: AsRole) -> None:
    assert as_role("Analysts").get(page(account)).status_code == 403


def test_a_private_base_url_is_watched_by_the_guard(heron: None, admin_client: Client, settings: Any) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    with serving(SCRIPT) as (base_url, provider):
        account = factories.account("sms", "heron", config={"api_key": SECRET, "base_url": base_url})
        response = send(admin_client, account)
    assert response.context["result"].code == "destination_denied"
    assert provider.requests == []


def test_only_the_providers_own_url_needs_no_guard() -> None:
    own = HeronAdapter({"api_key": "k", "base_url": "https://api.heron.example/"})
    assert (own.base_url, own.guard) == ("https://api.heron.example", False)
    assert HeronAdapter({"api_key": "k"}).guard is False
    assert HeronAdapter({"api_key": "k", "base_url": "https://api.heron.example.org"}).guard is True


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("", "https://api.heron.example"),
        ("https://eu.heron.example/v1/", "https://eu.heron.example/v1"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("heron", "https://heron"),
        ("ftp://heron.example", None),
        ("https://user@heron.example", None),
        ("https://heron.example/?a=1", None),
    ],
)
def test_a_base_url_is_absolute_and_plain(written: str, stored: str | None) -> None:
    form = HeronAdapter.Config({"api_key": "k", "base_url": written})
    assert form.is_valid() is (stored is not None), form.errors
    assert form.cleaned_data.get("base_url") == stored


def test_health_tells_of_attempts_and_calls(account: Account, admin_client: Client) -> None:
    from pushcenter.messaging import dispatch, loop
    from pushcenter.messaging.models import ReceiptCall

    factories.template(channels=["sms"])
    factories.message(to={"phone": "+8613800138000"})
    assert dispatch.run("normal") == 1
    loop.close()
    ReceiptCall.objects.create(account=account, body=b"", verdict="forged")
    shown = admin_client.get(reverse("admin:channels_app_account_change", args=[account.pk])).content.decode()
    assert "sent 1" in shown.lower()
    assert "not verified 1" in shown
