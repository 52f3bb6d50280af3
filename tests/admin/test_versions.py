"""Versions in the console: written in the channel's own fields, published by those who may."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from templates_app.models import Template, TemplateVersion, Variant, VersionState
from tests import factories
from tests.admin.conftest import AsRole

SCHEMA = '{"type": "object", "properties": {"order_no": {"type": "string"}}}'
PRESSED = {"_form_submitted": "True", "seen": "on"}


@pytest.fixture
def draft(db: None) -> TemplateVersion:
    template: Template = factories.template(channels=["sms"], published=False)
    return template.versions.get()


def url(version: TemplateVersion, step: str = "change") -> str:
    return reverse(f"admin:templates_app_templateversion_{step}", args=[version.pk])


def form(version: TemplateVersion, *new: dict[str, str], **fields: str) -> dict[str, Any]:
    """The page as a browser would send it, with further variants."""
    data = {
        "note": "",
        "variables": SCHEMA,
        "samples": "[]",
        "seen_revision": str(version.revision),
    }
    stored = list(version.variants.all())
    for number, each in enumerate(stored):
        data |= {f"variants-{number}-id": str(each.pk), f"variants-{number}-version": str(version.pk)}
        data |= {f"variants-{number}-locale": each.locale, f"variants-{number}-channel": each.channel}
        data |= {
            f"variants-{number}-content-{each.channel}-{name}": text for name, text in each.content.items()
        }
    for number, values in enumerate(new, start=len(stored)):
        data |= {f"variants-{number}-version": str(version.pk)}
        data |= {f"variants-{number}-{name}": value for name, value in values.items()}
    data |= {"variants-TOTAL_FORMS": str(len(stored) + len(new)), "variants-INITIAL_FORMS": str(len(stored))}
    return {**data, **fields}


def test_a_variant_is_written_in_the_fields_of_its_channel(
    draft: TemplateVersion, admin_client: Client
) -> None:
    page = admin_client.get(url(draft)).content.decode()
    assert 'name="variants-0-content-sms-text"' in page
    assert 'name="variants-0-content-email-subject"' not in page
    new = {
        "channel": "email",
        "locale": "zh_CN",
        "content-email-subject": "你好",
        "content-email-text": "{{ order_no }}",
    }
    changed = form(draft, new, **{"variants-0-content-sms-text": "Changed {{ order_no }}"})
    assert admin_client.post(url(draft), changed).status_code == 302
    written = {each.channel: each for each in Variant.objects.all()}
    assert written["sms"].content == {"text": "Changed {{ order_no }}"}
    assert written["email"].locale == "zh-cn"
    assert written["email"].content == {"subject": "你好", "text": "{{ order_no }}"}


def test_a_missing_field_is_said_at_its_place_and_nothing_typed_is_lost(
    draft: TemplateVersion, admin_client: Client
) -> None:
    new = {"channel": "push", "locale": "", "content-push-title": "A title that stays"}
    answer = admin_client.post(url(draft), form(draft, new))
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "A title that stays" in page
    assert '<p class="pc-error">This field is required.</p>' in page
    assert Variant.objects.count() == 1


def test_two_variants_of_one_channel_and_locale_are_refused(
    draft: TemplateVersion, admin_client: Client
) -> None:
    new = {"channel": "sms", "locale": "", "content-sms-text": "Twice"}
    answer = admin_client.post(url(draft), form(draft, new))
    assert answer.status_code == 200
    assert Variant.objects.count() == 1


@pytest.mark.parametrize("schema", ["{", "[]", '{"type": "objekt"}', '{"type": "array"}'])
def test_variables_that_are_no_schema_stay_in_the_form(
    schema: str, draft: TemplateVersion, admin_client: Client
) -> None:
    answer = admin_client.post(url(draft), form(draft, variables=schema))
    assert answer.status_code == 200
    assert "variables" in answer.context["adminform"].form.errors


@pytest.mark.parametrize(
    "value",
    [
        '"\\u0000"',
        '"\\\\\\u0000"',
        '"\\ud800"',
        "1e999",
        "NaN",
        "9" * 5000,
        "[" * 60 + "]" * 60,
        "[" * 900 + "]" * 900,
        "[" * 90_000,
    ],
)
def test_json_that_cannot_be_stored_stays_in_the_form(
    value: str, draft: TemplateVersion, admin_client: Client
) -> None:
    for field, text in {
        "samples": f'[{{"name": "a", "params": {{"x": {value}}}}}]',
        "variables": f'{{"type": "object", "default": {value}}}',
    }.items():
        page = admin_client.post(url(draft), form(draft, **{field: text}))
        assert page.status_code == 200
        assert "Enter a valid JSON" in page.content.decode()


def test_a_backslash_before_the_sign_of_null_is_one(draft: TemplateVersion, admin_client: Client) -> None:
    samples = r'[{"name": "a", "params": {"x": "\\u0000"}}]'
    assert admin_client.post(url(draft), form(draft, samples=samples)).status_code == 302
    draft.refresh_from_db()
    assert draft.samples[0]["params"] == {"x": r"\u0000"}


@pytest.mark.parametrize("name", ["variants-TOTAL_FORMS", "_overwrite", "seen_revision"])
def test_a_number_without_end_is_no_failure(name: str, draft: TemplateVersion, admin_client: Client) -> None:
    fields = form(draft, **{"seen_revision": "0", name: "9" * 5000})
    assert admin_client.post(url(draft), fields).status_code == 200


def test_an_editor_sends_to_review_but_cannot_publish(draft: TemplateVersion, as_role: AsRole) -> None:
    editor = as_role("Template editors")
    assert editor.post(url(draft, "publish"), PRESSED).status_code == 403
    editor.post(url(draft, "submit"), PRESSED)
    draft.refresh_from_db()
    assert draft.state == VersionState.IN_REVIEW


def test_an_approver_publishes_but_cannot_write(draft: TemplateVersion, as_role: AsRole) -> None:
    approver = as_role("Approvers")
    assert approver.post(url(draft), form(draft)).status_code == 403
    approver.get(url(draft, "publish"))
    draft.refresh_from_db()
    assert draft.state == VersionState.DRAFT, "looking at the question publishes nothing"
    approver.post(url(draft, "publish"), PRESSED)
    draft.refresh_from_db()
    assert draft.state == VersionState.PUBLISHED
    assert draft.approver is not None


def test_what_stands_in_the_way_is_said(draft: TemplateVersion, as_role: AsRole) -> None:
    Variant.objects.all().delete()
    approver = as_role("Approvers")
    answer = approver.post(url(draft, "publish"), PRESSED, follow=True)
    assert "SMS: There is no variant for this channel." in answer.content.decode()


def test_a_save_says_what_lint_makes_of_it(draft: TemplateVersion, as_role: AsRole) -> None:
    editor, field = as_role("Template editors"), "variants-0-content-sms-text"
    page = editor.post(url(draft), form(draft, **{field: "{{ a }} {{ b }}"}), follow=True).content.decode()
    assert "2 errors stop it from being published, 1 warning" in page
    assert url(draft, "preview_it") in page
    draft.refresh_from_db()
    factories.account("sms")
    page = editor.post(
        url(draft), form(draft, **{field: "Order {{ order_no }}"}), follow=True
    ).content.decode()
    assert "from being published" not in page


def test_a_change_during_review_makes_it_a_draft_again(draft: TemplateVersion, as_role: AsRole) -> None:
    editor = as_role("Template editors")
    editor.post(url(draft, "submit"), PRESSED)
    changed = form(draft, **{"variants-0-content-sms-text": "Other words"})
    assert editor.post(url(draft), changed).status_code == 302
    draft.refresh_from_db()
    assert draft.state == VersionState.DRAFT


def test_a_published_version_is_only_shown(admin_client: Client) -> None:
    version = factories.template(channels=["sms"]).versions.get()
    page = admin_client.get(url(version)).content.decode()
    assert "Order {{ order_no }} is paid." in page
    assert "<textarea" not in page
    assert admin_client.post(url(version), form(version)).status_code == 403
    assert admin_client.post(url(version, "delete"), {"post": "yes"}).status_code == 403
    template = reverse("admin:templates_app_template_delete", args=[version.template_id])
    assert admin_client.post(template, {"post": "yes"}).status_code == 403


def test_a_new_draft_from_a_published_version(as_role: AsRole) -> None:
    version = factories.template(channels=["sms"]).versions.get()
    as_role("Template editors").post(url(version, "draft_from_it"), PRESSED)
    assert TemplateVersion.objects.get(number=2).variants.get().content == version.variants.get().content


def test_a_new_template_leads_to_its_first_draft(as_role: AsRole) -> None:
    category = factories.category()
    data = {
        "code": "welcome",
        "name": "Welcome",
        "category": str(category.pk),
        "priority": "normal",
        "route_mode": "first",
        "channels": ["sms", "", "email", "sms"],
        "doubt_policy": "resend",
        "kind": "message",
    }
    answer = as_role("Template editors").post(reverse("admin:templates_app_template_add"), data)
    template = Template.objects.get()
    assert template.channels == ["sms", "email"]
    assert answer.headers["Location"] == url(template.versions.get())


def test_the_preview_is_made_with_the_sample(draft: TemplateVersion, admin_client: Client) -> None:
    TemplateVersion.objects.update(samples=[{"name": "One", "params": {"order_no": "SO-42"}}])
    assert "Order SO-42 is paid." in admin_client.get(url(draft, "preview_it")).content.decode()


def test_the_preview_is_made_with_any_sample(draft: TemplateVersion, admin_client: Client) -> None:
    samples = [{"name": name, "params": {"order_no": name}} for name in ("SO-1", "SO-2")]
    TemplateVersion.objects.update(samples=samples)
    for place, shown in (
        ("1", "Order SO-2 is paid."),
        ("7", "Order SO-1 is paid."),
        ("x", "Order SO-1 is paid."),
    ):
        page = admin_client.get(url(draft, "preview_it"), {"with": place}).content.decode()
        assert shown in page
        assert '<a href="?with=1"' in page


def test_the_preview_of_a_broken_variant_says_where(draft: TemplateVersion, admin_client: Client) -> None:
    Variant.objects.update(content={"text": "Hello\n{{ order_no"})
    page = admin_client.get(url(draft, "preview_it")).content.decode()
    assert "text, line 2" in page
    assert "order_no is required" in page
