"""What the pages of templates and of versions share."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from pushcenter.dialogs import ask
from pushcenter.dressing import badge
from templates_app.models import Template, TemplateVersion

STATE_COLOURS = {
    "draft": "info",
    "in_review": "warning",
    "scheduled": "primary",
    "canary": "primary",
    "published": "success",
    "archived": "default",
    "trial": "default",
}
NEW_DRAFT = ask(_("Start a new draft?"), _("It begins as a copy."), _("New draft"))


def template_url(template: Template, page: str = "change") -> str:
    """Layouts and snippets have pages of their own."""
    model = "template" if template.is_sendable else "part"
    return reverse(f"admin:templates_app_{model}_{page}", args=[template.pk])


def version_url(version: TemplateVersion) -> str:
    return reverse("admin:templates_app_templateversion_change", args=[version.pk])


def compared_link(version: TemplateVersion) -> str:
    """To what is different from the version before it."""
    if version.number == 1:
        return "–"
    url = reverse("admin:templates_app_templateversion_compare", args=[version.pk])
    return format_html('<a class="text-link" href="{}?with=before">{}</a>', url, _("with the one before"))


def state_badge(version: TemplateVersion) -> str:
    return badge(version.get_state_display(), STATE_COLOURS[version.state])
