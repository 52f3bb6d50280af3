"""A package of a third party brings a channel and its provider: installed, and walked from console to receipt.

Nothing of Push Center is edited for it, and no table changes.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module, invalidate_caches
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from channels_app import registry
from channels_app.certification.run import certify
from channels_app.models import Account
from pushcenter.messaging import dispatch
from pushcenter.messaging.models import Delivery
from templates_app.models import Template, TemplateVersion
from tests import factories
from tests.access.gateway import Gateway
from tests.channels.provider import Answer, Provider, serving
from tests.channels.test_registry import fresh_registry

__all__ = ["fresh_registry"]
SOURCE = Path(__file__).parent.parent / "plugin"
SCHEMA = '{"type": "object", "properties": {"degrees": {"type": "integer"}}}'


@pytest.fixture(scope="module")
def site_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built and installed as anybody would install it, into a folder of its own."""
    source, target = tmp_path_factory.mktemp("source") / "pager", tmp_path_factory.mktemp("site-packages")
    shutil.copytree(SOURCE, source)
    uv = str(Path(sys.executable).with_name("uv"))
    options = ["--offline", "--no-deps", "--no-cache", "--python", sys.executable, "--target", str(target)]
    subprocess.run([uv, "pip", "install", *options, str(source)], check=True, capture_output=True)
    return target


@pytest.fixture
def installed(site_packages: Path, monkeypatch: pytest.MonkeyPatch, fresh_registry: None) -> Iterator[None]:
    monkeypatch.syspath_prepend(site_packages)
    invalidate_caches()
    yield
    sys.modules.pop("pushcenter_pager", None)


@pytest.fixture
def provider() -> Iterator[tuple[str, Provider]]:
    with serving({"/pages": Answer(body={"page": "p-7"})}) as running:
        yield running


@pytest.mark.usefixtures("installed")
def test_it_is_certified_by_the_same_rules() -> None:
    (findings,) = certify({"pager": registry.adapter("pager")}).values()
    assert len(findings) == 19
    assert [each.rule for each in findings if not each.holds] == []


@pytest.mark.django_db
@pytest.mark.usefixtures("installed")
def test_it_needs_no_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
@pytest.mark.usefixtures("installed")
def test_from_the_console_to_the_receipt(provider: tuple[str, Provider], admin_client: Client) -> None:
    base_url, asked = provider
    account = an_account(admin_client, base_url)
    a_published_template(admin_client)
    gateway = Gateway(factories.key()[1])

    refused = send(gateway, "12")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["code"] == "invalid_pager_number"
    assert send(gateway, "555-0142").status_code == 202
    assert dispatch.run("normal") == 1

    page = asked.requests[-1].json
    assert (page["to"], page["beeps"]) == ("5550142", "3")
    assert page["line"] == "The server room is at 31 degrees, and r…"
    assert Delivery.objects.get().state == "sent"

    assert report(account, "shown", secret="guessed").status_code == 401
    assert report(account, "shown", secret="pager-secret").status_code == 200
    assert Delivery.objects.get().state == "delivered"


def an_account(console: Client, base_url: str) -> Account:
    """Chosen among the providers, and filled in."""
    add = reverse("admin:channels_app_account_add")
    assert "?channel=pager&amp;adapter=pager" in console.get(add).content.decode()
    data = {"name": "Pagers", "priority": "10", "weight": "1", "is_active": "on"}
    data |= {"config-secret": "pager-secret", "config-base_url": base_url}
    answer = console.post(f"{add}?channel=pager&adapter=pager", data)
    assert answer.status_code == 302
    return Account.objects.get()


def a_published_template(console: Client) -> None:
    """Its variant is written in the fields of the new channel."""
    template = {
        "code": "too-warm",
        "name": "Too warm",
        "category": str(factories.category().pk),
        "priority": "normal",
        "route_mode": "first",
        "channels": ["pager"],
        "doubt_policy": "resend",
        "kind": "message",
    }
    assert console.post(reverse("admin:templates_app_template_add"), template).status_code == 302
    version = TemplateVersion.objects.get(template=Template.objects.get())
    draft = {
        "note": "",
        "variables": SCHEMA,
        "samples": '[{"name": "Warm", "params": {"degrees": 31}}]',
        "seen_revision": "1",
        "variants-TOTAL_FORMS": "1",
        "variants-INITIAL_FORMS": "0",
        "variants-0-version": str(version.pk),
        "variants-0-channel": "pager",
        "variants-0-locale": "",
        "variants-0-content-pager-line": "The server room is at {{ degrees }} degrees, and rising",
        "variants-0-content-pager-beeps": "3",
    }
    change = reverse("admin:templates_app_templateversion_change", args=[version.pk])
    assert console.post(change, draft).status_code == 302
    publish = reverse("admin:templates_app_templateversion_publish", args=[version.pk])
    console.post(publish, {"_form_submitted": "True", "seen": "on"})
    version.refresh_from_db()
    assert version.state == "published"


def send(gateway: Gateway, number: str) -> Any:
    return gateway.send(template="too-warm", to={"pager_number": number}, params={"degrees": 31})


def report(account: Account, state: str, *, secret: str) -> Any:
    """The pager company's call."""
    pager = import_module("pushcenter_pager")
    body = json.dumps({"page": "p-7", "state": state}).encode()
    return Client().post(
        f"/callbacks/{account.pk}/{account.callback_token}",
        body,
        content_type="application/json",
        headers={pager.SIGNATURE: pager.sign(secret, body)},
    )
