"""Roles come with the installation, and keep what an administrator gave them."""

from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from pushcenter.roles import ROLES


def test_every_right_in_the_table_exists(db: None) -> None:
    for role, rights in ROLES.items():
        wanted = sum(len(verbs) for verbs in rights.values())
        assert Group.objects.get(name=role).permissions.count() == wanted, role


def test_migrating_again_adds_nothing_twice_and_takes_nothing_away(db: None) -> None:
    group = Group.objects.get(name="Analysts")
    extra = Permission.objects.get(codename="view_message")
    group.permissions.add(extra)
    before = group.permissions.count()
    call_command("migrate", verbosity=0)
    assert group.permissions.count() == before
    assert extra in group.permissions.all()
    assert Group.objects.count() == len(ROLES)
