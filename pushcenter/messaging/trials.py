"""Test sends: a version, also a draft, goes to oneself or to a few people of a test group, as real messages do.

The messages belong to a frozen copy of the version and to a system of its own, so that reports can leave them out.
What a person has muted does not count here, because it was that person who asked; a suppressed address stays
suppressed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from channels_app import registry
from channels_app.models import Account
from channels_app.serving import served_channels
from pushcenter.faults import Rejected
from pushcenter.ids import uuid7
from pushcenter.lanes import Lane
from pushcenter.messaging import intake
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.own_systems import TESTS as SYSTEM
from pushcenter.messaging.request import Caller, Item
from pushcenter.messaging.routing import Route
from pushcenter.messaging.rows import Accepted, Rows
from pushcenter.messaging.validate import Terms
from pushcenter.recipients.models import Group
from pushcenter.recipients.person import Person
from pushcenter.recipients.resolve import resolve
from templates_app import catalog
from templates_app.drafts import trial_copy
from templates_app.history import of_version
from templates_app.models import ChangeKind, TemplateVersion
from templates_app.variables import faults

#: A test that did not get through by then is over.
TIME_TO_LIVE = timedelta(minutes=30)
#: A test group is a few people; a larger group was marked by mistake.
MOST_PEOPLE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody wants to try out. ``to`` are requests' ``to``; without an account, those of the channels serve."""

    to: Sequence[Mapping[str, Any]]
    channels: Sequence[str]
    params: Mapping[str, Any]
    is_simulated: bool = False
    account: Account | None = None


@transaction.atomic
def send(version: TemplateVersion, asked: Asked, *, by: User) -> str:
    """Store the messages; returns the reference by which :func:`messages` finds them.

    Raises :class:`Rejected` with all that is wrong, and then stores nothing.
    """
    copy = trial_copy(version)
    terms = _terms(copy, asked)
    if found := faults(copy, asked.params):
        raise Rejected(found)
    people = [resolve(to, is_test=asked.is_simulated) for to in asked.to]
    reference = f"{_prefix(by)}{uuid7()}"
    accepted = _store(terms, asked, people, reference)
    if asked.account:
        ids = [UUID(hex=each.hex) for each in accepted]
        deliveries = Delivery.objects.filter(message__in=ids, channel=asked.account.channel)
        deliveries.update(pinned_to=asked.account.pk)
    of_version(
        ChangeKind.TEST_SENT,
        version,
        by=by,
        messages=len(accepted),
        channels=[*asked.channels],
        simulated=asked.is_simulated,
    )
    return reference


def messages(reference: str, *, by: User) -> list[Message]:
    """Those of one test, for the person who made it."""
    if not reference.startswith(_prefix(by)):
        return []
    rows = Message.objects.filter(system__code=SYSTEM, reference=reference).select_related(
        "version__template"
    )
    return list(rows.order_by("id"))


def system_id() -> UUID | None:
    """The system that the tests belong to; None before the first one."""
    return apps.get_model("access.System").objects.filter(code=SYSTEM).values_list("pk", flat=True).first()


def people_of(group: Group) -> list[dict[str, Any]]:
    """The ``to`` of everybody in a test group, up to :data:`MOST_PEOPLE`."""
    ids = group.recipients.order_by("external_id").values_list("external_id", flat=True)
    return [{"recipient": each} for each in ids[:MOST_PEOPLE]]


def _prefix(by: User) -> str:
    return f"test:{by.pk}:"


def _store(terms: Terms, asked: Asked, people: Sequence[Person], reference: str) -> list[Accepted]:
    written = Rows()
    accepted = [
        written.add(
            Item(to=to, params=asked.params, reference=reference), terms, person, intake.decide(terms, person)
        )
        for to, person in zip(asked.to, people, strict=True)
    ]
    written.write()
    return accepted


def _terms(copy: TemplateVersion, asked: Asked) -> Terms:
    now = timezone.now()
    published = catalog.of(copy)
    system, _is_new = apps.get_model("access.System").objects.get_or_create(
        code=SYSTEM, defaults={"name": "Tests from the console", "may_broadcast": False}
    )
    route = Route(
        channels=tuple(asked.channels),
        first_only=False,
        category=published.category,
        is_mandatory=True,
        variants=published.written,
        permitted=(),
        served=registry.channels().keys() if asked.is_simulated else served_channels(),
    )
    return Terms(
        caller=Caller(system_id=system.pk, is_test=asked.is_simulated),
        published=published,
        category=published.category,
        route=route,
        lane=Lane.HIGH,
        send_at=None,
        expires_at=now + TIME_TO_LIVE,
        accepted_at=now,
        metadata={},
        request_id="",
    )
