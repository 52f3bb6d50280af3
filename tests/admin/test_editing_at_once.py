"""Two people with the same draft open: neither overwrites the other unawares, and nothing typed is lost."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from templates_app.models import TemplateVersion, Variant
from tests import factories

FIRST = "variants-0-content-sms-text"
CONFLICT = "Somebody else saved this version meanwhile"


@pytest.fixture
def draft(db: None) -> TemplateVersion:
    return factories.template(channels=["sms"], published=False).versions.get()


@pytest.fixture
def ann(db: None) -> Client:
    return somebody("ann")


@pytest.fixture
def bob(db: None) -> Client:
    return somebody("bob")


def somebody(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser(name))
    return client


def url(version: TemplateVersion) -> str:
    return reverse("admin:templates_app_templateversion_change", args=[version.pk])


def opened(client: Client, version: TemplateVersion) -> dict[str, Any]:
    """What the form of the page holds."""
    page = client.get(url(version))
    form = page.context["adminform"].form
    data = {form.add_prefix(name): form[name].value() for name in form.fields}
    formset = page.context["inline_admin_formsets"][0].formset
    forms: Iterable[Any] = [formset.management_form, *formset.forms]
    for each in forms:
        data |= {each.add_prefix(name): each[name].value() for name in each.fields if name != "content"}
    for each in formset.forms:
        prefix = f"{each.prefix}-content-{each.shown_channel}"
        data |= {f"{prefix}-{name}": text for name, text in each["content"].value().items()}
    return {name: value for name, value in data.items() if value is not None and value is not False}


def save(client: Client, version: TemplateVersion, data: dict[str, Any], **changes: Any) -> HttpResponse:
    return client.post(url(version), {**data, **changes})  # type: ignore[return-value]


def contents(version: TemplateVersion) -> dict[str, Any]:
    return {str(each): each.content for each in version.variants.all()}


def differing(answer: Any) -> list[str]:
    """The fields that are named as different."""
    return [each.field for each in answer.context["conflict"]["differences"]]


def test_the_second_one_is_told_who_saved_and_what_differs(
    draft: TemplateVersion, ann: Client, bob: Client
) -> None:
    of_ann, of_bob = opened(ann, draft), opened(bob, draft)
    assert save(bob, draft, of_bob, **{FIRST: "Hello\nby Bob"}).status_code == 302
    answer = save(ann, draft, of_ann, note="Mine", **{FIRST: "Hello\nby Ann"})
    page = answer.content.decode()
    assert CONFLICT in page
    assert "bob saved it on" in page
    assert "by <del>Bob</del>" in page
    assert "by <ins>Ann</ins>" in page
    assert "Change note" in differing(answer)
    assert "Hello\nby Ann</textarea>" in page, "what was typed is still in its field"
    assert contents(draft) == {"sms *": {"text": "Hello\nby Bob"}}
    draft.refresh_from_db()
    assert (draft.revision, draft.note) == (2, "")


def test_overwriting_is_a_choice_and_only_of_what_was_seen(
    draft: TemplateVersion, ann: Client, bob: Client
) -> None:
    of_ann, of_bob = opened(ann, draft), opened(bob, draft)
    save(bob, draft, of_bob, **{FIRST: "By Bob"})
    assert CONFLICT in save(ann, draft, of_ann, **{FIRST: "By Ann"}).content.decode()
    save(bob, draft, opened(bob, draft), **{FIRST: "By Bob, again"})
    page = save(ann, draft, of_ann, _overwrite="2", **{FIRST: "By Ann"}).content.decode()
    assert CONFLICT in page
    assert "Bob, again</del>" in page
    assert save(ann, draft, of_ann, _overwrite="3", **{FIRST: "By Ann"}).status_code == 302
    assert contents(draft) == {"sms *": {"text": "By Ann"}}
    draft.refresh_from_db()
    assert (draft.revision, str(draft.edited_by)) == (4, "ann")


def test_theirs_can_be_loaded(draft: TemplateVersion, ann: Client, bob: Client) -> None:
    of_ann = opened(ann, draft)
    save(bob, draft, opened(bob, draft), **{FIRST: "By Bob"})
    page = save(ann, draft, of_ann, **{FIRST: "By Ann"}).content.decode()
    assert f'id="load-theirs" href="{url(draft)}"' in page
    assert opened(ann, draft)[FIRST] == "By Bob"


def test_a_variant_that_the_other_one_removed_comes_back_with_what_was_written(
    draft: TemplateVersion, ann: Client, bob: Client
) -> None:
    Variant.objects.create(version=draft, channel="push", content={"title": "Hi", "body": "There"})
    of_ann, of_bob = opened(ann, draft), opened(bob, draft)
    name = next(key for key, value in of_bob.items() if key.endswith("-channel") and value == "sms")
    assert save(bob, draft, of_bob, **{name.replace("channel", "DELETE"): "on"}).status_code == 302
    text = name.replace("channel", "content-sms-text")
    assert CONFLICT in save(ann, draft, of_ann, **{text: "By Ann"}).content.decode()
    assert save(ann, draft, of_ann, _overwrite="2", **{text: "By Ann"}).status_code == 302
    assert contents(draft) == {"push *": {"title": "Hi", "body": "There"}, "sms *": {"text": "By Ann"}}


def test_the_same_new_variant_of_both_is_one(draft: TemplateVersion, ann: Client, bob: Client) -> None:
    of_ann, of_bob = opened(ann, draft), opened(bob, draft)
    new = {
        "variants-TOTAL_FORMS": "2",
        "variants-1-id": "",
        "variants-1-version": str(draft.pk),
        "variants-1-channel": "inbox",
        "variants-1-locale": "EN",
        "variants-1-content-inbox-title": "Hi",
    }
    save(bob, draft, of_bob, **new, **{"variants-1-content-inbox-body": "By Bob"})
    mine = {**new, "variants-1-content-inbox-body": "By Ann"}
    page = save(ann, draft, of_ann, **mine).content.decode()
    assert "By <del>Bob</del>" in page
    assert "By <ins>Ann</ins>" in page
    assert save(ann, draft, of_ann, _overwrite="2", **mine).status_code == 302
    assert contents(draft)["inbox en"] == {"title": "Hi", "body": "By Ann"}
    assert draft.variants.count() == 2


def test_what_the_other_one_added_stays(draft: TemplateVersion, ann: Client, bob: Client) -> None:
    of_ann, of_bob = opened(ann, draft), opened(bob, draft)
    save(bob, draft, of_bob, _addvariant="1", _add_channel="email", _add_locale="", _add_copy="variants-0")
    assert contents(draft)["email *"] == {"text": factories.CONTENT["sms"]["text"]}
    page = save(ann, draft, of_ann, **{FIRST: "By Ann"}).content.decode()
    assert "Email — Plain text" in page
    save(ann, draft, of_ann, _overwrite="2", **{FIRST: "By Ann"})
    assert set(contents(draft)) == {"email *", "sms *"}


def untouched(data: dict[str, Any], prefix: str) -> dict[str, Any]:
    """As the page sends a variant that nobody touched."""
    kept = {f"{prefix}-{name}" for name in ("id", "version", "channel")}
    return {name: value for name, value in data.items() if not name.startswith(f"{prefix}-") or name in kept}


def test_a_variant_that_nobody_touched_stays_as_it_is(draft: TemplateVersion, ann: Client) -> None:
    data = untouched(opened(ann, draft), "variants-0")
    assert save(ann, draft, data, note="Only the note").status_code == 302
    assert contents(draft) == {"sms *": factories.CONTENT["sms"]}
    draft.refresh_from_db()
    assert draft.note == "Only the note"


def test_overwriting_leaves_alone_what_this_person_did_not_touch(
    draft: TemplateVersion, ann: Client, bob: Client
) -> None:
    Variant.objects.create(version=draft, channel="push", content={"title": "Hi", "body": "There"})
    of_ann, of_bob = opened(ann, draft), opened(bob, draft)
    sms = next(key for key, value in of_bob.items() if value == "sms").removesuffix("-channel")
    save(bob, draft, of_bob, **{f"{sms}-content-sms-text": "By Bob"})
    page = save(ann, draft, untouched(of_ann, sms), note="By Ann").content.decode()
    assert "SMS — Text" not in page
    save(ann, draft, untouched(of_ann, sms), note="By Ann", _overwrite="2")
    assert contents(draft)["sms *"] == {"text": "By Bob"}
    of_ann, of_bob = opened(ann, draft), opened(bob, draft)
    save(bob, draft, of_bob, **{f"{sms}-DELETE": "on"})
    save(ann, draft, untouched(of_ann, sms), note="By Ann, again", _overwrite="4")
    assert set(contents(draft)) == {"push *"}
    draft.refresh_from_db()
    assert draft.note == "By Ann, again"


def test_saving_again_after_ones_own_save_is_no_conflict(draft: TemplateVersion, ann: Client) -> None:
    assert save(ann, draft, opened(ann, draft), **{FIRST: "One"}).status_code == 302
    assert save(ann, draft, opened(ann, draft), **{FIRST: "Two"}).status_code == 302
    assert contents(draft) == {"sms *": {"text": "Two"}}


def test_a_save_without_a_change_is_no_edit(draft: TemplateVersion, ann: Client, bob: Client) -> None:
    of_bob = opened(bob, draft)
    assert save(ann, draft, opened(ann, draft)).status_code == 302
    assert save(bob, draft, of_bob, **{FIRST: "By Bob"}).status_code == 302


def test_a_form_that_does_not_say_what_it_began_with_is_a_conflict(
    draft: TemplateVersion, ann: Client
) -> None:
    data = opened(ann, draft)
    del data["seen_revision"]
    assert CONFLICT in save(ann, draft, data, **{FIRST: "By Ann"}).content.decode()


@pytest.mark.parametrize(
    "change",
    [
        {"variants-TOTAL_FORMS": "x"},
        {"variants-TOTAL_FORMS": "99999999999"},
        {"variants-0-id": "no-uuid"},
        {"variants-0-channel": "no-such", "variants-0-id": ""},
        {"_overwrite": "x"},
        {"seen_revision": "x"},
    ],
)
def test_a_strange_form_is_refused_and_no_failure(
    change: dict[str, str], draft: TemplateVersion, ann: Client, bob: Client
) -> None:
    of_ann = opened(ann, draft)
    save(bob, draft, opened(bob, draft), **{FIRST: "By Bob"})
    assert save(ann, draft, of_ann, **change).status_code == 200
    assert contents(draft) == {"sms *": {"text": "By Bob"}}
