"""``manage.py qcluster``: the worker; it looks for the database and its tables before its processes do."""

from typing import Any

from django.core.management.base import CommandError
from django.db import connection
from django_q.management.commands import qcluster
from django_q.models import OrmQ


class Command(qcluster.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        table = OrmQ._meta.db_table
        has_tables = table in connection.introspection.table_names()
        connection.close()  # nothing to share between the processes
        if not has_tables:
            raise CommandError("The database has no tables yet: run manage.py migrate first.")
        super().handle(*args, **options)
