"""A version as its recipients would see it, with its own sample parameters or with those of a caller."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from channels_app import registry
from channels_app.contract import StrOrPromise
from pushcenter.faults import Fault, Rejected
from templates_app.looks import look
from templates_app.looks.senders import sender
from templates_app.models import TemplateVersion, Variant
from templates_app.part_forms import label_of
from templates_app.render import RenderError, choose_variant, render, render_variant
from templates_app.variables import faults, with_defaults

PERSON = {"id": "u-1001", "name": "Li Wei", "locale": ""}
#: Stands for the link by which people leave a category.
LEAVE = "https://push.example.com/u/example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One variant: how it looks, or why it cannot be rendered."""

    variant: Variant
    content: Mapping[str, Any] | None = None
    picture: str = ""
    error: str = ""

    @property
    def label(self) -> StrOrPromise:
        return label_of(self.variant.channel)


def preview(version: TemplateVersion) -> list[Preview]:
    """Every variant with the first sample; a fault in one does not hide the others."""
    return preview_with(version, version.sample)


def preview_with(version: TemplateVersion, params: Mapping[str, Any]) -> list[Preview]:
    """The same with other parameters."""
    provided = {"recipient": PERSON, "unsubscribe_url": way_out(version)}
    context = {**provided, **with_defaults(version, params)}
    return [_one(version, variant, context) for variant in version.variants.all()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What a variant says by field; or in ``error`` why it cannot be rendered."""

    channel: str
    locale: str
    content: Mapping[str, Any] | None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a caller wants to see. Without a channel, every one; without a locale, every variant."""

    params: Mapping[str, Any]
    channel: str = ""
    locale: str = ""
    person: Mapping[str, str]


def rendered(version: TemplateVersion, wanted: Wanted) -> list[Rendered]:
    """The content of the wanted variants; raises :class:`Rejected` as sending with these parameters would."""
    variants = list(version.variants.order_by("channel", "locale"))
    if problems := [*_channel_faults(wanted.channel, variants), *faults(version, wanted.params)]:
        raise Rejected(problems)
    provided = {"recipient": dict(wanted.person), "unsubscribe_url": way_out(version)}
    context = {**with_defaults(version, wanted.params), **provided}
    is_published = version.is_final
    return [_rendered(variant, context, published=is_published) for variant in _chosen(variants, wanted)]


def way_out(version: TemplateVersion) -> str:
    """An example of the link; empty where nobody can leave, as when it is sent."""
    category = version.template.category
    return "" if category is not None and category.is_mandatory else LEAVE


def _channel_faults(channel: str, variants: Iterable[Variant]) -> Iterable[Fault]:
    if not channel or channel in {variant.channel for variant in variants}:
        return []
    if channel in registry.channels():
        detail = f"The template says nothing on the channel {channel}."
        return [Fault(pointer="/channel", code="no_variant", detail=detail)]
    detail = f"There is no channel {channel!r}."
    return [Fault(pointer="/channel", code="unknown_channel", detail=detail)]


def _chosen(variants: list[Variant], wanted: Wanted) -> list[Variant]:
    channels = [wanted.channel] if wanted.channel else sorted({variant.channel for variant in variants})
    if not wanted.locale:
        return [variant for variant in variants if variant.channel in channels]
    nearest = [choose_variant(variants, channel=name, locale=wanted.locale) for name in channels]
    return [variant for variant in nearest if variant is not None]


def _rendered(variant: Variant, context: Mapping[str, Any], *, published: bool) -> Rendered:
    try:
        content = render_variant(variant, dict(context), published=published)
    except RenderError as error:
        return Rendered(channel=variant.channel, locale=variant.locale, content=None, error=str(error))
    return Rendered(channel=variant.channel, locale=variant.locale, content=content)


def _one(version: TemplateVersion, variant: Variant, params: dict[str, Any]) -> Preview:
    try:
        content = render(version, channel=variant.channel, locale=variant.locale, params=params)
    except RenderError as error:
        return Preview(variant=variant, error=str(error))
    return Preview(
        variant=variant,
        content=content,
        picture=look(variant.channel, content, sender=sender(variant.channel)),
    )


def sample_faults(version: TemplateVersion, params: Mapping[str, Any]) -> list[str]:
    """Where the sample does not hold to the schema."""
    return [f"{each.pointer.removeprefix('/params')}: {each.detail}" for each in faults(version, params)]
