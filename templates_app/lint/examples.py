"""Short ways to the drafts that stand as examples in the rules."""

from collections.abc import Mapping
from typing import Any

from templates_app.lint.draft import Draft, Written


def draft(*variants: Written, declared: Mapping[str, Any] | None = None, **facts: Any) -> Draft:
    """These variants, with the variables that ``declared`` describes by name."""
    schema = {
        "type": "object",
        "properties": dict(declared or {}),
        "required": [],
        "additionalProperties": False,
    }
    return Draft(variants=variants, **{"schema": schema, **facts})


def on(channel: str, locale: str = "", **content: Any) -> Written:
    """A variant."""
    return Written(channel, locale, content)


def mail(html: str = "", text: str = "", subject: str = "Your order", **facts: Any) -> Draft:
    """A mail alone."""
    filled = {"subject": subject, "html": html, "text": text}
    return draft(on("email", **{name: value for name, value in filled.items() if value}), **facts)


TEXT: Mapping[str, Any] = {"type": "string"}
