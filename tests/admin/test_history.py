"""The history of a template: who, when and what, in sentences."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from templates_app import canary, drafts, publishing
from templates_app.models import Change, ChangeKind, Template
from templates_app.telling import details, lines, said
from tests import factories
from tests.admin.conftest import AsRole
from tests.admin.test_life import url


@pytest.fixture
def template(db: None) -> Template:
    found: Template = factories.template(channels=["sms"])
    return found


def history(client: Client, template: Template, query: str = "") -> str:
    return client.get(url(template, "history") + query).content.decode()


def settings(template: Template, **fields: Any) -> dict[str, Any]:
    return {
        "code": template.code, "name": template.name, "category": str(template.category_id), "priority": "normal",
        "route_mode": "all", "channels": ["sms"], "doubt_policy": "resend", "kind": "message", "is_tracked": "on",
        "versions-TOTAL_FORMS": "0", "versions-INITIAL_FORMS": "0", **fields,
    }  # fmt: skip


def test_the_whole_life_is_told(template: Template, as_role: AsRole) -> None:
    ann = User.objects.create_user("ann")
    second = publishing.new_draft(template=template, by=ann, source=template.published)
    for revision in (1, 2, 3):
        with drafts.editing(second, revision=revision, by=ann):
            pass
    publishing.submit(version=second, by=ann)
    drafts.send_back(version=second, by=ann, reason="The greeting is wrong.")
    publishing.submit(version=second, by=ann)
    publishing.schedule(version=second, by=ann, at=timezone.now() + timedelta(days=1))
    publishing.unschedule(version=second, by=ann)
    canary.start(version=second, by=ann, percent=5)
    canary.change_share(version=second, by=ann, percent=50)
    canary.promote(version=second, by=ann)
    first = template.versions.get(number=1)
    publishing.roll_back(version=first, by=ann)
    client = as_role("Approvers")
    page = history(client, template)
    for sentence in (
        "Version 2 begun as a copy of version 1.",
        "Version 2 edited 3 times.",
        "Version 2 sent to review.",
        "The greeting is wrong.",
        "Version 2 approved, to go live on",
        "Schedule of version 2 cancelled.",
        "Version 2 started as a canary with 5 % of the messages.",
        "Share of the canary, version 2, set to 50 % of the messages.",
        "Version 2 promoted: it goes to all recipients.",
        "Version 1 archived: version 2 took its place.",
        "Rolled back from version 2 to version 1.",
    ):
        assert sentence in page, sentence
    assert "ann" in page
    assert url(second, "compare") + "?with=before" in page
    latest = client.get(url(template)).content.decode()
    assert "Rolled back from version 2 to version 1." in latest
    assert "begun as a copy" not in latest, "only the last ten are on the page of the template"
    only = history(client, template, "?kind=rolled_back&version=1")
    assert "Rolled back" in only
    assert "Version 2 sent to review." not in only


def test_every_kind_has_a_sentence(template: Template) -> None:
    for kind in ChangeKind:
        change = Change(template=template, kind=kind, number=3, detail={"percent": 5})
        assert "3" in said(change) or kind == ChangeKind.SETTINGS
        assert lines([change])[0].who == "Push Center"


def test_what_came_from_files_and_what_was_tested_is_told_with_its_details(template: Template) -> None:
    told = {
        ChangeKind.IMPORTED: ({"revision": "4f2c", "digest": "…"}, ["From files, revision 4f2c."]),
        ChangeKind.SETTINGS: ({"fields": ["name"], "revision": ""}, ["Name"]),
        ChangeKind.TEST_SENT: ({"channels": ["sms", "email"], "simulated": True}, ["SMS, Email (simulated)"]),
        ChangeKind.NOT_PUBLISHED: ({"problems": ["No variant."]}, ["No variant."]),
    }
    for kind, (detail, expected) in told.items():
        assert details(Change(template=template, kind=kind, number=2, detail=detail)) == expected


def test_settings_are_told_with_what_was_and_what_is(template: Template, as_role: AsRole) -> None:
    editor = as_role("Template editors")
    editor.post(url(template), settings(template, priority="high", folder="shop/orders"))
    change = Change.objects.get(kind=ChangeKind.SETTINGS)
    assert details(change) == ["Folder: – → shop/orders", "Priority: normal → high"]
    editor.post(url(template), settings(template, priority="high", folder="shop/orders"))
    assert Change.objects.filter(kind=ChangeKind.SETTINGS).count() == 1, "nothing changed"


def test_making_a_template_is_told(as_role: AsRole) -> None:
    data = settings(Template(code="welcome", name="Welcome", category=factories.category()))
    as_role("Template editors").post("/admin/templates_app/template/add/", data)
    made = Template.objects.get(code="welcome")
    assert [said(each) for each in made.changes.order_by("id")] == ["Made.", "Version 1 begun."]


def test_a_deleted_draft_stays_in_the_history(template: Template, as_role: AsRole) -> None:
    draft = publishing.new_draft(template=template, by=None)
    editor = as_role("Template editors")
    assert editor.post(url(draft, "delete"), {"post": "yes"}).status_code == 302
    assert not template.versions.filter(number=2).exists()
    page = history(editor, template)
    assert "Draft deleted: version 2." in page
    assert "Version 2 begun." in page


def test_the_history_of_a_version_is_its_part_of_the_whole(template: Template, as_role: AsRole) -> None:
    draft = publishing.new_draft(template=template, by=None)
    answer = as_role("Approvers").get(url(draft, "history"))
    assert answer.headers["Location"] == url(template, "history") + "?version=2"
