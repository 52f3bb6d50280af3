"""The layouts and snippets that a version is made with: named in its text, and pinned when it is published."""

from django.utils.translation import gettext as _

from templates_app.models import Template, TemplateKind, TemplateVersion
from templates_app.parts import codes, demanded, versions
from templates_app.soundness import PublishingError


def pinned(version: TemplateVersion) -> dict[str, str]:
    """The published versions of all parts that a version needs, also of those that its parts need, by their codes.

    Raises :class:`PublishingError` where one is not there.
    """
    found: dict[str, str] = {}
    contents = list(version.variants.values_list("content", flat=True))
    while wanted := codes(contents) - set(found):
        known = versions(wanted)
        if missing := sorted(demanded(contents) - set(known) - set(found)):
            raise PublishingError([_not_there(code) for code in missing])
        if not known:  # what is left may be missing
            break
        found |= {code: str(row.pk) for code, row in known.items()}
        contents = [variant.content for row in known.values() for variant in row.variants.all()]
    return found


def _not_there(code: str) -> str:
    if Template.objects.exclude(kind=TemplateKind.MESSAGE).filter(code=code).exists():
        return _("The layout or snippet “%(code)s” has no published version.") % {"code": code}
    return _("There is no layout or snippet “%(code)s”.") % {"code": code}
