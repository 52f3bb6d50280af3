"""With what a version is rehearsed: real messages, or its samples where nothing was sent yet."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pushcenter.messaging.recent import recent
from templates_app.models import TemplateVersion
from templates_app.preview import PERSON, way_out


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """One set of parameters, for a person with a language. It is of a message, or a sample with a name.

    ``provided`` is what a template sees besides.
    """

    params: Mapping[str, Any]
    provided: Mapping[str, Any]
    locale: str
    message: UUID | None = None
    at: datetime | None = None
    name: str = ""


def sets(version: TemplateVersion, number: int, *, is_open: bool) -> list[Set]:
    """Those of the newest messages of the template, masked unless ``is_open``; else the samples of the version."""
    found = [
        Set(
            params=each.params,
            provided=_provided(version, each.recipient),
            locale=each.locale,
            message=each.id,
            at=each.accepted_at,
        )
        for each in recent(version.template, number, is_open=is_open)
    ]
    return found or list(_samples(version))


def _samples(version: TemplateVersion) -> Iterator[Set]:
    """Each sample in each language that the version is written in."""
    locales = sorted(set(version.variants.values_list("locale", flat=True)))
    for sample in version.samples:
        for locale in locales:
            person = {**PERSON, "locale": locale}
            provided = _provided(version, person)
            yield Set(params=sample["params"], provided=provided, locale=locale, name=sample["name"])


def _provided(version: TemplateVersion, person: Mapping[str, Any]) -> dict[str, Any]:
    return {"recipient": person, "unsubscribe_url": way_out(version)}
