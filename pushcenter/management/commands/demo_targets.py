"""``manage.py demo_targets``: the mail server and the webhook receiver of a trial."""

import asyncio
import sys
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand

from pushcenter.demo.outside import Place, serve
from pushcenter.startup import CannotStart, require_ports


class Command(BaseCommand):
    help = "Runs a local mail server and a local receiver of webhooks, and shows what they received."
    requires_system_checks = []

    def handle(self, **options: Any) -> None:
        try:
            require_ports(
                {"DEMO_SMTP_PORT": settings.DEMO_SMTP_PORT, "DEMO_HTTP_PORT": settings.DEMO_HTTP_PORT}
            )
            asyncio.run(serve(self._place()))
        except CannotStart as error:
            sys.exit(str(error))
        except OSError as error:
            sys.exit(f"The demo receivers cannot run: {error.strerror or error}.")

    def _place(self) -> Place:
        base = urlsplit(settings.BASE_URL)
        return Place(
            folder=settings.PUSHCENTER_DATA / "demo",
            smtp_port=settings.DEMO_SMTP_PORT,
            http_port=settings.DEMO_HTTP_PORT,
            origin=f"{base.scheme}://{base.netloc}",
        )
