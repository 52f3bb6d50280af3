"""Who gets a broadcast: groups, everybody, or those who meet a filter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Lower, Replace

from pushcenter.faults import Fault, pointer
from pushcenter.recipients.models import Address, Group, Recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Every condition that is not empty has to be met: in one of the groups, of a language, with an address."""

    groups: Sequence[str] = ()
    locale: str = ""
    time_zone: str = ""
    address: str = ""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Audience":
        """From ``{"all": true}``, ``{"groups": […]}`` or ``{"filter": {…}}``."""
        return cls(groups=given.get("groups", ())) if "groups" in given else cls(**given.get("filter", {}))

    def people(self, *, before: datetime) -> QuerySet[Recipient]:
        """Those whom the directory had at a moment and who meet the conditions now, in the order of their ids."""
        return Recipient.objects.filter(self._condition(), created_at__lte=before).order_by("pk")

    def _condition(self) -> Q:
        condition = Q()
        if self.groups:
            members = Recipient.groups.through.objects.filter(recipient=OuterRef("pk"))
            condition &= Q(Exists(members.filter(group__code__in=self.groups)))
        if self.address:
            condition &= Q(Exists(Address.objects.filter(recipient=OuterRef("pk"), kind=self.address)))
        if self.time_zone:
            condition &= Q(time_zone=self.time_zone)
        if self.locale:
            condition &= Q(pk__in=_speaking(self.locale))
        return condition


def _speaking(locale: str) -> QuerySet[Recipient, Any]:
    """``zh`` means ``zh-Hans`` and ``zh_TW``, too."""
    wanted = locale.lower().replace("_", "-")
    tag = Lower(Replace("locale", Value("_"), Value("-")))
    return (
        Recipient.objects.alias(tag=tag).filter(Q(tag=wanted) | Q(tag__startswith=f"{wanted}-")).values("pk")
    )


def faults(given: Mapping[str, Any]) -> list[Fault]:
    """Groups that there are not."""
    path = ("audience", "groups") if "groups" in given else ("audience", "filter", "groups")
    named = Audience.of(given).groups
    known = set(Group.objects.filter(code__in=named).values_list("code", flat=True))
    return [
        Fault(pointer=pointer(*path, index), code="unknown_group", detail=f"There is no group {code!r}.")
        for index, code in enumerate(named)
        if code not in known
    ]
