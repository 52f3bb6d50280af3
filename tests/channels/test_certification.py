"""Every adapter of the registry against a hostile provider; and certification itself against a careless adapter."""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from django import forms
from django.conf import settings
from django.core.management import CommandError, call_command

from channels_app import registry
from channels_app.certification import matrix
from channels_app.certification.rules import Finding
from channels_app.certification.run import certify
from channels_app.channels import SMS
from channels_app.contract import (
    Adapter,
    BaseURLField,
    Callback,
    Capabilities,
    HttpReply,
    Outcome,
    Outgoing,
    Receipt,
    Sent,
    Specimen,
)

PAGE = Path(settings.BASE_DIR) / "docs" / "channels.md"
CALLING = [name for name, kind in registry.adapters().items() if kind.specimen]
Found = Mapping[str, Sequence[Finding]]


@pytest.fixture(scope="module")
def found() -> Found:
    """All at once, which takes as long as the slowest."""
    return certify(registry.adapters())


@pytest.mark.parametrize("name", CALLING)
def test_an_adapter_holds_to_every_rule(name: str, found: Found) -> None:
    broken = [f"{each.rule}: {each.said}" for each in found[name] if each.holds is False]
    assert broken == []


def test_the_page_of_all_channels_is_what_certification_finds(found: Found) -> None:
    built_in = {name: found[name] for name in matrix.built_in()}
    hint = "run: manage.py certify --matrix > docs/channels.md"
    assert PAGE.read_text() == matrix.page(built_in), hint


def certificate(*names: str, **options: Any) -> str:
    out = io.StringIO()
    call_command("certify", *names, stdout=out, **options)
    return out.getvalue()


def test_the_command_prints_a_line_for_each_rule() -> None:
    lines = certificate("http").splitlines()
    assert lines[0] == "http"
    assert "  All well                            sent                  holds" in lines


def test_an_adapter_that_calls_nobody_has_nothing_to_certify() -> None:
    assert "brings no specimen" in certificate("inbox")


@pytest.mark.parametrize("names", [(), ("carrier_pigeon",)])
def test_a_name_that_is_none_is_answered_with_those_that_are(names: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="smtp"):
        certificate(*names)


def careless_receipt(config: Mapping[str, Any], provider_id: str) -> Callback:
    return Callback(headers={"x-signature": "s"}, query={}, body=provider_id.encode(), url="")


class CarelessAdapter(Adapter):
    """Takes every answer for a success, follows redirects, lets network errors out, and believes everybody."""

    name = "careless"
    label = "Careless"
    channel = SMS
    capabilities = Capabilities(receipts=True)
    specimen = Specimen(
        config={},
        address="+8613800138000",
        content={"text": "Paid."},
        answers={"/send": {"ok": True}},
        refusal={"ok": False},
        receipt=careless_receipt,
    )

    class Config(forms.Form):
        base_url = BaseURLField("https://api.careless.example")

    async def send(self, message: Outgoing) -> Sent:
        async with aiohttp.ClientSession() as session, session.post(f"{self.base_url}/send") as response:
            await response.content.read(1)
        return Sent(provider_id="1")

    def receipts(self, callback: Callback) -> Iterable[Receipt]:
        yield Receipt(provider_id=callback.body.decode("latin-1"), outcome=Outcome.DELIVERED)

    def reply(self, callback: Callback) -> HttpReply:
        return HttpReply(body=callback.query["challenge"].encode())


def test_a_careless_adapter_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "adapters", lambda: {"careless": CarelessAdapter})
    with pytest.raises(CommandError, match="Not certified: careless"):
        certificate("careless")
    (findings,) = certify({"careless": CarelessAdapter}).values()
    broken = {each.rule for each in findings if each.holds is False}
    assert broken == {
        "429, Retry-After in seconds",
        "429, Retry-After as a date",
        "500",
        "502 in HTML",
        "503",
        "Revoked credentials (401)",
        "Redirect",
        "HTML where JSON is due",
        "Endless answer",
        "200 that says no",
        "No connection",
        "Forged receipt",
        "Garbage for a receipt",
        "URL of a private network",
    }


def test_a_rule_that_an_adapter_cannot_hold_is_conceded_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = [each.rule for each in certify({"careless": CarelessAdapter})["careless"]]
    specimen = CarelessAdapter.specimen
    assert specimen is not None
    conceded = replace(specimen, concessions=dict.fromkeys(rules, "it does not care"))
    monkeypatch.setattr(CarelessAdapter, "specimen", conceded)
    monkeypatch.setattr(registry, "adapters", lambda: {"careless": CarelessAdapter})
    lines = certificate("careless").splitlines()
    assert "  500                                 sent                  it does not care" in lines
    assert "  All well                            sent                  holds" in lines


def test_a_specimen_that_its_own_form_refuses_is_said() -> None:
    class Unfit(CarelessAdapter):
        class Config(forms.Form):
            sender = forms.CharField()

    with pytest.raises(ValueError, match="sender"):
        certify({"unfit": Unfit})
