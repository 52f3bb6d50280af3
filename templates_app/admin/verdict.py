"""What lint makes of a version that was just saved, in one line."""

from collections import Counter

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext

from templates_app.lint import Severity, lint
from templates_app.models import TemplateVersion


def tell(request: HttpRequest, version: TemplateVersion) -> None:
    """Says how many errors and warnings there are, with the way to them; nothing where there are none."""
    found = Counter(problem.severity for problem in lint(version))
    counts = [
        _errors(found[Severity.ERROR]) if found[Severity.ERROR] else "",
        _warnings(found[Severity.WARNING]) if found[Severity.WARNING] else "",
    ]
    if said := ", ".join(filter(None, counts)):
        link = reverse("admin:templates_app_templateversion_preview_it", args=[version.pk])
        messages.warning(
            request,
            format_html('{} <a class="text-link" href="{}">{}</a>', said, link, gettext("What, and where")),
        )


def _errors(count: int) -> str:
    return ngettext(
        "%(count)s error stops it from being published",
        "%(count)s errors stop it from being published",
        count,
    ) % {"count": count}


def _warnings(count: int) -> str:
    return ngettext("%(count)s warning", "%(count)s warnings", count) % {"count": count}
