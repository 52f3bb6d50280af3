"""Which adapters there are, and the rules that hold for every one of them."""

import re
from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest
from django import forms
from django.utils.functional import Promise

from channels_app import registry
from channels_app.channels import BUILT_IN
from channels_app.contract import Adapter, Capabilities, Channel, SecretField, Sent

ALL = sorted(registry.adapters().items())
SECRET_NAMES = re.compile(r"password|secret|token|private|credential|api_key", re.IGNORECASE)


@pytest.fixture
def fresh_registry() -> Iterator[None]:
    _forget()
    yield
    _forget()


def _forget() -> None:
    for cached in (registry.adapters, registry.channels, registry.address_kinds):
        cached.cache_clear()


def test_the_built_in_adapters_are_found() -> None:
    assert {"http", "inbox", "simulated", "smtp"} <= set(registry.adapters())


def test_an_unknown_adapter_is_an_error_of_its_own() -> None:
    with pytest.raises(registry.UnknownAdapter):
        registry.adapter("carrier-pigeon")


def test_the_built_in_channels_come_first_in_their_order() -> None:
    names = [channel.name for channel in BUILT_IN]
    assert list(registry.channels())[: len(names)] == names


def test_a_kind_of_address_has_one_stored_form_whatever_its_channel() -> None:
    kinds = registry.address_kinds()
    assert "recipient" not in kinds
    for channel in registry.channels().values():
        if not channel.needs_recipient:
            assert kinds[channel.address_kind].normalise is channel.normalise


@pytest.mark.parametrize(("name", "adapter"), ALL)
def test_an_adapter_has_a_name_and_a_label(name: str, adapter: type[Adapter]) -> None:
    assert adapter.name == name
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,59}", name)
    assert isinstance(adapter.label, Promise)
    assert str(adapter.label)


@pytest.mark.parametrize(("name", "adapter"), ALL)
def test_an_adapter_serves_a_known_channel_or_any(name: str, adapter: type[Adapter]) -> None:
    assert adapter.channel is None or registry.channels()[adapter.channel.name] is adapter.channel, name


@pytest.mark.parametrize(("name", "adapter"), ALL)
def test_its_settings_have_translated_labels(name: str, adapter: type[Adapter]) -> None:
    assert issubclass(adapter.Config, forms.Form)
    for field_name, field in adapter.Config.base_fields.items():
        assert isinstance(field.label, Promise), f"{name}.{field_name}"
        assert not field.help_text or isinstance(field.help_text, Promise), f"{name}.{field_name}"


@pytest.mark.parametrize(("name", "adapter"), ALL)
def test_its_credentials_are_secret_fields(name: str, adapter: type[Adapter]) -> None:
    for field_name, field in adapter.Config.base_fields.items():
        if SECRET_NAMES.search(field_name):
            assert isinstance(field, SecretField), f"{name}.{field_name}"


@pytest.mark.parametrize(("name", "adapter"), ALL)
def test_one_call_ends_before_a_lease_does(name: str, adapter: type[Adapter]) -> None:
    assert isinstance(adapter.capabilities, Capabilities)
    assert 0 < adapter.capabilities.timeout < 90, name
    assert adapter.capabilities.batch_size >= 1, name


OPTIONAL = ("check", "lookup", "recall")


@pytest.mark.parametrize(("name", "adapter"), ALL)
def test_it_promises_what_it_has_and_no_more(name: str, adapter: type[Adapter]) -> None:
    for method in OPTIONAL:
        has = getattr(adapter, method) is not getattr(Adapter, method)
        assert getattr(adapter.capabilities, method) is has, f"{name}.{method}"
    polls = adapter.poll is not Adapter.poll
    assert bool(adapter.capabilities.poll_after) is polls, name
    assert list(adapter.capabilities.poll_after) == sorted(adapter.capabilities.poll_after), name


@pytest.mark.parametrize(("name", "adapter"), ALL)
def test_whoever_calls_a_provider_brings_a_specimen(name: str, adapter: type[Adapter]) -> None:
    calls_nobody_over_http = {"inbox", "simulated", "smtp"}
    assert (adapter.specimen is not None) is (name not in calls_nobody_over_http)


class PostcardContent(forms.Form):
    text = forms.CharField()


POSTCARD = Channel(
    name="postcard", label="Postcard", address_kind="street", content=PostcardContent, normalise=str.strip
)


class PostcardAdapter(Adapter):
    name = "postcard"
    label = "Postcard"
    channel = POSTCARD

    async def send(self, message: object) -> Sent:
        return Sent()


@pytest.mark.usefixtures("fresh_registry")
def test_a_plug_in_brings_its_adapter_and_its_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint(name="postcard", value="unused", group=registry.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda _entry: PostcardAdapter)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry] if group == registry.GROUP else [])
    assert registry.adapter("postcard") is PostcardAdapter
    assert registry.channels()["postcard"] is POSTCARD
    assert registry.address_kinds()["street"] is POSTCARD
