"""What a message says on a channel: rendered from its version and parameters, whenever it is asked for."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from pushcenter.messaging.models import Delivery, Message
from templates_app.models import Variant
from templates_app.render import Compiled, RenderError, choose_variant, parsed


@lru_cache(maxsize=512)
def _variants(version_id: str) -> tuple[Variant, ...]:
    # Messages are accepted for published versions only, and those never change.
    return tuple(Variant.objects.filter(version_id=UUID(version_id)))


@lru_cache(maxsize=2048)
def compiled(version_id: str, channel: str, locale: str) -> Compiled:
    """What a published version says on a channel in a language, parsed once; raises :class:`RenderError`."""
    variant = choose_variant(_variants(version_id), channel=channel, locale=locale)
    if variant is None:
        raise RenderError(f"there is no variant for the channel {channel}")
    return parsed(variant)


def content_of(message: Message, *, channel: str, locale: str) -> dict[str, Any]:
    """The content by field; raises :class:`templates_app.render.RenderError`."""
    said = compiled(str(message.version_id), channel, locale)
    return said.render(context(message.params, message.to))


def context(params: Mapping[str, Any], to: Mapping[str, Any]) -> dict[str, Any]:
    """The names that a template sees: its parameters, and ``recipient``."""
    person = {"id": to.get("recipient", ""), "name": to.get("name", ""), "locale": to.get("locale", "")}
    return {**params, "recipient": person}


def seen(delivery: Delivery) -> dict[str, Any]:
    """What the recipient saw; empty where it cannot be rendered (the trace tells why)."""
    try:
        return content_of(delivery.message, channel=delivery.channel, locale=delivery.locale)
    except RenderError:
        return {}
