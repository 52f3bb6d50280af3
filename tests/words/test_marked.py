"""What the console shows of models, tables, forms, channels and adapters is marked for translation."""

from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth.models import User
from django.db import models
from django.test import RequestFactory
from django.urls import get_resolver
from django.utils.functional import Promise

from channels_app import registry
from tests.words.extract import PACKAGES

OURS = tuple(f"{package}." for package in PACKAGES)
#: What is called the same in every language.
SAME = {"id"}


def is_marked(text: Any) -> bool:
    return not text or isinstance(text, Promise)


def our_models() -> list[type[models.Model]]:
    return [each for each in apps.get_models() if each.__module__.startswith(OURS)]


def shown_models() -> list[type[models.Model]]:
    """Those with a page, or a part of one, in the console."""
    pages = admin.site._registry
    inlines = {inline.model for page in pages.values() for inline in page.inlines}
    return [each for each in our_models() if each in pages or each in inlines]


def shown_fields(model: type[models.Model]) -> Iterator[Any]:
    yield from (
        each for each in model._meta.fields if each.name not in SAME and not each.name.startswith("_")
    )


@pytest.mark.parametrize("model", shown_models(), ids=lambda each: each.__name__)
def test_a_model_and_what_it_shows_are_marked(model: type[models.Model]) -> None:
    meta = model._meta
    unmarked = [name for name in (meta.verbose_name, meta.verbose_name_plural) if not is_marked(name)]
    for field in shown_fields(model):
        labels = [label for _value, label in field.choices or []]
        unmarked += [text for text in (field.help_text, *labels) if not is_marked(text)]
    assert unmarked == []


@pytest.mark.parametrize("model", shown_models(), ids=lambda each: each.__name__)
def test_the_names_of_fields_on_pages_are_marked(model: type[models.Model]) -> None:
    page = admin.site._registry.get(model)
    if page is None:
        pytest.skip("it is shown on the page of another one")
    request = RequestFactory().get("/admin/")
    request.user = User(is_superuser=True, is_active=True, is_staff=True)
    names = {*page.get_list_display(request), *flatten_fieldsets(_fieldsets(page, request))}
    fields = {each.name: each for each in shown_fields(model)}
    assert [name for name in names & fields.keys() if not is_marked(fields[name].verbose_name)] == []


def _fieldsets(page: Any, request: Any) -> Any:
    sets = page.fieldsets or [(None, {"fields": page.fields or ()})]
    return [(title, options) for title, options in sets]


def test_columns_and_actions_are_marked() -> None:
    unmarked = []
    for page in admin.site._registry.values():
        for name in dir(type(page)):
            member = getattr(type(page), name, None)
            description = getattr(member, "short_description", None)
            if str(getattr(member, "__module__", "")).startswith(OURS) and not is_marked(description):
                unmarked.append(f"{type(page).__name__}.{name}")
    assert unmarked == []


def test_channels_and_address_kinds_are_marked() -> None:
    unmarked = [each.name for each in registry.channels().values() if not is_marked(each.label)]
    for channel in registry.channels().values():
        unmarked += _unmarked(channel.content)
    unmarked += [name for name, each in registry.address_kinds().items() if not is_marked(each.label)]
    assert unmarked == []


def test_adapters_are_marked() -> None:
    built_in = [each for each in registry.adapters().values() if each.__module__.startswith(OURS)]
    assert [each.name for each in built_in if not is_marked(each.label)] == []
    assert [text for each in built_in for text in _unmarked(each.Config)] == []


def _unmarked(form: type[forms.Form]) -> list[str]:
    return [
        f"{form.__module__} {name}"
        for name, field in form.base_fields.items()
        if not field.label or not is_marked(field.label) or not is_marked(field.help_text)
    ]


def _forms(base: Any = forms.BaseForm) -> Iterator[Any]:
    for each in base.__subclasses__():
        if each.__module__.startswith(OURS):
            yield each
        yield from _forms(each)


def test_forms_of_pages_and_dialogs_are_marked() -> None:
    get_resolver().url_patterns  # noqa: B018  (imports all pages with their forms)
    unmarked = [
        f"{each.__module__}.{each.__name__}.{name}"
        for each in set(_forms())
        for name, field in getattr(each, "declared_fields", {}).items()
        if not isinstance(field.widget, forms.HiddenInput)
        and not (field.label and is_marked(field.label) and is_marked(field.help_text))
    ]
    assert sorted(unmarked) == []
