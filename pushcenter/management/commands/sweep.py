"""``manage.py sweep``: what a worker does every minute, at once or more often."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, connection

from pushcenter.messaging import sweep


class Command(BaseCommand):
    help = "Ends what has expired, settles leases that ran out, wakes lanes; workers do it every minute."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--every",
            type=float,
            metavar="SECONDS",
            help="go on until stopped, and tell only of sweeps that found something",
        )

    def handle(self, *, every: float | None, **options: Any) -> None:
        if every is None:
            self.stdout.write(told(sweep.run()))
            return
        while True:
            self._sweep_and_carry_on()
            time.sleep(every)

    def _sweep_and_carry_on(self) -> None:
        try:
            swept = sweep.run()
        except (OperationalError, InterfaceError) as error:  # the database is away: it will come back
            connection.close()
            self.stderr.write(f"The database does not answer: {' '.join(str(error).split())}")
        else:
            if swept.expired or swept.repeated or swept.held:
                self.stdout.write(told(swept))


def told(swept: sweep.Swept) -> str:
    """One line for a person."""
    lanes = ", ".join(swept.woken) or "none"
    return f"expired {swept.expired}, repeated {swept.repeated}, in doubt {swept.held}, lanes woken: {lanes}"
