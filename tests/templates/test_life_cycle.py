"""Review, four eyes, schedule, canary, rollback; and the history that tells of all of it."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction
from django.utils import timezone

from pushcenter.messaging import validate
from pushcenter.messaging.request import Request
from pushcenter.recipients.models import Category
from templates_app import canary, catalog, drafts, publishing, soundness
from templates_app.breaking import breaks
from templates_app.models import (
    Change,
    ChangeKind,
    Template,
    TemplateKind,
    TemplateVersion,
    Variant,
    VersionState,
)
from templates_app.publishing import PublishingError
from tests import factories

pytestmark = pytest.mark.django_db


def user(name: str) -> User:
    return User.objects.create_user(name)


def published() -> TemplateVersion:
    return factories.template().versions.get()


def next_draft(version: TemplateVersion, by: User | None = None) -> TemplateVersion:
    return publishing.new_draft(template=version.template, by=by, source=version)


def kinds(template: Template) -> list[str]:
    return [each.kind for each in template.changes.order_by("id")]


# --- Review -----------------------------------------------------------------------------------------------------------


def test_a_reviewer_sends_it_back_with_a_reason() -> None:
    version = next_draft(published())
    publishing.submit(version=version, by=user("ann"))
    back = drafts.send_back(version=version, by=user("bob"), reason="The greeting is wrong.")
    assert back.state == VersionState.DRAFT
    line = Change.objects.latest("id")
    assert (line.kind, line.by_name, line.detail) == (
        "sent_back",
        "bob",
        {"reason": "The greeting is wrong."},
    )


def test_four_eyes() -> None:
    Category.objects.update_or_create(code="orders", defaults={"name": "Orders", "needs_approval": True})
    template = factories.template(published=False)
    Category.objects.update(needs_approval=True)
    ann, bob, eve = user("ann"), user("bob"), user("eve")
    version = publishing.new_draft(template=template, by=ann, source=template.versions.get())
    with pytest.raises(PublishingError, match="demands a review"):
        publishing.publish(version=version, by=bob)
    with drafts.editing(version, revision=1, by=eve) as current:
        current.note = "Eve wrote a line."
    publishing.submit(version=version, by=ann)
    for writer in (ann, eve, None):
        with pytest.raises(PublishingError, match="four eyes"):
            publishing.publish(version=version, by=writer)
    assert publishing.publish(version=version, by=bob).approver == bob


# --- Editing ----------------------------------------------------------------------------------------------------------


def test_a_save_on_an_older_revision_changes_nothing() -> None:
    version = next_draft(published())
    ann, bob = user("ann"), user("bob")
    with drafts.editing(version, revision=1, by=ann) as current:
        current.note = "by ann"
    with pytest.raises(drafts.EditConflict) as caught, drafts.editing(version, revision=1, by=bob) as current:
        current.note = "by bob"
    assert caught.value.current.edited_by == ann
    version.refresh_from_db()
    assert (version.note, version.revision) == ("by ann", 2)


def test_what_is_in_review_is_a_draft_again_when_it_is_edited() -> None:
    version = publishing.submit(version=next_draft(published()), by=None)
    with drafts.editing(version, revision=version.revision, by=None) as current:
        current.note = "one more thing"
    version.refresh_from_db()
    assert version.state == VersionState.DRAFT


def test_a_published_version_is_not_edited() -> None:
    version = published()
    with pytest.raises(drafts.EditConflict), drafts.editing(version, revision=1, by=None):
        pass


# --- Publishing at a time ---------------------------------------------------------------------------------------------


def test_a_scheduled_version_goes_live_at_its_time() -> None:
    version = next_draft(published())
    approver = user("bob")
    at = timezone.now() + timedelta(hours=1)
    publishing.schedule(version=version, by=approver, at=at)
    assert publishing.publish_due(timezone.now()) == 0
    assert publishing.publish_due(at) == 1
    version.refresh_from_db()
    assert (version.state, version.approver, version.publish_at) == ("published", approver, None)
    assert version.template.published == version


def test_a_scheduled_version_that_became_unsound_goes_back_to_review() -> None:
    version = next_draft(published())
    at = timezone.now() + timedelta(hours=1)
    publishing.schedule(version=version, by=None, at=at)
    Template.objects.update(channels=["inbox", "email", "sms"])
    assert publishing.publish_due(at) == 0
    version.refresh_from_db()
    assert version.state == VersionState.IN_REVIEW
    line = Change.objects.latest("id")
    assert line.kind == ChangeKind.NOT_PUBLISHED
    assert "SMS" in str(line.detail)


def test_a_failure_of_one_scheduled_version_keeps_no_other_from_going_live(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = timezone.now() + timedelta(hours=1)
    first, second = (next_draft(factories.template(code).versions.get()) for code in ("first", "second"))
    for version in (first, second):
        publishing.schedule(version=version, by=None, at=at)
    sound = soundness.refuse_unless_sound

    def fail(version: TemplateVersion) -> None:
        if version == first:
            raise RecursionError
        sound(version)

    with monkeypatch.context() as patch:
        patch.setattr(publishing, "refuse_unless_sound", fail)
        assert publishing.publish_due(at) == 1
    second.refresh_from_db()
    assert second.state == VersionState.PUBLISHED
    assert publishing.publish_due(at) == 1


def test_a_schedule_is_cancelled() -> None:
    version = next_draft(published())
    publishing.schedule(version=version, by=None, at=timezone.now() + timedelta(hours=1))
    assert publishing.unschedule(version=version, by=None).state == VersionState.IN_REVIEW
    with pytest.raises(PublishingError, match="not scheduled"):
        publishing.unschedule(version=version, by=None)


def test_the_past_is_no_time_to_publish() -> None:
    with pytest.raises(PublishingError, match="time to come"):
        publishing.schedule(version=next_draft(published()), by=None, at=timezone.now())


def test_what_is_scheduled_does_not_change() -> None:
    version = next_draft(published())
    publishing.schedule(version=version, by=None, at=timezone.now() + timedelta(hours=1))
    with pytest.raises(DatabaseError), transaction.atomic():
        Variant.objects.filter(version=version).update(content={})


# --- Rolling back -----------------------------------------------------------------------------------------------------


def test_rolling_back_sends_the_version_before_as_it_was() -> None:
    first = published()
    second = publishing.publish(version=next_draft(first), by=None)
    publishing.roll_back(version=first, by=user("eve"))
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == (VersionState.PUBLISHED, VersionState.ARCHIVED)
    line = Change.objects.latest("id")
    assert (line.kind, line.number, line.detail, line.by_name) == ("rolled_back", 1, {"before": 2}, "eve")


def test_only_what_was_published_is_rolled_back_to() -> None:
    first = published()
    with pytest.raises(PublishingError, match="published before"):
        publishing.roll_back(version=next_draft(first), by=None)
    never = canary.start(version=next_draft(first), by=None, percent=10)
    canary.withdraw(version=never, by=None)
    with pytest.raises(PublishingError, match="published before"):
        publishing.roll_back(version=never, by=None)


# --- Canary -----------------------------------------------------------------------------------------------------------


def terms_of(share: float, params: dict[str, Any]) -> int:
    """The number of the version that a message of this template gets, with these dice."""
    request = Request(template="order-paid", to={"recipient": "u-1"}, params=params)
    terms, faults = validate.terms(request, caller=factories.caller(), now=timezone.now())
    assert not faults
    with pytest.MonkeyPatch.context() as dice:
        dice.setattr(random, "random", lambda: share)
        return validate.drawn(terms, params).published.number


def test_a_canary_gets_its_share_of_the_messages() -> None:
    first = published()
    canary.start(version=next_draft(first), by=None, percent=25)
    found = catalog.published("order-paid")
    assert found is not None
    assert found.canary is not None
    assert found.canary_share == 0.25
    good = {"order_no": "SO-1"}
    assert [terms_of(share, good) for share in (0.0, 0.24, 0.25, 0.9)] == [2, 2, 1, 1]


def test_a_canary_leaves_alone_what_it_does_not_take() -> None:
    first = published()
    draft = next_draft(first)
    draft.variables = {**draft.variables, "required": [*draft.variables.get("required", []), "shop"]}
    draft.variables["properties"] = {**draft.variables["properties"], "shop": {"type": "string"}}
    draft.save()
    canary.start(version=draft, by=None, percent=50)
    assert terms_of(0.0, {"order_no": "SO-1"}) == 1


def test_a_canary_is_promoted_or_withdrawn() -> None:
    first = published()
    second = canary.start(version=next_draft(first), by=None, percent=5)
    with pytest.raises(PublishingError, match="Version 2 is the canary already"):
        canary.start(version=next_draft(first), by=None, percent=5)
    assert canary.change_share(version=second, by=None, percent=50).canary_percent == 50
    canary.withdraw(version=second, by=None)
    fourth = canary.start(version=next_draft(first), by=None, percent=5)
    canary.promote(version=fourth, by=None)
    first.refresh_from_db()
    assert first.state == VersionState.ARCHIVED
    assert first.template.published == fourth


@pytest.mark.parametrize("percent", [0, 100, -1])
def test_a_share_is_neither_nothing_nor_all(percent: int) -> None:
    with pytest.raises(PublishingError, match="between 1 and 99"):
        canary.start(version=next_draft(published()), by=None, percent=percent)


def test_publishing_another_version_ends_the_canary() -> None:
    first = published()
    second = canary.start(version=next_draft(first), by=None, percent=5)
    publishing.publish(version=next_draft(first), by=None)
    second.refresh_from_db()
    assert second.state == VersionState.ARCHIVED


def test_a_canary_never_changes() -> None:
    version = canary.start(version=next_draft(published()), by=None, percent=5)
    with pytest.raises(DatabaseError), transaction.atomic():
        TemplateVersion.objects.filter(pk=version.pk).update(variables={})
    with pytest.raises(DatabaseError), transaction.atomic():
        TemplateVersion.objects.filter(pk=version.pk).update(state="draft")


# --- Layouts and snippets ---------------------------------------------------------------------------------------------


def snippet(code: str, source: str, *, live: bool = True) -> TemplateVersion:
    row = Template.objects.create(
        code=code, name=code, kind=TemplateKind.SNIPPET, category=Category.objects.get(code="orders")
    )
    version = publishing.new_draft(template=row, by=None)
    Variant.objects.create(version=version, channel="text", content={"source": source})
    if live:
        TemplateVersion.objects.filter(pk=version.pk).update(state="published", published_at=timezone.now())
    return version


def using(version: TemplateVersion, source: str) -> TemplateVersion:
    draft = next_draft(version)
    variant = draft.variants.filter(channel="inbox").get()
    variant.content = {**variant.content, "body": source}
    variant.save()
    return draft


def test_a_version_is_published_with_the_parts_of_that_moment() -> None:
    first = published()
    inner = snippet("company", "Example Ltd.")
    outer = snippet("signature", '{% include "company" %}')
    version = publishing.publish(version=using(first, 'Hello {% include "signature" %}'), by=None)
    assert version.parts == {"signature": str(outer.pk), "company": str(inner.pk)}


@pytest.mark.parametrize(
    ("live", "expected"), [(False, "has no published version"), (None, "There is no layout or snippet")]
)
def test_a_part_that_is_not_there_is_named(live: bool | None, expected: str) -> None:
    first = published()
    if live is not None:
        snippet("signature", "Yours", live=live)
    version = using(first, 'Hello {% include "signature" %}')
    with pytest.raises(PublishingError, match="there is no published layout or snippet “signature”"):
        publishing.publish(version=version, by=None)
    with pytest.raises(PublishingError, match=expected):
        drafts.trial_copy(version)


def test_a_snippet_is_nothing_that_can_be_sent() -> None:
    published()
    snippet("signature", "Yours")
    assert catalog.published("signature") is None
    assert "signature" not in catalog.codes()


# --- Copies for tests -------------------------------------------------------------------------------------------------


def test_a_trial_copy_stays_while_the_draft_is_written_on() -> None:
    draft = next_draft(published())
    copy = drafts.trial_copy(draft)
    assert drafts.trial_copy(draft) == copy
    with drafts.editing(draft, revision=1, by=None) as current:
        current.variants.update(content={})
    assert copy.variants.count() == draft.variants.count()
    assert all(variant.content for variant in copy.variants.all())
    draft.refresh_from_db()
    assert drafts.trial_copy(draft) != copy
    assert list(draft.template.versions.listed().values_list("number", flat=True)) == [2, 1]


# --- History ----------------------------------------------------------------------------------------------------------


def test_every_step_is_in_the_history_and_is_not_rewritten() -> None:
    first = published()
    template = first.template
    draft = next_draft(first, user("ann"))
    publishing.submit(version=draft, by=None)
    publishing.withdraw(version=draft)
    canary.start(version=draft, by=None, percent=3)
    canary.promote(version=draft, by=None)
    assert kinds(template) == ["created", "submitted", "withdrawn", "canary_started", "archived", "published"]
    with pytest.raises(DatabaseError, match="never rewritten"), transaction.atomic():
        template.changes.update(kind="edited")
    User.objects.all().delete()
    assert template.changes.get(kind="created").by_name == "ann"


# --- Breaking changes -------------------------------------------------------------------------------------------------

PLAIN = {
    "type": "object",
    "properties": {"order_no": {"type": "string"}, "amount": {"type": "number"}},
    "required": ["order_no"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, []),
        ({"required": ["order_no", "amount"]}, [("required", "amount")]),
        ({"required": []}, []),
        ({"properties": {"order_no": {"type": "string"}}}, [("removed", "amount")]),
        ({"properties": {"order_no": {"type": "string"}}, "additionalProperties": True}, []),
        ({"properties": {**PLAIN["properties"], "new": {}}}, []),  # type: ignore[dict-item]
        (
            {"properties": {"order_no": {"type": "string", "maxLength": 5}, "amount": {"type": "number"}}},
            [("narrowed", "order_no")],
        ),
        (
            {"properties": {"order_no": {"type": ["string", "null"], "title": "No."}, "amount": {}}},
            [],
        ),
        (
            {"properties": {"order_no": {"type": "string"}, "amount": {"type": "integer"}}},
            [("narrowed", "amount")],
        ),
        (
            {"properties": {"order_no": {"type": "string", "enum": ["a"]}, "amount": {"type": "number"}}},
            [("narrowed", "order_no")],
        ),
    ],
)
def test_breaking_changes_of_parameters(change: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    first = published()
    before = TemplateVersion(template=first.template, number=8, variables=PLAIN)
    after = TemplateVersion(template=first.template, number=9, variables={**PLAIN, **change})
    assert [(each.kind, each.name) for each in breaks(before, after)] == expected


def test_a_channel_and_a_language_that_are_lost() -> None:
    first = published()
    second = next_draft(first)
    content = second.variants.get(channel="inbox").content
    Variant.objects.create(version=second, channel="inbox", locale="zh-hans", content=content)
    publishing.publish(version=second, by=None)
    third = next_draft(second)
    third.variants.filter(channel="email").delete()
    third.variants.filter(locale="zh-hans").delete()
    assert [(each.kind, each.name) for each in breaks(second, third)] == [
        ("channel", "email"),
        ("language", "zh-hans"),
    ]
