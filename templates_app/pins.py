"""The layouts and snippets that a version is made with: named in its text, and pinned when it is published."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from templates_app.models import Template, TemplateKind, TemplateVersion, VersionState
from templates_app.soundness import PublishingError

#: ``{% extends "brand" %}``, ``{% include 'signature' %}``, ``{% import "macros" as m %}``, ``{% from "macros" …``.
_TAG = re.compile(r"""\{%[-+]?\s*(?:extends|include|import|from)\s+(["'])([^"']+)\1""")


def named(contents: Iterable[Mapping[str, Any]]) -> set[str]:
    """The codes of the parts that these contents name themselves."""
    return {
        code for content in contents for source in _texts(content) for _quote, code in _TAG.findall(source)
    }


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)


def pinned(version: TemplateVersion) -> dict[str, str]:
    """The published versions of all parts that a version needs, also of those that its parts need, by their codes.

    Raises :class:`PublishingError` where one is not there.
    """
    found: dict[str, str] = {}
    wanted = named(version.variants.values_list("content", flat=True))
    while wanted:
        rows = TemplateVersion.objects.filter(
            template__code__in=wanted, state=VersionState.PUBLISHED
        ).exclude(template__kind=TemplateKind.MESSAGE)
        known = {
            row.template.code: row for row in rows.select_related("template").prefetch_related("variants")
        }
        if missing := sorted(wanted - set(known)):
            raise PublishingError([_not_there(code) for code in missing])
        found |= {code: str(row.pk) for code, row in known.items()}
        wanted = named(variant.content for row in known.values() for variant in row.variants.all()) - set(
            found
        )
    return found


def _not_there(code: str) -> str:
    if Template.objects.exclude(kind=TemplateKind.MESSAGE).filter(code=code).exists():
        return _("The layout or snippet “%(code)s” has no published version.") % {"code": code}
    return _("There is no layout or snippet “%(code)s”.") % {"code": code}
