"""What lint looks at: the facts of a template and one version of it as plain values, stored or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from channels_app.models import Account
from templates_app import parts
from templates_app.models import TemplateVersion, empty_schema


class Written(NamedTuple):
    """What is written for one channel in one locale.

    ``parts`` are the sources of the layouts and snippets that it comes to need, by the engine's names.
    """

    channel: str
    locale: str
    content: Mapping[str, Any]
    parts: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A version as it would be sent.

    ``channels`` is the route; ``samples`` are sets of parameters by name. ``can_be_left`` is False where the category
    is mandatory, as for security and contract; ``is_sendable`` is False for a layout or a snippet, which has no route
    and uses the variables of the message that it stands in. ``accounts`` are the adapters of the active accounts by
    channel, None where they are not known.
    """

    channels: Sequence[str] = ()
    variants: Sequence[Written] = ()
    schema: Any = field(default_factory=empty_schema)
    samples: Sequence[tuple[str, Any]] = ()
    is_sendable: bool = True
    can_be_left: bool = True
    accounts: Mapping[str, frozenset[str]] | None = None


def draft_of(version: TemplateVersion) -> Draft:
    """A stored version as it stands now."""
    template = version.template
    return Draft(
        channels=tuple(template.channels),
        variants=tuple(
            Written(each.channel, each.locale, each.content, parts.of_variant(each))
            for each in version.variants.select_related("version")
        ),
        schema=version.variables,
        samples=samples_of(version),
        is_sendable=template.is_sendable,
        can_be_left=not template.category.is_mandatory,
        accounts=active_adapters(),
    )


def samples_of(version: TemplateVersion) -> list[tuple[str, Any]]:
    """The samples, each with its name."""
    given = version.samples if isinstance(version.samples, list) else []
    return [(str(each.get("name", "")), each.get("params")) for each in given if isinstance(each, dict)]


def active_adapters() -> dict[str, frozenset[str]]:
    """The adapters of the accounts that are given work, by channel."""
    found: dict[str, set[str]] = {}
    for channel, adapter in Account.objects.filter(is_active=True).values_list("channel", "adapter"):
        found.setdefault(channel, set()).add(adapter)
    return {channel: frozenset(names) for channel, names in found.items()}
