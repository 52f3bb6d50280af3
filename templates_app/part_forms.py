"""What is written where: the fields of a channel's messages, and of the two forms of a layout or a snippet."""

from collections.abc import Mapping

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from channels_app import registry
from channels_app.contract import TextSource


class HtmlPart(forms.Form):
    """A layout or a snippet within HTML."""

    source = TextSource(html=True, rows=14, label=_("HTML"))


class TextPart(forms.Form):
    """A layout or a snippet within anything else."""

    source = TextSource(rows=8, label=_("Text"))


#: They stand in place of channels; nothing is sent on them.
PARTS: Mapping[str, tuple[str | Promise, type[forms.Form]]] = {
    "html": (_("HTML"), HtmlPart),
    "text": (_("Text"), TextPart),
}


def form_of(channel: str) -> type[forms.Form] | None:
    """The form of what is written for a channel; None where it is not installed."""
    if channel in PARTS:
        return PARTS[channel][1]
    known = registry.channels().get(channel)
    return known.content if known else None


def carries_way_out(channel: str) -> bool:
    """Whether messages of a channel carry the way out of their category, whatever they say."""
    known = registry.channels().get(channel)
    return known is not None and known.carries_way_out


def label_of(channel: str) -> str | Promise:
    if channel in PARTS:
        return PARTS[channel][0]
    known = registry.channels().get(channel)
    return known.label if known else channel


def names(*, of_parts: bool) -> list[str]:
    """The channels that a message can be written for, or in place of them the forms of a part."""
    return list(PARTS) if of_parts else list(registry.channels())
