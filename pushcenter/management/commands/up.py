"""``manage.py up``: everything on this machine, under one supervisor.

As a trial, that is with the demo's data, receivers and first notification; else web and worker alone.
"""

import os
import sys
from argparse import ArgumentParser, BooleanOptionalAction
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections

from pushcenter import embedded, programs
from pushcenter.demo import credentials
from pushcenter.demo.client import Client
from pushcenter.demo.first import FirstNotification
from pushcenter.demo.seed import seed
from pushcenter.demo.welcome import welcome
from pushcenter.startup import HOST, CannotStart, only_one, require_ports, require_room
from pushcenter.supervisor import Program, Supervisor


class Command(BaseCommand):
    help = "Starts web and worker, and in a trial the demo with its first notification."
    requires_system_checks = []  # some look into the database, which this command prepares

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--demo",
            action=BooleanOptionalAction,
            default=settings.TRIAL,
            help="demo data, local receivers and a first notification (default: in a trial)",
        )
        parser.add_argument(
            "--once", action="store_true", help="stop after the first notification; exit code 1 if it failed"
        )

    def handle(self, *, demo: bool, once: bool, **options: Any) -> None:
        if once and not demo:
            raise CommandError("--once ends after the demo's first notification, so it needs --demo.")
        if demo and settings.HTTPS:
            raise CommandError("The demo speaks plain HTTP on this machine: set HTTPS=off, or use --no-demo.")
        self.check(display_num_errors=False)  # else web and worker would end again and again
        try:
            require_room(settings.PUSHCENTER_DATA)
            with only_one(settings.PUSHCENTER_DATA), quiet_end():
                require_ports(ports(demo=demo))
                arrived = self._run(demo=demo, once=once)
        except CannotStart as error:
            sys.exit(str(error))
        except KeyboardInterrupt:
            sys.exit(130)
        if once and not arrived:
            sys.exit(1)

    def _run(self, *, demo: bool, once: bool) -> bool:
        """Everything between a fitting machine and a quiet one; whether the notification arrived."""
        self._prepare()
        if not demo:
            return self._serve_plainly()
        seed()
        password = None if once else credentials.first_password()
        key = credentials.demo_key(settings.PUSHCENTER_DATA)
        connections.close_all()
        supervisor = self._supervisor(programs.web(), programs.worker(), programs.demo_targets())
        first = FirstNotification(
            gateway=Client(host=HOST, port=settings.PORT, key=key),
            receivers=Client(host=HOST, port=settings.DEMO_HTTP_PORT),
            show=self._show,
            colours=self.stdout.isatty() and "NO_COLOR" not in os.environ,
        )
        results: list[bool] = []

        def tell() -> None:
            try:
                results.append(first.run())
            finally:
                supervisor.stop() if once else self._show(welcome(password))

        Thread(target=tell, name="first notification", daemon=True).start()
        supervisor.run()
        return results == [True]

    def _prepare(self) -> None:
        self._show(f"Push Center: preparing the database, data in {settings.PUSHCENTER_DATA} …")
        try:
            connection.ensure_connection()
        except embedded.EmbeddedError as error:
            raise CannotStart(str(error)) from None
        call_command("migrate", verbosity=0, interactive=False)

    def _serve_plainly(self) -> bool:
        connections.close_all()
        self._show(
            f"Push Center serves on http://{HOST}:{settings.PORT}. Ctrl-C stops it.\n"
            "  An administrator: manage.py createsuperuser\n"
            "  An API key:       manage.py create_key SYSTEM"
        )
        self._supervisor(programs.web(), programs.worker()).run()
        return True

    def _supervisor(self, *those: Program) -> Supervisor:
        return Supervisor(those, say=self._show)

    def _show(self, line: str) -> None:
        # A terminal that is gone must not end the supervision.
        with suppress(OSError):
            self.stdout.write(line)
            self.stdout.flush()


def ports(*, demo: bool) -> dict[str, int]:
    wanted = {"PORT": settings.PORT}
    if demo:
        wanted |= {"DEMO_SMTP_PORT": settings.DEMO_SMTP_PORT, "DEMO_HTTP_PORT": settings.DEMO_HTTP_PORT}
    return wanted


@contextmanager
def quiet_end() -> Iterator[None]:
    """At the end of the block wait for the end of the bundled database too, where this started it."""
    try:
        yield
    finally:
        connections.close_all()
        if settings.TRIAL:
            from pushcenter.embedded import server

            server.leave(settings.PUSHCENTER_DATA)
