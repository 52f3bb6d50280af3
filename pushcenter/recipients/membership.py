"""Who belongs to a group, thousands at once. The people themselves stay as they are, whatever becomes of a group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from pushcenter.faults import Fault, Rejected, pointer
from pushcenter.recipients.directory import AlreadyExists
from pushcenter.recipients.models import Group, Recipient

# In the order in which people are locked everywhere, so that nobody waits in a circle.
ADD = """
INSERT INTO recipients_recipient_groups (recipient_id, group_id)
SELECT id, %(group)s FROM recipients_recipient WHERE external_id = ANY(%(ids)s)
 ORDER BY external_id FOR KEY SHARE
ON CONFLICT DO NOTHING
"""
REMOVE = """
DELETE FROM recipients_recipient_groups m USING recipients_recipient r
 WHERE m.group_id = %(group)s AND m.recipient_id = r.id AND r.external_id = ANY(%(ids)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """How many came into a group, and how many left it."""

    added: int
    removed: int


def create(code: str, name: str) -> Group:
    """A new group; raises :class:`AlreadyExists`."""
    group, is_new = Group.objects.get_or_create(code=code, defaults={"name": name})
    if not is_new:
        raise AlreadyExists
    return group


def delete(group: Group) -> None:
    """Do away with a group; who was in it stays in the directory."""
    with transaction.atomic():
        # Whoever puts people into it holds it meanwhile.
        Group.objects.select_for_update().filter(pk=group.pk).first()
        group.delete()


def move(group: Group, *, add: Sequence[str], remove: Sequence[str]) -> Moved:
    """Take people in and out by their external ids. Who is in already, or out, changes nothing.

    Raises :class:`Rejected` for each that is to come in and is not known; then nobody is moved.
    """
    with transaction.atomic():
        if faults := [*_strangers(add), *_contradictions(add, remove)]:
            raise Rejected(faults)
        return Moved(added=_run(ADD, group, add), removed=_run(REMOVE, group, remove))


def _strangers(add: Sequence[str]) -> Iterator[Fault]:
    known = set(Recipient.objects.filter(external_id__in=add).values_list("external_id", flat=True))
    for index, external_id in enumerate(add):
        if external_id not in known:
            detail = "No recipient has this external id."
            yield Fault(pointer=pointer("add", index), code="unknown_recipient", detail=detail)


def _contradictions(add: Sequence[str], remove: Sequence[str]) -> Iterator[Fault]:
    joining = set(add)
    for index, external_id in enumerate(remove):
        if external_id in joining:
            detail = "This person is to be added and removed at once."
            yield Fault(pointer=pointer("remove", index), code="duplicate", detail=detail)


def _run(statement: str, group: Group, ids: Sequence[str]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"group": group.pk, "ids": list(ids)})
        return cursor.rowcount
