"""Lists in pages: ``?limit=`` and ``?cursor=`` in, ``items`` and ``next`` out. The same for every list.

A cursor names the last row of a page by what the list is sorted by, so that rows that come or go meanwhile shift
nothing.
"""

from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from django.core.exceptions import ValidationError as ModelValidationError
from django.db.models import QuerySet
from rest_framework import serializers

from pushcenter.access.fields import QuerySerializer, TextField, WholeField

MAX_LIMIT = 200


class PageQuerySerializer(QuerySerializer):
    """The base of every list's parameters."""

    limit = WholeField(
        required=False, min_value=1, max_value=MAX_LIMIT, default=50, help_text="Items on a page."
    )
    cursor = TextField(required=False, max_length=2000, help_text="The `next` of the page before.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The rows of a page, and the cursor of the following one; None on the last."""

    items: Sequence[Any]
    next: str | None


def page(rows: QuerySet[Any], query: Mapping[str, Any], *, by: str, newest_first: bool = False) -> Page:
    """The page that a valid query asks for. ``by`` is the field that sorts the list; no two rows share a value."""
    rows = rows.order_by(f"-{by}" if newest_first else by)
    if cursor := query.get("cursor"):
        rows = _after(rows, _decoded(cursor), by=by, newest_first=newest_first)
    limit = query["limit"]
    # One more than the page holds tells whether another one follows.
    found = list(rows[: limit + 1])
    last = attrgetter(by.replace("__", "."))(found[limit - 1]) if len(found) > limit else None
    return Page(items=found[:limit], next=None if last is None else _encoded(str(last)))


def next_cursor() -> serializers.CharField:
    """The last field of every page's shape."""
    return serializers.CharField(
        allow_null=True, help_text="The cursor of the following page; null on the last."
    )


def _after(rows: QuerySet[Any], last: str, *, by: str, newest_first: bool) -> QuerySet[Any]:
    try:
        return rows.filter(**{f"{by}__{'lt' if newest_first else 'gt'}": last})
    except (ValueError, ModelValidationError):  # of another list, sorted by something else
        raise _bad_cursor() from None


def _encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(cursor: str) -> str:
    try:
        text = b64decode(cursor + "=" * (-len(cursor) % 4), altchars="-_", validate=True).decode()
    except ValueError:
        raise _bad_cursor() from None
    if "\0" in text:
        raise _bad_cursor()
    return text


def _bad_cursor() -> serializers.ValidationError:
    fault = serializers.ValidationError("Give the `next` of the page before.", "invalid_cursor")
    return serializers.ValidationError({"cursor": fault.detail})
