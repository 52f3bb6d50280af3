"""Layouts and snippets have pages of their own, with the templates that use them."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from pushcenter.recipients.models import Category
from templates_app import canary, part_use, publishing
from templates_app.models import Part, Template, TemplateKind, TemplateVersion, Variant, VersionState
from tests import factories
from tests.admin.conftest import AsRole

PRESSED = {"_form_submitted": "True"}


def url(row: Part | Template | TemplateVersion, page: str = "change") -> str:
    return reverse(f"admin:templates_app_{row._meta.model_name}_{page}", args=[row.pk])


def snippet(code: str = "signature") -> Part:
    part = Part.objects.create(code=code, name=code, kind=TemplateKind.SNIPPET, category=factories.category())
    say(part, "Yours")
    return part


def say(part: Template, words: str) -> TemplateVersion:
    """Another published version of the part."""
    version = publishing.new_draft(template=part, by=None)
    Variant.objects.create(version=version, channel="text", content={"source": words})
    return publishing.publish(version=version, by=None)


def template(code: str, **fields: Any) -> Template:
    """Published with the snippet in it."""
    content = {"sms": {"text": 'Order {{ order_no }} is paid. {% include "signature" %}'}}
    row: Template = factories.template(code, channels=["sms"], content=content, published=False, **fields)
    publishing.publish(version=row.versions.get(), by=None)
    return row


def press(client: Client, part: Part) -> str:
    return client.post(url(part, "renew"), PRESSED, follow=True).content.decode()


@pytest.mark.django_db
def test_parts_have_a_list_and_a_form_with_what_applies_to_them(as_role: AsRole) -> None:
    part, order = snippet(), template("order-paid")
    editor = as_role("Template editors")
    listed = editor.get(reverse("admin:templates_app_part_changelist")).content.decode()
    assert "signature" in listed
    assert "order-paid" not in listed
    assert "1 template" in listed
    assert "signature" not in editor.get(reverse("admin:templates_app_template_changelist")).content.decode()
    form = editor.get(url(part)).content.decode()
    for field in ("priority", "route_mode", "time_to_live", "doubt_policy", "is_tracked", "kind"):
        assert f'name="{field}"' not in form
    assert 'name="kind"' not in editor.get(reverse("admin:templates_app_template_add")).content.decode()
    assert url(order) in form, "used by"


@pytest.mark.django_db
def test_a_layout_is_made_and_leads_to_its_first_version(as_role: AsRole) -> None:
    data = {"kind": "layout", "code": "brand", "name": "Brand", "category": str(factories.category().pk)}
    answer = as_role("Template editors").post(reverse("admin:templates_app_part_add"), data)
    part = Part.objects.get()
    assert part.kind == TemplateKind.LAYOUT
    assert answer.headers["Location"] == url(part.versions.get())
    refused = as_role("Template editors").post(
        reverse("admin:templates_app_part_add"), {**data, "code": "other", "kind": "message"}
    )
    assert refused.status_code == 200


@pytest.mark.django_db
def test_rights_are_those_of_templates(as_role: AsRole) -> None:
    part = snippet()
    assert as_role().get(url(part)).status_code == 403
    assert as_role("Analysts").get(url(part)).status_code == 200
    assert as_role("Approvers").post(url(part), {"name": "Mine"}).status_code == 403
    assert as_role("Template editors").post(url(part, "renew"), PRESSED).status_code == 403


@pytest.mark.django_db
def test_each_is_found_under_its_own_address(as_role: AsRole) -> None:
    part, order = snippet(), template("order-paid")
    client = as_role("Template editors")
    wrong = reverse("admin:templates_app_template_change", args=[part.pk])
    assert client.get(wrong).headers["Location"] == url(part)
    wrong = reverse("admin:templates_app_part_change", args=[order.pk])
    assert client.get(wrong).headers["Location"] == url(order)
    assert (
        client.get(url(part.versions.get(), "history")).headers["Location"].startswith(url(part, "history"))
    )
    assert "Version 1 published." in client.get(url(part, "history")).content.decode()


@pytest.mark.django_db
def test_templates_are_published_anew_with_a_new_version(as_role: AsRole) -> None:
    part, order = snippet(), template("order-paid")
    old = order.published
    say(part, "Best wishes")
    (use,) = part_use.uses(part)
    assert (use.version, use.number, use.is_present) == (old, 1, False)
    approver = as_role("Approvers")
    assert "order-paid, which has v1" in approver.get(url(part, "renew")).content.decode()
    assert "Published anew: order-paid." in press(approver, part)
    assert order.published is not None
    assert order.published.number == 2
    assert order.published.note == "With signature v2"
    assert [each.is_present for each in part_use.uses(part)] == [True]
    assert "No template has an older version of it." in press(approver, part)


@pytest.mark.django_db
def test_each_failure_is_named_and_stops_no_other(as_role: AsRole) -> None:
    part = snippet()
    strict = Category.objects.create(code="strict", name="Strict")
    good, watched, running, broken = (
        template("good"), template("watched", category=strict), template("running"), template("broken"),
    )  # fmt: skip
    strict.needs_approval = True
    strict.save()
    canary.start(
        version=publishing.new_draft(template=running, by=None, source=running.published), by=None, percent=5
    )
    Template.objects.filter(pk=broken.pk).update(channels=["sms", "email"])
    say(part, "Best wishes")
    page = press(as_role("Approvers"), part)
    assert "Published anew: good." in page
    assert "waits in review: somebody else has to publish it." in page
    assert watched.versions.get(number=2).state == VersionState.IN_REVIEW
    assert "running: A canary is under way" in page
    assert "broken: " in page
    assert broken.versions.count() == 1, "nothing is left of what failed"
    assert good.versions.get(number=2).state == VersionState.PUBLISHED


@pytest.mark.django_db
def test_who_reviews_a_part_sees_which_templates_use_it(as_role: AsRole) -> None:
    part, order = snippet(), template("order-paid")
    draft = publishing.new_draft(template=part, by=None, source=part.published)
    approver = as_role("Approvers")
    page = approver.get(url(draft, "review_it")).content.decode()
    assert "Used by" in page
    assert reverse("admin:templates_app_template_change", args=[order.pk]) in page
    assert "Templates that use it keep the version" in approver.get(url(draft, "publish")).content.decode()


# --- The list of templates --------------------------------------------------------------------------------------------


def found(client: Client, query: str) -> set[str]:
    rows = client.get(reverse("admin:templates_app_template_changelist") + query).context["cl"].result_list
    return {row.code for row in rows}


@pytest.mark.django_db
def test_templates_are_found_by_folder_work_and_words(as_role: AsRole) -> None:
    order = factories.template("order-paid", channels=["sms"], folder="shop/orders")
    factories.template(
        "sale", channels=["sms"], folder="shop", content={"sms": {"text": "只限今天 half price"}}
    )
    draft = publishing.new_draft(template=order, by=None, source=order.published)
    fresh = factories.template("fresh", channels=["sms"], published=False)
    client = as_role("Template editors")
    assert found(client, "?folder=shop") == {"order-paid", "sale"}
    assert found(client, "?folder=shop/orders") == {"order-paid"}
    assert found(client, "?work=draft") == {"order-paid", "fresh"}
    assert found(client, "?work=nothing") == {"sale"}
    assert found(client, "?work=never") == {"fresh"}
    assert found(client, "?q=今天 half") == {"sale"}
    assert found(client, "?q=order-paid") == {"order-paid"}
    assert found(client, "?q=nowhere") == set()
    page = client.get(reverse("admin:templates_app_template_changelist")).content.decode()
    assert url(draft) in page
    assert url(fresh.versions.get()) in page
