"""A rehearsal finds out, before anything is sent, what a draft would do with what was sent lately."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from channels_app.models import Account
from pushcenter.messaging.rehearsal import Rehearsal, rehearse
from pushcenter.messaging.rehearsal.pairs import Order, chosen, pairs
from pushcenter.messaging.rehearsal.sets import sets
from templates_app import publishing
from templates_app.models import TemplateVersion, Variant
from tests import factories
from tests.admin.conftest import AsRole, as_role  # noqa: F401  (a fixture)
from tests.bench import stock

pytestmark = pytest.mark.django_db

PROPERTIES: dict[str, Any] = {
    "order_no": {"type": "string"},
    "shop": {"type": "string"},
    "lines": {"type": "array", "items": {"type": "object"}},
    "amount": {"type": "string", "default": "0"},
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": PROPERTIES,
    "required": ["order_no"],
    "additionalProperties": False,
}
EMAIL = {"subject": "Order {{ order_no }}", "text": "We received {{ amount }}."}
SMS = {"text": "Order {{ order_no }} is paid."}
PARAMS: tuple[dict[str, Any], ...] = (
    {"order_no": "SO-1"},
    {"order_no": "SO-22", "shop": "Nord"},
    {"order_no": "", "lines": [{"price": 1}, {"price": "much"}]},
)


@pytest.fixture
def published() -> TemplateVersion:
    """A template that was sent three times, to people who read Chinese."""
    factories.accounts("email", "sms")
    factories.recipient(addresses={"email": "sent@simulator.example", "phone": "+8613800138000"})
    template = factories.template(
        channels=["email", "sms"], content={"email": EMAIL, "sms": SMS}, schema=SCHEMA
    )
    for params in PARAMS:
        factories.message(params=params)
    return template.versions.get()


def draft_of(
    published: TemplateVersion, *, schema: Mapping[str, Any] = SCHEMA, **contents: Mapping[str, Any]
) -> TemplateVersion:
    draft = publishing.new_draft(template=published.template, by=None, source=published)
    TemplateVersion.objects.filter(pk=draft.pk).update(variables=schema)
    for channel, content in contents.items():
        Variant.objects.update_or_create(
            version=draft, channel=channel, locale="", defaults={"content": content}
        )
    draft.refresh_from_db()
    return draft


def run(draft: TemplateVersion, *, is_open: bool = True, **how: Any) -> Rehearsal:
    return rehearse(draft, sets(draft, 100, is_open=is_open), is_masked=not is_open, **how)


def test_a_copy_changes_nothing(published: TemplateVersion) -> None:
    found = run(draft_of(published))
    assert (found.done, found.is_complete, found.is_of_messages) == (3, True, True)
    assert [(each.channel, each.changed, len(each.after.lengths)) for each in found.channels.values()] == [
        ("email", 0, 3),
        ("sms", 0, 3),
    ]
    assert not found.findings.refused
    assert not found.findings.failed
    assert chosen(found.candidates, Order.DIFFERENT) == []


def test_what_cannot_be_rendered_is_grouped_with_its_place(published: TemplateVersion) -> None:
    prices = "{% for line in lines %}\n{{ line.price / 2 }}{% endfor %}"
    found = run(draft_of(published, sms={"text": prices}))
    [(kind, group)] = found.findings.failed.items()
    assert (kind.channel, kind.field, kind.line, group.number, group.before) == ("sms", "text", 2, 1, 0)
    assert group.example.params["lines"][1]["price"] == "much"
    assert (found.findings.failed_sets, len(found.channels["email"].after.lengths)) == (1, 3)


def test_what_failed_before_is_told_apart(published: TemplateVersion) -> None:
    broken = {"text": "{% if lines %}{{ order_no / 2 }}{% endif %}"}
    with_it = publishing.new_draft(template=published.template, by=None, source=None)
    TemplateVersion.objects.filter(pk=with_it.pk).update(variables=SCHEMA)
    Variant.objects.create(version=with_it, channel="sms", content=broken)
    TemplateVersion.objects.filter(pk=published.pk).update(state="archived")
    TemplateVersion.objects.filter(pk=with_it.pk).update(state="published")
    with_it.refresh_from_db()
    found = run(draft_of(with_it))
    [group] = found.findings.failed.values()
    assert (group.number, group.before) == (1, 1)
    assert (found.channels["sms"].changed, len(found.channels["sms"].before.lengths)) == (0, 2)


def test_a_source_that_is_no_template_fails_for_all(published: TemplateVersion) -> None:
    found = run(draft_of(published, sms={"text": "{% if %}"}))
    [(kind, group)] = found.findings.failed.items()
    assert (kind.field, kind.line, group.number) == ("text", 1, 3)


def test_what_the_schema_would_refuse_is_grouped_by_pointer(published: TemplateVersion) -> None:
    lines = {"type": "array", "items": {"properties": {"price": {"type": "number", "minimum": 2}}}}
    schema = {
        **SCHEMA,
        "properties": {**PROPERTIES, "lines": lines},
        "required": ["order_no", "shop"],
    }
    found = run(draft_of(published, schema=schema))
    told = {
        (kind.pointer, kind.detail.split(":")[0]): group.number
        for kind, group in found.findings.refused.items()
    }
    assert told == {
        ("/shop", "shop is required."): 2,
        ("/lines/*/price", "This does not hold to minimum"): 1,
        ("/lines/*/price", "This must be of type number."): 1,
    }
    assert found.findings.refused_sets == 2
    assert len(found.channels["email"].after.lengths) == 1


def test_a_default_is_not_held_against_callers_who_never_gave_it(published: TemplateVersion) -> None:
    without = {name: spec for name, spec in PROPERTIES.items() if name != "amount"}
    schema = {**SCHEMA, "properties": without}
    found = run(
        draft_of(published, schema=schema, email={"subject": "Order {{ order_no }}", "text": "Paid."})
    )
    assert not found.findings.refused


def test_values_that_are_missing(published: TemplateVersion) -> None:
    text = "{{ recipient.name }}: {{ order_no }}, {{ shop }}{% if lines %}{{ lines }}{% endif %} {{ unsubscribe_url }}"
    found = run(draft_of(published, sms={"text": text}))
    assert {(gap.name, *gap.channels): gap.number for gap in found.gaps.all()} == {
        ("shop", "sms"): 2,
        ("order_no", "email", "sms"): 1,
    }


def test_length_and_parts_of_both(published: TemplateVersion) -> None:
    found = run(draft_of(published, sms={"text": "订单 {{ order_no }} 已付款。" + "谢谢" * 40}))
    sms = found.channels["sms"]
    assert (sms.before.segments, sms.after.segments, sms.changed) == ([1, 1, 1], [2, 2, 2], 3)
    assert min(sms.after.lengths) > max(sms.before.lengths)
    assert found.channels["email"].changed == 0


def test_the_most_different_are_shown_first_each_channel_and_language_in_turn(
    published: TemplateVersion,
) -> None:
    subject = {
        "subject": "Order {{ order_no }}",
        "text": "We received {{ amount }}.{% if shop %} Yours, {{ shop }}{% endif %}",
    }
    draft = draft_of(published, sms={"text": "Paid: {{ order_no }}"}, email=subject)
    found = run(draft)
    first = chosen(found.candidates, Order.DIFFERENT)
    assert [(each.variant.channel, each.set.params["order_no"]) for each in first][:2] == [
        ("sms", ""),
        ("email", "SO-22"),
    ]
    longest = chosen(found.candidates, Order.LONGEST, channel="email")
    assert [each.set.params["order_no"] for each in longest] == ["SO-22", "SO-1", ""]
    [pair] = pairs(first[1:2], before=found.before, after=found.after)
    assert "Yours, Nord" in pair.after
    assert pair.before is not None
    assert "Yours" not in pair.before


def test_a_new_channel_is_compared_with_nothing(published: TemplateVersion) -> None:
    found = run(draft_of(published, push={"title": "Paid", "body": "{{ order_no }}"}))
    push = found.channels["push"]
    assert (len(push.after.lengths), push.before.lengths, push.changed) == (3, [], 0)
    [first, *_rest] = chosen(found.candidates, Order.DIFFERENT)
    assert first.variant.channel == "push"


def test_it_stops_when_its_time_is_up(published: TemplateVersion) -> None:
    found = run(draft_of(published), patience=-1)
    assert (found.done, found.is_complete) == (0, False)


def test_a_thousand_take_less_than_its_patience(db: None) -> None:
    factories.template(channels=["email"])
    factories.accounts("email")
    stock.people(100)
    stock.history(1_000, "order-paid", caller=factories.caller())
    published = TemplateVersion.objects.get()
    draft = draft_of(
        published, email={"subject": "Paid: {{ order_no }}", "text": "We received {{ amount }}."}
    )
    found = rehearse(draft, sets(draft, 5_000, is_open=True), is_masked=False)
    assert (found.done, found.is_complete, found.channels["email"].changed) == (1_000, True, 1_000)


def test_without_a_message_the_samples_are_used_in_every_language(db: None) -> None:
    version = factories.template("welcome", channels=["sms"], published=False).versions.get()
    Variant.objects.create(
        version=version, channel="sms", locale="zh-hans", content={"text": "订单 {{ order_no }}"}
    )
    version.samples = [{"name": "Li Wei", "params": {"order_no": "SO-1"}}]
    version.save()
    found = run(version, is_open=False)
    assert (found.done, found.is_of_messages, found.before) == (2, False, None)
    assert [each.variant.locale for each in chosen(found.candidates, Order.DIFFERENT)] == ["", "zh-hans"]
    [one, _other] = found.candidates
    assert one.set.params == {"order_no": "SO-1"}


def test_what_a_mask_breaks_is_not_held_against_the_draft(published: TemplateVersion) -> None:
    pattern = {"order_no": {"type": "string", "pattern": "^(SO-.*)?$"}}
    schema = {**SCHEMA, "properties": {**PROPERTIES, **pattern}}
    with_pattern = draft_of(published, schema=schema)
    TemplateVersion.objects.filter(pk=published.pk).update(state="archived")
    TemplateVersion.objects.filter(pk=with_pattern.pk).update(state="published")
    draft = draft_of(with_pattern, schema={**schema, "required": ["shop"]})
    found = run(draft, is_open=False)
    assert {kind.pointer: group.number for kind, group in found.findings.refused.items()} == {"/shop": 2}
    [group] = found.findings.refused.values()
    assert group.example.params["order_no"] in {"XX-0", ""}


def test_what_it_costs(published: TemplateVersion, admin_client: Client) -> None:
    Account.objects.filter(channel="sms").update(price="0.045", currency="EUR")
    draft = draft_of(published, sms={"text": "订单 {{ order_no }} 已付款。" + "谢谢" * 40})
    sms = run(draft).channels["sms"]
    assert (sms.cost(sms.before), sms.cost(sms.after)) == (Decimal("0.135"), Decimal("0.270"))
    assert run(draft).channels["email"].price is None
    seen = admin_client.get(f"/admin/templates_app/templateversion/{draft.pk}/rehearse/").content.decode()
    assert "0.27 EUR in all" in seen


# --- The page ---------------------------------------------------------------------------------------------------------


def test_the_page(published: TemplateVersion, admin_client: Client) -> None:
    draft = draft_of(
        published,
        schema={**SCHEMA, "required": ["order_no", "shop"]},
        sms={"text": "Paid: {{ order_no }}"},
        email={"subject": "{{ order_no / 2 }}", "text": "Paid."},
    )
    url = f"/admin/templates_app/templateversion/{draft.pk}/rehearse/"
    assert url in admin_client.get(url.replace("rehearse", "change")).content.decode()
    answer = admin_client.get(url, {"number": "300", "order": "longest", "channel": "nonsense"})
    seen = answer.content.decode()
    for text in ("shop is required.", "Subject, line 1", "Published, v1", "This version, v2", "Paid: SO-22"):
        assert text in seen
    assert answer.context["form"].asked[0] == 300


def test_the_page_masks_for_whom_it_has_to(published: TemplateVersion, as_role: AsRole) -> None:  # noqa: F811
    url = (
        f"/admin/templates_app/templateversion/{draft_of(published, sms={'text': '{{ shop }}'}).pk}/rehearse/"
    )
    editor = as_role("Template editors")
    seen = editor.get(url).content.decode()
    assert "Nord" not in seen
    assert "Xxxx" in seen
    assert "Open the message" not in seen
    user = User.objects.get()
    user.user_permissions.add(Permission.objects.get(codename="view_personal_data"))
    assert "Nord" in editor.get(url).content.decode()


def test_a_snippet_has_none(admin_client: Client) -> None:
    version = factories.template("foot", channels=[], kind="snippet").versions.get()
    page = admin_client.get(f"/admin/templates_app/templateversion/{version.pk}/change/").content.decode()
    assert "/rehearse/" not in page
