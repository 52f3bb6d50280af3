"""The parameters of recent messages, and their disguise."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User

from channels_app.segments import segments
from pushcenter.messaging import erasure, recent
from pushcenter.messaging.disguise import constants, disguised
from templates_app.examples import further
from templates_app.models import Template
from tests import factories


@pytest.mark.parametrize(
    ("given", "masked"),
    [
        ("Li Wei, 7 Rue René", "Xx Xxx, 0 Xxx Xxxx"),
        ("SO-1042", "XX-0000"),
        ("李伟 先生", "某某 某某"),
        ("Анна", "Жжжж"),
        ("li.wei@example.com", "xx.xxx@xxxxxxx.xxx"),
        ("https://shop.example/o/17?t=aB", "https://xxxx.xxxxxxx/x/00?x=xX"),
        ("2026-11-28", "2000-01-01"),
        ("2026-11-28T09:30:00+08:00", "2000-01-01T00:00:00+00:00"),
        ("2026-11-28 09:30", "2000-01-01 00:00"),
        ("2026-11-28 09:30 Dr. Wei, HIV", "0000-00-00 00:00 Xx. Xxx, XXX"),
        ("paid", "paid"),
        (249, 111),
        (-10.05, -10.01),
        (0, 0),
        (True, True),
        (None, None),
        ({"name": ["Wei", 1]}, {"name": ["Xxx", 1]}),
    ],
)
def test_a_disguise_keeps_the_shape(given: Any, masked: Any) -> None:
    assert disguised(given, known={"paid"}) == masked


@pytest.mark.parametrize("text", ["Zoë ate crêpes", "Total: 5 € [net]", "𠮷野家で😀 ok", "नमस्ते", "x" * 161])
def test_a_disguise_takes_as_many_parts_of_a_text_message(text: str) -> None:
    before, after = segments(text), segments(disguised(text))
    assert (before.encoding, before.units, before.count) == (after.encoding, after.units, after.count)


def test_the_values_that_a_schema_names() -> None:
    schema = {"properties": {"state": {"enum": ["paid", 1]}, "shop": {"anyOf": [{"const": "A"}]}}}
    assert set(constants(schema)) == {"paid", "A"}


@pytest.fixture
def template(db: None) -> Template:
    factories.accounts("email", "inbox")
    factories.recipient()
    template = factories.template()
    for number in ("SO-1", "SO-2", "SO-2"):
        factories.message(params={"order_no": number, "amount": "0"})
    return template


def numbers(template: Template, number: int = 100) -> list[str]:
    return [each.params["order_no"] for each in recent.recent(template, number, is_open=True)]


def test_the_newest_come_first_and_no_tests(template: Template) -> None:
    factories.message(caller=factories.caller(is_test=True), params={"order_no": "T"})
    assert numbers(template) == ["SO-2", "SO-2", "SO-1"]
    assert numbers(template, 2) == ["SO-2", "SO-2"]
    [first, *_rest] = recent.recent(template, 1, is_open=True)
    assert first.recipient == {"id": "u-1001", "name": "Li Wei", "locale": "zh-hans"}
    assert first.locale == "zh-hans"


def test_it_looks_back_no_further_than_it_says(template: Template, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "LOOKED_AT", 2)
    assert numbers(template) == ["SO-2", "SO-2"]


def test_who_was_forgotten_has_left_nothing(template: Template) -> None:
    person = factories.recipient("u-2")
    factories.message(to={"recipient": "u-2"}, params={"order_no": "SO-9"})
    assert numbers(template)[0] == "SO-9"
    erasure.erase([person.pk], by="olga")
    assert numbers(template) == ["SO-2", "SO-2", "SO-1"]


def test_they_are_masked_but_for_what_the_template_itself_names(template: Template) -> None:
    [first, *_rest] = recent.recent(template, 1, is_open=False)
    assert first.params == {"order_no": "XX-0", "amount": "0"}
    assert first.recipient == {"id": "x-0000", "name": "Xx Xxx", "locale": "zh-hans"}


def test_the_editor_offers_each_set_once_and_masked_to_whom_it_has_to(template: Template) -> None:
    version, user = template.versions.get(), User.objects.create_user("ann")
    assert [each.params["order_no"] for each in further(version, user)] == ["XX-0"]
    user.user_permissions.add(Permission.objects.get(codename="view_personal_data"))
    seen = User.objects.get(pk=user.pk)
    assert [each.params["order_no"] for each in further(version, seen)] == ["SO-2", "SO-1"]
