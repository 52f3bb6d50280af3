"""Two versions side by side: their text, how they look, and what is asked of callers."""

import pytest
from django.test import Client
from django.urls import reverse

from templates_app import publishing
from templates_app.models import Template, TemplateVersion
from tests import factories
from tests.admin.conftest import AsRole
from tests.admin.test_life import url

SAMPLES = [
    {"name": "Short", "params": {"order_no": "SO-1"}},
    {"name": "Long", "params": {"order_no": "SO-77777"}},
]


@pytest.fixture
def template(db: None) -> Template:
    found: Template = factories.template(channels=["sms", "email"])
    return found


@pytest.fixture
def draft(template: Template) -> TemplateVersion:
    version = publishing.new_draft(template=template, by=None, source=template.published)
    version.samples = SAMPLES
    version.save()
    sms = version.variants.get(channel="sms")
    sms.content = {"text": "Parcel {{ order_no }} is paid."}
    sms.save()
    return version


def compare(client: Client, version: TemplateVersion, query: str = "") -> str:
    return client.get(url(version, "compare") + query).content.decode()


def test_the_text_and_the_pictures_are_side_by_side(draft: TemplateVersion, as_role: AsRole) -> None:
    page = compare(as_role("Approvers"), draft)
    assert "<del>Order</del> {{ order_no }} is paid." in page
    assert "<ins>Parcel</ins> {{ order_no }} is paid." in page
    assert "Order SO-1 is paid." in page
    assert "Parcel SO-1 is paid." in page
    assert "The same in both:" in page


def test_the_sample_is_chosen(draft: TemplateVersion, as_role: AsRole) -> None:
    page = compare(as_role("Approvers"), draft, "?sample=Long")
    assert "Order SO-77777 is paid." in page
    assert "Parcel SO-77777 is paid." in page


def test_any_two_are_compared_the_earlier_one_on_the_left(draft: TemplateVersion, as_role: AsRole) -> None:
    first = draft.template.published
    assert first is not None
    third = publishing.new_draft(template=draft.template, by=None, source=draft)
    third.variants.filter(channel="email").delete()
    client = as_role("Approvers")
    page = compare(client, first, f"?with={third.pk}")
    assert "<del>Order</del>" in page
    assert "gone" in page
    assert "version 1 and version 3" in page
    assert "version 2 and version 3" in compare(client, third, "?with=before")
    assert "version 1 and version 3" in compare(client, third, "?with=no-such-id")


def test_an_only_version_has_nothing_beside_it(template: Template, as_role: AsRole) -> None:
    assert template.published is not None
    answer = as_role("Approvers").get(url(template.published, "compare"))
    assert answer.headers["Location"] == url(template.published)


def test_the_route_that_changed_meanwhile_is_named(draft: TemplateVersion, as_role: AsRole) -> None:
    template = draft.template
    data = {
        "code": template.code, "name": template.name, "category": str(template.category_id), "priority": "normal",
        "route_mode": "first", "channels": ["email", "sms"], "doubt_policy": "resend", "kind": "message",
        "is_tracked": "on", "versions-TOTAL_FORMS": "0", "versions-INITIAL_FORMS": "0",
    }  # fmt: skip
    assert as_role("Template editors").post(url(template), data).status_code == 302
    page = compare(as_role("Approvers"), draft)
    assert "Channels: sms + email → email → sms" in page


def test_a_reviewer_sees_all_of_it_on_one_page(draft: TemplateVersion, as_role: AsRole) -> None:
    draft.variables = {**draft.variables, "required": ["order_no", "shop_no"]}
    draft.save()
    page = as_role("Approvers").get(url(draft, "review_it")).content.decode()
    for expected in (
        "“shop_no” becomes required",
        "<ins>Parcel</ins>",
        "Who sends this template",
        url(draft, "publish"),
    ):
        assert expected in page


def test_four_eyes_are_on_the_page_of_the_reviewer(draft: TemplateVersion, as_role: AsRole) -> None:
    draft.template.category.needs_approval = True
    draft.template.category.save()
    page = as_role("Approvers").get(url(draft, "review_it")).content.decode()
    assert "send it to review first" in page


def test_what_is_published_needs_no_review(template: Template, as_role: AsRole) -> None:
    assert template.published is not None
    assert as_role("Approvers").get(url(template.published, "review_it")).status_code == 302


def test_a_stranger_sees_nothing(draft: TemplateVersion, as_role: AsRole) -> None:
    assert as_role().get(url(draft, "compare")).status_code == 403
    assert as_role().get(
        reverse("admin:templates_app_template_history", args=[draft.template_id])
    ).status_code in {
        403,
        404,
    }
