"""What a message says on a channel: rendered from its version and parameters, whenever it is asked for."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from pushcenter.messaging import leaving
from pushcenter.messaging.models import Delivery
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


def content_of(delivery: Delivery) -> dict[str, Any]:
    """The content by field; raises :class:`templates_app.render.RenderError`."""
    message = delivery.message
    said = compiled(str(message.version_id), delivery.channel, delivery.locale)
    return said.render(
        context(message.params, message.to, leave=leaving.url_of(str(delivery.pk), message.category))
    )


def context(params: Mapping[str, Any], to: Mapping[str, Any], *, leave: str) -> dict[str, Any]:
    """The names that a template sees: its parameters, ``recipient``, and the way out of its category."""
    person = {"id": to.get("recipient", ""), "name": to.get("name", ""), "locale": to.get("locale", "")}
    return {**params, "recipient": person, "unsubscribe_url": leave}


def seen(delivery: Delivery) -> dict[str, Any]:
    """What the recipient saw; empty where it cannot be rendered (the trace tells why)."""
    try:
        return content_of(delivery)
    except RenderError:
        return {}
