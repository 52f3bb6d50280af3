"""The life of a version in the console: each step is a button with a dialog, for those who may and where it fits."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from pushcenter.recipients.models import Category
from templates_app import canary, publishing, usage
from templates_app.models import Change, Template, TemplateVersion, VersionState
from templates_app.usage import Sender
from tests import factories
from tests.admin.conftest import AsRole

PRESSED = {"_form_submitted": "True", "seen": "on"}
BOTH = ("Template editors", "Approvers")


@pytest.fixture
def template(db: None) -> Template:
    found: Template = factories.template(channels=["sms"])
    return found


@pytest.fixture
def draft(template: Template) -> TemplateVersion:
    return publishing.new_draft(template=template, by=None, source=template.published)


def url(row: TemplateVersion | Template, step: str = "change") -> str:
    return reverse(f"admin:templates_app_{row._meta.model_name}_{step}", args=[row.pk])


def press(client: Client, row: TemplateVersion | Template, step: str, **fields: Any) -> str:
    """The page after the button; the row as it is then."""
    page = client.post(url(row, step), {**PRESSED, **fields}, follow=True).content.decode()
    row.refresh_from_db()
    return page


def buttons(client: Client, row: TemplateVersion | Template) -> set[str]:
    """The steps that the page of this row offers."""
    page = client.get(url(row)).content.decode()
    steps = ["submit", "take_back", "send_back", "publish", "schedule", "start_canary", "unschedule", "promote",
             "change_share", "withdraw_canary", "roll_back"]  # fmt: skip
    return {step for step in steps if url(row).replace("/change/", f"/{step}/") in page}


# --- Which buttons there are ------------------------------------------------------------------------------------------


def test_the_buttons_follow_the_state(draft: TemplateVersion, as_role: AsRole) -> None:
    client = as_role(*BOTH)
    first = draft.template.published
    assert first is not None
    assert buttons(client, draft) == {"submit", "publish", "schedule", "start_canary"}
    press(client, draft, "submit")
    assert buttons(client, draft) == {"take_back", "send_back", "publish", "schedule", "start_canary"}
    press(client, draft, "start_canary", percent="10")
    assert buttons(client, draft) == {"promote", "change_share", "withdraw_canary"}
    press(client, draft, "promote")
    assert draft.state == VersionState.PUBLISHED
    assert buttons(client, draft) == set()
    assert buttons(client, first) == {"roll_back"}
    assert buttons(client, draft.template) == {"roll_back"}


def test_the_buttons_follow_the_rights(draft: TemplateVersion, as_role: AsRole) -> None:
    assert buttons(as_role("Template editors"), draft) == {"submit"}
    assert buttons(as_role("Approvers"), draft) == {"publish", "schedule", "start_canary"}
    assert buttons(as_role("Operators"), draft) == set()
    editor = as_role("Template editors")
    for step in ("publish", "schedule", "start_canary", "send_back"):
        assert editor.post(url(draft, step), PRESSED).status_code == 403


# --- Review -----------------------------------------------------------------------------------------------------------


def test_a_reviewer_sends_it_back_with_a_reason(draft: TemplateVersion, as_role: AsRole) -> None:
    press(as_role("Template editors"), draft, "submit")
    approver = as_role("Approvers")
    press(approver, draft, "send_back")
    assert draft.state == VersionState.IN_REVIEW, "without a reason nothing happens"
    press(approver, draft, "send_back", reason="The greeting is wrong.")
    assert draft.state == VersionState.DRAFT
    assert Change.objects.latest("id").detail == {"reason": "The greeting is wrong."}
    editor = as_role("Template editors")
    page = editor.get(url(draft)).content.decode()
    assert "Sent back by user-" in page
    assert "The greeting is wrong." in page
    press(editor, draft, "submit")
    assert "Sent back by" not in editor.get(url(draft)).content.decode()


def test_an_editor_takes_it_back(draft: TemplateVersion, as_role: AsRole) -> None:
    editor = as_role("Template editors")
    press(editor, draft, "submit")
    press(editor, draft, "take_back")
    assert draft.state == VersionState.DRAFT


def test_four_eyes_are_explained_in_the_dialog(draft: TemplateVersion, as_role: AsRole) -> None:
    Category.objects.update(needs_approval=True)
    author = as_role(*BOTH)
    press(author, draft, "submit")
    assert "somebody else has to publish it" in author.get(url(draft, "publish")).content.decode()
    assert "somebody else has to publish it" in press(author, draft, "publish")
    assert draft.state == VersionState.IN_REVIEW
    press(as_role("Approvers"), draft, "publish")
    assert draft.state == VersionState.PUBLISHED


# --- What callers have to know ----------------------------------------------------------------------------------------


def shop(template: Template) -> list[Sender]:
    last = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    return [Sender(system_code="shop", system_name="The shop", messages=1200, last_at=last)]


def test_a_breaking_change_names_who_sends_the_template(
    draft: TemplateVersion, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "_sources", [shop])
    draft.variables = {**draft.variables, "required": ["order_no", "shop_no"]}
    draft.save()
    client = as_role(*BOTH)
    for step in ("submit", "publish"):
        dialog = client.get(url(draft, step)).content.decode()
        assert "“shop_no” becomes required" in dialog
        assert "<strong>The shop</strong> (shop): 1200 messages" in dialog
    press(client, draft, "publish", seen="")
    assert draft.state == VersionState.DRAFT, "it has to be seen"
    press(client, draft, "publish")
    assert draft.state == VersionState.PUBLISHED


def test_what_lint_warns_of_has_to_be_seen(draft: TemplateVersion, as_role: AsRole) -> None:
    approver = as_role("Approvers")
    assert "I have seen this" in approver.get(url(draft, "publish")).content.decode()
    assert "One warning:" in press(approver, draft, "publish", seen="")
    assert draft.state == VersionState.DRAFT


# --- At a time --------------------------------------------------------------------------------------------------------


def test_it_is_published_at_a_time_in_the_zone_of_the_person(draft: TemplateVersion, as_role: AsRole) -> None:
    approver = as_role("Approvers")
    at = (timezone.now() + timedelta(days=3)).strftime("%Y-%m-%dT09:30")
    page = press(approver, draft, "schedule", at=at, zone="Asia/Shanghai")
    assert draft.state == VersionState.SCHEDULED
    assert draft.publish_at == datetime.fromisoformat(f"{at}+08:00")
    assert "09:30 (Asia/Shanghai), in 2" in page
    assert buttons(approver, draft) == {"unschedule", "publish"}
    press(approver, draft, "unschedule")
    assert draft.state == VersionState.IN_REVIEW


def test_what_is_scheduled_can_be_published_at_once(draft: TemplateVersion, as_role: AsRole) -> None:
    publishing.schedule(version=draft, by=None, at=timezone.now() + timedelta(days=3))
    press(as_role("Approvers"), draft, "publish")
    assert (draft.state, draft.publish_at) == (VersionState.PUBLISHED, None)
    kinds = draft.changes.order_by("id").values_list("kind", flat=True)
    assert list(kinds)[-2:] == ["unscheduled", "published"]


@pytest.mark.parametrize(
    ("at", "expected"), [("2020-01-01T09:00", "a time to come"), ("soon", "a date and a time")]
)
def test_a_time_that_is_none_is_refused(
    at: str, expected: str, draft: TemplateVersion, as_role: AsRole
) -> None:
    assert expected in press(as_role("Approvers"), draft, "schedule", at=at, zone="Nowhere/At All")
    assert draft.state == VersionState.DRAFT


# --- Canary -----------------------------------------------------------------------------------------------------------


def test_a_canary_changes_its_share_and_is_withdrawn(draft: TemplateVersion, as_role: AsRole) -> None:
    approver = as_role("Approvers")
    press(approver, draft, "start_canary", percent="100")
    assert draft.state == VersionState.DRAFT
    press(approver, draft, "start_canary", percent="5")
    page = press(approver, draft, "change_share", percent="50")
    assert draft.canary_percent == 50
    assert "50 per cent of the messages" in page
    press(approver, draft, "withdraw_canary")
    assert draft.state == VersionState.ARCHIVED
    assert buttons(approver, draft) == set(), "it was never published"


def test_a_second_canary_is_refused_with_the_reason(draft: TemplateVersion, as_role: AsRole) -> None:
    canary.start(version=draft, by=None, percent=5)
    third = publishing.new_draft(template=draft.template, by=None, source=draft)
    dialog = as_role("Approvers").get(url(third, "start_canary")).content.decode()
    assert "Version 2 is the canary already." in dialog


# --- Rolling back -----------------------------------------------------------------------------------------------------


def test_one_click_rolls_back_from_the_template(draft: TemplateVersion, as_role: AsRole) -> None:
    template, first = draft.template, draft.template.published
    approver = as_role("Approvers")
    press(approver, draft, "publish")
    assert "<strong>version 1</strong>" in approver.get(url(template, "roll_back")).content.decode()
    page = press(approver, template, "roll_back")
    assert "recipients get version 1 again" in page
    assert template.published == first
    assert "roll_back" not in buttons(approver, template), "there is nothing before the first"
    assert approver.post(url(template, "roll_back"), PRESSED).status_code == 404


def test_rolling_back_goes_further_back_and_not_forth(template: Template, as_role: AsRole) -> None:
    for _round in range(2):
        publishing.publish(
            version=publishing.new_draft(template=template, by=None, source=template.published), by=None
        )
    approver = as_role("Approvers")
    for expected in (2, 1):
        press(approver, template, "roll_back")
        assert template.published is not None
        assert template.published.number == expected
    third = template.versions.get(number=3)
    press(approver, third, "roll_back")
    assert template.published == third, "any earlier one can be chosen on its own page"
    press(approver, template, "roll_back")
    assert template.published.number == 1


def test_rolling_back_names_what_callers_lose(
    draft: TemplateVersion, as_role: AsRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage, "_sources", [shop])
    first = draft.template.published
    assert first is not None
    schema = {**draft.variables, "additionalProperties": False}
    draft.variables = {**schema, "properties": {**schema["properties"], "shop_no": {"type": "string"}}}
    draft.save()
    publishing.publish(version=draft, by=None)
    closed = {**schema, "properties": dict(first.variables["properties"])}
    third = publishing.new_draft(template=draft.template, by=None, source=draft)
    third.variables = closed
    third.save()
    publishing.publish(version=third, by=None)
    publishing.publish(version=publishing.new_draft(template=draft.template, by=None, source=draft), by=None)
    approver = as_role("Approvers")
    dialog = approver.get(url(draft.template, "roll_back")).content.decode()
    assert "“shop_no” is no longer known" in dialog
    assert "The shop" in dialog
    press(approver, draft.template, "roll_back")
    assert draft.template.published == third, "one click, whatever it says"


def test_an_editor_does_not_roll_back(draft: TemplateVersion, as_role: AsRole) -> None:
    publishing.publish(version=draft, by=None)
    editor = as_role("Template editors")
    assert editor.post(url(draft.template, "roll_back"), PRESSED).status_code == 403
    assert buttons(editor, draft.template) == set()
