"""``manage.py resume``: go on with what ``manage.py stop`` or the console has stopped."""

from argparse import ArgumentParser
from getpass import getuser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pushcenter.management.commands.stop import LONGEST_REASON, add_target, chosen
from pushcenter.messaging import stops


class Command(BaseCommand):
    help = "Ends a stop; what has waited goes out, in its order."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_target(parser)
        parser.add_argument("--reason", default="", help="why it may go on")

    def handle(self, *, reason: str, **options: Any) -> None:
        kind, target = chosen(options)
        if stops.resume(kind, target, by=getuser(), reason=reason[:LONGEST_REASON]) is None:
            raise CommandError("It is not stopped.")
        self.stdout.write("It goes on.")
