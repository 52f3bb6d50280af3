"""A new variant that begins with the text of another one, also of one for another channel."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from templates_app.models import TemplateVersion, Variant
from templates_app.part_forms import form_of
from templates_app.variant_form import LOCALE

CHAT = {"title": "title", "text": "text", "link": "link"}
#: What a field is on its channel: people carry a title and a text from one to the other.
ROLES: Mapping[str, Mapping[str, str]] = {
    "email": {"title": "subject", "text": "text"},
    "sms": {"text": "text"},
    "push": {"title": "title", "text": "body", "link": "link"},
    "inbox": {"title": "title", "text": "body", "link": "link"},
    "whatsapp": {"text": "text"},
    **dict.fromkeys(("wecom", "dingtalk", "feishu", "slack", "teams"), CHAT),
}


def begun_with(content: Mapping[str, Any], *, source: str, target: str) -> dict[str, Any]:
    """The content for the channel ``target``, from that of the channel ``source``."""
    if source == target:
        return dict(content)
    given, wanted = ROLES.get(source, {}), ROLES.get(target, {})
    return {
        wanted[role]: content[name] for role, name in given.items() if role in wanted and content.get(name)
    }


def added(version: TemplateVersion, place: tuple[str, str], source: str | None) -> str:
    """Store a variant for a channel and locale, from the one with the id ``source``; or say why that cannot be."""
    channel, locale = place
    if form_of(channel) is None or (locale and not LOCALE.fullmatch(locale)):
        return _("There is no such channel or language.")
    stored = list(version.variants.all())
    if any((each.channel, each.locale) == place for each in stored):
        return _("There is such a variant already.")
    copied = next((each for each in stored if str(each.pk) == source), None)
    content = begun_with(copied.content, source=copied.channel, target=channel) if copied else {}
    Variant.objects.create(version=version, channel=channel, locale=locale, content=content)
    return ""
