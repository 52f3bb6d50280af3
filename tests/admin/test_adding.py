"""A new variant that begins with another one's text, for browsers without scripts, and what is carried over."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from templates_app.adding import begun_with
from templates_app.models import TemplateVersion, Variant
from tests import factories
from tests.admin.test_versions import form

MAIL = {"subject": "Paid", "text": "Thank you.", "html": "<p>Thank you.</p>"}


@pytest.fixture
def draft(db: None) -> TemplateVersion:
    return factories.template(channels=["sms"], published=False).versions.get()


def add(client: Client, version: TemplateVersion, channel: str, locale: str, copy: str = "") -> str:
    """Press the button of the menu; the page that comes then."""
    place = reverse("admin:templates_app_templateversion_change", args=[version.pk])
    asked = {"_addvariant": "1", "_add_channel": channel, "_add_locale": locale, "_add_copy": copy}
    return client.post(place, form(version, **asked), follow=True).content.decode()


@pytest.mark.parametrize(
    ("source", "target", "content", "expected"),
    [
        ("email", "email", MAIL, MAIL),
        ("email", "push", MAIL, {"title": "Paid", "body": "Thank you."}),
        ("push", "wecom", {"title": "Hi", "body": "There", "sound": "x"}, {"title": "Hi", "text": "There"}),
        ("email", "webhook", MAIL, {}),
        ("of-a-plug-in", "sms", {"words": "Hi"}, {}),
    ],
)
def test_what_is_carried_over(
    source: str, target: str, content: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert begun_with(content, source=source, target=target) == expected


def test_a_variant_is_added_with_the_text_of_another(draft: TemplateVersion, admin_client: Client) -> None:
    page = add(admin_client, draft, "sms", "zh_Hans", "variants-0")
    assert draft.variants.get(locale="zh-hans").content == factories.CONTENT["sms"]
    assert 'name="variants-1-content-sms-text"' in page
    draft.refresh_from_db()
    assert draft.revision == 2


def test_an_empty_one_is_added_and_filled_in_later(draft: TemplateVersion, admin_client: Client) -> None:
    add(admin_client, draft, "push", "")
    assert draft.variants.get(channel="push").content == {}


@pytest.mark.parametrize(
    ("channel", "locale", "said"),
    [
        ("sms", "", "There is such a variant already."),
        ("no-such", "", "There is no such channel or language."),
        ("sms", "no language", "There is no such channel or language."),
    ],
)
def test_what_cannot_be_added_is_said(
    channel: str, locale: str, said: str, draft: TemplateVersion, admin_client: Client
) -> None:
    assert said in add(admin_client, draft, channel, locale)
    assert Variant.objects.count() == 1


def test_channels_of_the_route_that_are_missing_are_offered(
    draft: TemplateVersion, admin_client: Client
) -> None:
    draft.template.channels = ["sms", "wecom"]
    draft.template.save()
    place = reverse("admin:templates_app_templateversion_change", args=[draft.pk])
    page = admin_client.get(place).content.decode()
    assert 'data-missing="[[&quot;wecom&quot;, &quot;WeCom&quot;]]"' in page


def test_the_page_of_a_layout_offers_its_two_forms(admin_client: Client) -> None:
    template = factories.template("brand", channels=["sms"], published=False, kind="layout")
    version = template.versions.get()
    version.variants.all().delete()
    place = reverse("admin:templates_app_templateversion_change", args=[version.pk])
    page = admin_client.get(place).content.decode()
    assert 'data-blank="html"' in page
    assert 'data-blank="sms"' not in page
    add(admin_client, version, "html", "")
    assert version.variants.get().channel == "html"
