"""Leaving a category by the link in a message: whoever has the link needs no account and no key.

Nothing is stored for a link. It names its delivery, and is signed with a key made from ``SECRET_KEY``; who stands
behind it, and at which address, the delivery tells. So it holds nothing personal, and is good as long as its delivery
is kept.
"""

import base64
import binascii
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Self
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from pushcenter.messaging import tally
from pushcenter.messaging.models import Delivery, Event
from pushcenter.messaging.states import State
from pushcenter.recipients import categories, preferences
from pushcenter.recipients.models import Category, Suppression, SuppressionReason

#: Bytes of a signature: with the id they fill forty characters.
SIGNED = 14
TOKEN = re.compile(r"[A-Za-z0-9_-]{40}", re.ASCII)


class NoSuchLink(Exception):
    """Nobody was given this link."""


class Gone(Exception):
    """The link was good once: its delivery or its category is no longer kept, or its person was forgotten."""


class Standing(StrEnum):
    """How a person stands to a category."""

    GETS_IT = "gets_it"
    LEFT_HERE = "left_here"
    LEFT_EVERYWHERE = "left_everywhere"
    CANNOT_LEAVE = "cannot_leave"


def url_of(delivery_id: str, category: str) -> str:
    """Where the person of a delivery leaves its category; empty where nobody can, or the category is gone."""
    if categories.is_mandatory(category) is not False:
        return ""
    return f"{settings.BASE_URL}/u/{token_of(delivery_id)}"


def token_of(delivery_id: str) -> str:
    named = bytes.fromhex(delivery_id.replace("-", ""))
    return base64.urlsafe_b64encode(named + _signature(settings.SECRET_KEY, named)).decode()


def read(token: str) -> UUID:
    """The delivery that a link names; raises :class:`NoSuchLink`, and asks no database for that."""
    if not TOKEN.fullmatch(token):
        raise NoSuchLink
    try:
        content = base64.urlsafe_b64decode(token)
    except binascii.Error:
        raise NoSuchLink from None
    named, signature = content[:-SIGNED], content[-SIGNED:]
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if not any(hmac.compare_digest(signature, _signature(secret, named)) for secret in secrets):
        raise NoSuchLink
    return UUID(bytes=named)


def _signature(secret: str, named: bytes) -> bytes:
    begun = _begun(secret).copy()
    begun.update(named)
    return begun.digest()[:SIGNED]


@lru_cache(maxsize=16)
def _begun(secret: str) -> hmac.HMAC:
    """A signature with a key for these links alone, before the first word. To go on from here keeps Python's lock."""
    key = hmac.digest(secret.encode(), b"pushcenter.messaging.leaving", "sha256")
    return hmac.new(key, digestmod="sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The way out of a category that one delivery has shown."""

    delivery: Delivery
    category: Category

    @classmethod
    def behind(cls, token: str) -> Self:
        """Raises :class:`NoSuchLink` and :class:`Gone`."""
        rows = Delivery.objects.select_related("message__system").filter(pk=read(token))
        delivery = rows.exclude(address="").first()
        category = Category.objects.filter(code=delivery.message.category).first() if delivery else None
        if delivery is None or category is None:
            raise Gone
        return cls(delivery=delivery, category=category)

    def standing(self) -> Standing:
        if self.category.is_mandatory:
            return Standing.CANNOT_LEAVE
        left = self._channels_left()
        if "" in left:
            return Standing.LEFT_EVERYWHERE
        return Standing.LEFT_HERE if self.delivery.channel in left else Standing.GETS_IT

    def leave(self, *, everywhere: bool, by: str) -> Standing:
        """Send nothing of this category any more, over this channel or over any; again is no fault.

        What waits to be sent to a known recipient is ended. A message of a test key shows the way and changes nothing.
        """
        channel = "" if everywhere else self.delivery.channel
        with transaction.atomic():
            if not self.category.is_mandatory and self._write(channel):
                self._tell("left", channel, by)
                self._end_waiting(channel)
        return self.standing()

    def come_back(self, *, by: str) -> Standing:
        """Send messages of this category over this channel again."""
        with transaction.atomic():
            if not self.delivery.is_test and self._take_back():
                self._tell("came_back", self.delivery.channel, by)
        return self.standing()

    def _channels_left(self) -> set[str]:
        if self.delivery.recipient_id:
            muted = preferences.muted(self.delivery.recipient_id, self.category)
            return set(muted.values_list("channel", flat=True))
        left = Suppression.objects.of_category(self._place, self.category.code)
        return set(left.values_list("channel", flat=True))

    def _write(self, channel: str) -> bool:
        """Write the wish down: with the person, or where nobody is known, with the address."""
        if self.delivery.is_test:
            return False
        if self.delivery.recipient_id:
            return preferences.mute(self.delivery.recipient_id, self.category, channel)
        if {"", channel} & self._channels_left():
            return False
        kind, value = self._place
        wish = Suppression(kind=kind, value=value, channel=channel, category=self.category.code)
        wish.reason = SuppressionReason.OPTED_OUT
        return bool(Suppression.objects.write([wish]))

    def _take_back(self) -> bool:
        channels = ("", self.delivery.channel)
        if self.delivery.recipient_id:
            return preferences.unmute(self.delivery.recipient_id, self.category, self.delivery.channel)
        said = Suppression.objects.of_category(self._place, self.category.code)
        return bool(said.filter(channel__in=channels).delete()[0])

    @property
    def _place(self) -> tuple[str, str]:
        return self.delivery.kind, self.delivery.address

    def _end_waiting(self, channel: str) -> None:
        if not self.delivery.recipient_id:
            return
        rows = Delivery.objects.waiting_for(self.delivery.recipient_id, self.category.code, channel)
        Delivery.objects.unwanted(rows, timezone.now(), reason=f"left {self.category.code}")
        tally.write(tally.given_up(rows, State.CANCELLED))

    def _tell(self, kind: str, channel: str, by: str) -> None:
        data = {"category": self.category.code, "channel": channel or "all", "by": by}
        Event.objects.create(
            message_id=self.delivery.message_id, delivery=self.delivery, kind=kind, data=data
        )
