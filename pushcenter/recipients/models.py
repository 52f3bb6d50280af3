"""Who can be reached, where, and what they do not want."""

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.contrib.postgres.indexes import OpClass
from django.core.exceptions import ValidationError
from django.db import connections, models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from pushcenter.ids import uuid7
from pushcenter.retold import named


def check_external_id(value: str) -> None:
    """Validator: the id is a step of the API's addresses, and people have to be able to copy it by eye."""
    if "/" in value or not value.isprintable() or value != value.strip() or value in {".", ".."}:
        raise ValidationError(
            _("An external id has no slash, no invisible characters and no blanks at its ends.")
        )


class GroupQuerySet(models.QuerySet["Group"]):
    def held(self, codes: Iterable[str]) -> dict[str, UUID]:
        """The groups of these codes that exist; nobody deletes them before the end of the transaction."""
        statement = "SELECT id, code FROM recipients_group WHERE code = ANY(%s) ORDER BY code FOR KEY SHARE"
        return {group.code: group.pk for group in self.raw(statement, [list(codes)])}


#: Users have groups of another kind, which the console calls roles.
GROUPS = pgettext_lazy("of recipients", "groups")


class Group(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.SlugField(_("code"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=100)
    is_for_tests = models.BooleanField(
        _("for tests"),
        default=False,
        help_text=_("Its people may be sent drafts of templates, to try them out."),
    )

    objects = GroupQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("of recipients", "group")
        verbose_name_plural = GROUPS
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class RecipientQuerySet(models.QuerySet["Recipient"]):
    def beginning_with(self, text: str) -> "RecipientQuerySet":
        """Those whose external id begins with this, or whose name does in any case of its letters."""
        return self.filter(Q(external_id__startswith=text) | Q(name__istartswith=text))

    def reached_at(self, kind: str, value: str) -> "RecipientQuerySet":
        """Those who have this address, in its stored form."""
        return self.filter(addresses__kind=kind, addresses__value=value)

    def in_full(self) -> "RecipientQuerySet":
        """With their groups, and their addresses in the order in which they became known."""
        places = models.Prefetch("addresses", Address.objects.order_by("created_at", "id"))
        return self.prefetch_related(places, models.Prefetch("groups", Group.objects.order_by("code")))


class Recipient(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    external_id = models.CharField(
        _("external id"),
        max_length=200,
        unique=True,
        validators=[check_external_id],
        help_text=_("The enterprise's own id of this person."),
    )
    name = models.CharField(pgettext_lazy("person", "name"), max_length=200, blank=True)
    locale = models.CharField(_("locale"), max_length=35, blank=True, help_text=_("Such as en or zh-hans."))
    time_zone = models.CharField(_("time zone"), max_length=50, blank=True)
    groups = models.ManyToManyField(
        Group, related_name="recipients", blank=True, verbose_name=pgettext_lazy("of recipients", "groups")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = RecipientQuerySet.as_manager()

    class Meta:
        verbose_name = _("recipient")
        verbose_name_plural = _("recipients")
        ordering = ["external_id"]
        indexes = [
            # Answers the search for the beginning of a name, whatever its case.
            models.Index(OpClass(Upper("name"), name="varchar_pattern_ops"), name="recipient_name_begins"),
        ]
        constraints = [
            models.CheckConstraint(condition=~Q(external_id=""), name="recipient_has_an_external_id")
        ]

    def __str__(self) -> str:
        return self.name or self.external_id


class Address(models.Model):
    """One place where a recipient can be reached. ``kind`` is what its channel calls it: email, phone, url …

    Of several of a kind the newest is the one that is used.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    recipient = models.ForeignKey(
        Recipient, on_delete=models.CASCADE, related_name="addresses", verbose_name=_("recipient")
    )
    kind = models.CharField(_("kind"), max_length=40)
    value = models.CharField(_("address"), max_length=2048)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        ordering = ["recipient", "kind", "created_at"]
        indexes = [models.Index(fields=["kind", "value"], name="address_whose")]
        constraints = [
            models.UniqueConstraint(fields=["recipient", "kind", "value"], name="address_once_per_recipient"),
        ]

    def __str__(self) -> str:
        return named(self.kind)


class Category(models.Model):
    """What a recipient can mute, unless it is mandatory."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.SlugField(_("code"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=100)
    description = models.CharField(_("description"), max_length=300, blank=True)
    is_mandatory = models.BooleanField(
        _("mandatory"),
        default=False,
        help_text=_("A mandatory category cannot be muted: security, law, contract."),
    )
    needs_approval = models.BooleanField(
        _("four eyes"),
        default=False,
        help_text=_("Whoever wrote a version of a template in this category cannot publish it."),
    )

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Preference(models.Model):
    """A recipient's word on a category: on one channel, or (with an empty channel) on all of them."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    recipient = models.ForeignKey(
        Recipient, on_delete=models.CASCADE, related_name="preferences", verbose_name=_("recipient")
    )
    category = models.ForeignKey(
        Category, on_delete=models.CASCADE, related_name="+", verbose_name=_("category")
    )
    channel = models.CharField(
        _("channel"), max_length=40, blank=True, help_text=_("Empty means every channel.")
    )
    is_muted = models.BooleanField(_("muted"), default=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("preference")
        verbose_name_plural = _("preferences")
        constraints = [
            models.UniqueConstraint(fields=["recipient", "category", "channel"], name="preference_once"),
        ]

    def __str__(self) -> str:
        return f"{self.category} {self.channel}".strip()


class SuppressionReason(models.TextChoices):
    UNREACHABLE = "unreachable", _("cannot be reached")
    OPTED_OUT = "opted_out", _("opted out")
    COMPLAINED = "complained", _("complained")
    MANUAL = "manual", _("by an operator")


#: An address that is dead shows that again by itself; what a person has said must not be forgotten for it.
WEIGHT: Mapping[str, int] = {
    SuppressionReason.UNREACHABLE: 0,
    SuppressionReason.OPTED_OUT: 1,
    SuppressionReason.COMPLAINED: 2,
    SuppressionReason.MANUAL: 3,
}
SUPPRESS = """
INSERT INTO recipients_suppression AS s (id, kind, value, channel, category, reason, detail, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, statement_timestamp())
ON CONFLICT (kind, value, channel, category) DO UPDATE
   SET reason = excluded.reason, detail = excluded.detail, created_at = excluded.created_at
 WHERE s.reason = ANY(%s)
"""


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def against(self, places: Iterable[tuple[str, str]]) -> "SuppressionQuerySet":
        """Those that stand against any of these ``(kind, address)`` pairs."""
        match = Q(pk__in=[])
        for kind, value in places:
            match |= Q(kind=kind, value=value)
        return self.filter(match)

    def of_category(self, place: tuple[str, str], category: str) -> "SuppressionQuerySet":
        """Those by which one category was left at a ``(kind, address)``."""
        kind, value = place
        return self.filter(kind=kind, value=value, category=category)

    def write(self, rows: Iterable["Suppression"]) -> int:
        """Add these; where an address has one already, the reason that weighs more stays, whichever came first.

        Returns how many are new, or say something else than before.
        """
        by_place: dict[tuple[str, str, str, str], Suppression] = {}
        for row in rows:
            known = by_place.setdefault(row.place, row)
            if WEIGHT[row.reason] > WEIGHT[known.reason]:
                by_place[row.place] = row
        if not by_place:
            return 0
        changed = 0
        # In one order: two workers must not wait for each other.
        with connections[self.db].cursor() as cursor:
            for place, row in sorted(by_place.items(), key=itemgetter(0)):
                weaker = [str(each) for each, weight in WEIGHT.items() if weight < WEIGHT[row.reason]]
                values: list[Any] = [row.pk, *place, str(row.reason), row.detail, weaker]
                cursor.execute(SUPPRESS, values)
                changed += cursor.rowcount
        return changed


class Suppression(models.Model):
    """An address that is not written to, on one channel or (with an empty channel) on all that use its kind.

    With a category it stands against that one alone, as far as people may leave it: nobody is known at the address
    who could have a :class:`Preference`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(_("kind"), max_length=40)
    value = models.CharField(_("address"), max_length=2048)
    channel = models.CharField(
        _("channel"), max_length=40, blank=True, help_text=_("Empty means every channel.")
    )
    category = models.CharField(
        _("category"), max_length=60, blank=True, help_text=_("Empty means every category.")
    )
    reason = models.CharField(
        _("reason"), max_length=20, choices=SuppressionReason.choices, default=SuppressionReason.MANUAL
    )
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        verbose_name = _("suppressed address")
        verbose_name_plural = _("suppressed addresses")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "value", "channel", "category"], name="suppression_once"),
        ]

    def __str__(self) -> str:
        return f"{named(self.kind)}: {self.get_reason_display()}"

    @property
    def place(self) -> tuple[str, str, str, str]:
        """What it stands against."""
        return self.kind, self.value, self.channel, self.category
