"""With what a template was sent lately: the parameters of its newest messages, for whoever tries out a new version."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pushcenter.messaging import trials
from pushcenter.messaging.content import context
from pushcenter.messaging.disguise import constants, disguised
from pushcenter.messaging.models import Message
from templates_app.models import Template

MOST = 1_000
#: So many of the newest messages are looked at, of which some are tests, or of people who are forgotten.
LOOKED_AT = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """What one message was made of; ``recipient`` as its template saw the person."""

    id: UUID
    accepted_at: datetime
    params: Mapping[str, Any]
    recipient: Mapping[str, Any]
    locale: str


def recent(template: Template, number: int, *, is_open: bool) -> list[Recent]:
    """The newest first, no tests; masked unless ``is_open``, but for the values that the template itself names."""
    rows = _newest(template, min(number, MOST))
    known = frozenset() if is_open else _named(template)
    return [_recent(*row, known=None if is_open else known) for row in rows]


def _newest(template: Template, number: int) -> list[Any]:
    # The index of a template's messages leads to the newest ones; how far back is known from it alone.
    newest = Message.objects.filter(template=template).order_by("-id")
    rows = newest.filter(is_test=False).exclude(to={})  # who was forgotten has left nothing
    rows = rows.exclude(system=trials.system_id())
    last = newest.values_list("pk", flat=True)[LOOKED_AT : LOOKED_AT + 1]
    if beyond := list(last):
        rows = rows.filter(pk__gt=beyond[0])
    return list(rows.values_list("pk", "accepted_at", "params", "to")[:number])


def _named(template: Template) -> frozenset[str]:
    published = template.published
    return frozenset(constants(published.variables)) if published else frozenset()


def _recent(
    pk: UUID, at: datetime, params: Mapping[str, Any], to: Mapping[str, Any], *, known: frozenset[str] | None
) -> Recent:
    locale = str(to.get("locale", ""))
    person = context({}, to, leave="")["recipient"]
    if known is not None:
        params = disguised(params, known=known)
        person = {**disguised(person), "locale": locale}  # a language is nobody's own
    return Recent(id=pk, accepted_at=at, params=params, recipient=person, locale=locale)
