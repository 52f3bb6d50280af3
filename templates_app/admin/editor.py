"""What the page of a version needs besides its forms: for the scripts of the editor, and for two who edit at once."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from pushcenter.dressing import pretty
from templates_app import conflict, examples
from templates_app.adding import ROLES
from templates_app.admin import words
from templates_app.admin.labels import state_badge
from templates_app.admin.variant import sources
from templates_app.forms import VersionForm
from templates_app.locales import normalise
from templates_app.models import Template, TemplateKind, TemplateVersion, VersionState
from templates_app.preview import PERSON
from templates_app.variant_formset import VariantFormSet

#: Offered while somebody types a language; any other tag can be written, too.
LOCALES = [
    ("en", "English"), ("zh-hans", "简体中文"), ("zh-hant", "繁體中文"), ("ja", "日本語"), ("ko", "한국어"),
    ("de", "Deutsch"), ("fr", "Français"), ("es", "Español"), ("pt-br", "Português (Brasil)"), ("ru", "Русский"),
    ("ar", "العربية"), ("vi", "Tiếng Việt"), ("th", "ไทย"), ("id", "Bahasa Indonesia"),
]  # fmt: skip


def context(request: HttpRequest, version: TemplateVersion, *, can_write: bool) -> dict[str, Any]:
    """For the templates of the page."""
    return {
        "editor": {
            "live": reverse("admin:templates_app_templateversion_live", args=[version.pk]),
            "examples": [
                {"name": str(each.name), "params": each.params}
                for each in examples.further(version, request.user)
            ],
            "person": PERSON,
            "roles": ROLES,
            "parts": parts(version),
            "locales": dict(LOCALES),
            "texts": words.texts(),
            "filters": words.filters(),
            "tags": words.tags(),
        },
        "editor_badge": state_badge(version),
        "editor_locales": LOCALES,
        "editor_sources": [] if can_write else sources(version),
    }


def parts(version: TemplateVersion) -> list[dict[str, str]]:
    """The layouts and snippets that can be put in, besides what is edited here."""
    rows = Template.objects.exclude(kind=TemplateKind.MESSAGE).exclude(pk=version.template_id)
    live = rows.filter(versions__state=VersionState.PUBLISHED).order_by("code")
    return [{"code": each.code, "name": each.name, "kind": each.kind} for each in live]


def clash(form: VersionForm, variants: VariantFormSet) -> dict[str, Any]:
    """What somebody else stored meanwhile, and where this person's text is another."""
    current = form.conflict
    if current is None:
        return {}
    mine = {
        (each.shown_channel, normalise(each.shown_locale)): each["content"].value() or {}
        for each in variants.forms
        if not variants._should_delete_form(each)  # noqa: SLF001
    }
    names = {
        "note": (_("Change note"), current.note),
        "variables": (_("Variables"), pretty(current.variables)),
        "samples": (_("Samples"), pretty(current.samples)),
    }
    found = [
        each
        for name, (label, value) in names.items()
        for each in conflict.difference("", label, value, form.data.get(name))
    ]
    return {
        "current": current,
        "differences": [*found, *conflict.differences(current.contents, mine)],
    }
