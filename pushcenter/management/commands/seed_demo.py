"""``manage.py seed_demo``: the demo's systems, people, templates and accounts."""

from typing import Any

from django.core.management.base import BaseCommand

from pushcenter.demo.data.people import PEOPLE, SYSTEMS
from pushcenter.demo.data.templates import TEMPLATES
from pushcenter.demo.seed import seed


class Command(BaseCommand):
    help = "Creates the data of the demo; what exists already is left as it is."

    def handle(self, **options: Any) -> None:
        seed()
        self.stdout.write(
            f"The demo's data are there: {len(SYSTEMS)} systems, {len(PEOPLE)} recipients, "
            f"{len(TEMPLATES)} templates and the accounts of the bundled receivers."
        )
