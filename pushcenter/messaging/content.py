"""What a message says on a channel: rendered from its version and parameters, whenever it is asked for."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from pushcenter.messaging.models import Delivery, Message
from templates_app.models import Variant
from templates_app.render import RenderError, choose_variant, render_variant


@lru_cache(maxsize=512)
def _variants(version_id: UUID) -> tuple[Variant, ...]:
    # Messages are accepted for published versions only, and those never change.
    return tuple(Variant.objects.filter(version_id=version_id))


def content_of(message: Message, *, channel: str, locale: str) -> dict[str, Any]:
    """The content by field; raises :class:`templates_app.render.RenderError`."""
    variant = choose_variant(_variants(message.version_id), channel=channel, locale=locale)
    if variant is None:
        raise RenderError(f"there is no variant for the channel {channel}")
    return render_variant(variant, context(message), published=True)


def context(message: Message) -> dict[str, Any]:
    """The names that a template sees: its parameters, and ``recipient``."""
    to: Mapping[str, Any] = message.to
    person = {"id": to.get("recipient", ""), "name": to.get("name", ""), "locale": to.get("locale", "")}
    return {**message.params, "recipient": person}


def seen(delivery: Delivery) -> dict[str, Any]:
    """What the recipient saw; empty where it cannot be rendered (the trace tells why)."""
    try:
        return content_of(delivery.message, channel=delivery.channel, locale=delivery.locale)
    except RenderError:
        return {}
