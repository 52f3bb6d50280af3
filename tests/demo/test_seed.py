from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from jsonschema import Draft202012Validator
from pytest_django.fixtures import Settings

from channels_app import registry
from channels_app.models import Account
from pushcenter.access.models import System
from pushcenter.demo.data.people import PEOPLE
from pushcenter.demo.data.templates import TEMPLATES
from pushcenter.demo.seed import receiver_url, seed
from pushcenter.recipients.models import Address, Recipient
from templates_app.models import Template, Variant
from templates_app.render import choose_variant, compile_content, undeclared
from templates_app.variables import PROVIDED, faults

pytestmark = pytest.mark.django_db

LOCALES = ["", "en", "zh-hans", "zh-CN"]


def row_counts() -> dict[str, int]:
    ours = ("access", "recipients", "templates_app", "channels_app")
    return {
        model.__name__: model._default_manager.count()
        for label in ours
        for model in apps.get_app_config(label).get_models()
    }


@pytest.fixture(autouse=True)
def _data(settings: Settings, tmp_path: Any) -> None:
    settings.PUSHCENTER_DATA = tmp_path


def test_a_second_seeding_adds_nothing_and_undoes_no_change_of_people() -> None:
    call_command("seed_demo", verbosity=0)
    System.objects.filter(code="shop").update(name="Tea shop")
    Recipient.objects.filter(external_id="u-1001").update(locale="en")
    before = row_counts()
    call_command("seed_demo", verbosity=0)
    assert row_counts() == before
    assert System.objects.get(code="shop").name == "Tea shop"
    assert Recipient.objects.get(external_id="u-1001").locale == "en"


def test_the_receivers_follow_their_ports(settings: Settings) -> None:
    seed()
    settings.DEMO_HTTP_PORT, settings.DEMO_SMTP_PORT = 9001, 9002
    seed()
    urls = set(Address.objects.filter(kind="url").values_list("value", flat=True))
    assert urls == {receiver_url()} == {"http://127.0.0.1:9001/webhook"}
    assert Account.objects.get(adapter="smtp").config["port"] == 9002


def test_every_channel_of_a_seeded_route_has_an_account() -> None:
    seed()
    routed = {channel for template in Template.objects.all() for channel in template.channels}
    assert routed <= set(Account.objects.usable().values_list("channel", flat=True))


def test_every_address_is_written_as_its_channel_writes_it() -> None:
    seed()
    for address in Address.objects.all():
        assert registry.address_kinds()[address.kind].normalise(address.value) == address.value


def test_people_speak_chinese_and_english() -> None:
    assert {person.locale for person in PEOPLE} == {"en", "zh-hans"}


@pytest.mark.parametrize("code", [template.code for template in TEMPLATES])
def test_a_seeded_template_is_published_with_a_valid_schema_and_sample(code: str) -> None:
    seed()
    version = Template.objects.get(code=code).published
    assert version is not None
    Draft202012Validator.check_schema(version.variables)
    assert all("description" in rule for rule in version.variables["properties"].values())
    assert faults(version, version.sample) == []


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("code", [template.code for template in TEMPLATES])
def test_every_seeded_variant_is_a_valid_form_and_renders_its_sample(code: str, locale: str) -> None:
    seed()
    template = Template.objects.get(code=code)
    version = template.published
    assert version is not None
    person = {"id": "u-1001", "name": "<Li>", "locale": locale}
    for name in template.channels:
        variant = choose_variant(version.variants.all(), channel=name, locale=locale)
        assert variant is not None
        channel = registry.channels()[name]
        assert channel.content(data=variant.content).is_valid()
        rendered = compile_content(name, variant.content).render({**version.sample, "recipient": person})
        assert all(rendered.values())
        assert "<Li>" not in str(rendered.get("html", ""))


def test_templates_use_no_variable_that_they_do_not_declare() -> None:
    seed()
    for variant in Variant.objects.select_related("version"):
        known = {*variant.version.variables["properties"], *PROVIDED}
        for source in variant.content.values():
            assert undeclared(source) <= known
