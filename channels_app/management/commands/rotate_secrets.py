"""``manage.py rotate_secrets``: what is stored is encrypted with the first of ``FIELD_KEYS`` from now on."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from channels_app.rotation import rotate


class Command(BaseCommand):
    help = "Encrypt the credentials of all accounts with the first of FIELD_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        done = rotate()
        self.stdout.write(
            f"{done.accounts} accounts encrypted anew, {done.tokens} tokens will be fetched again."
        )
        if done.unreadable:
            raise CommandError(
                "No key in FIELD_KEYS can read the credentials of: "
                + ", ".join(done.unreadable)
                + ". Put the key that they were encrypted with back, or enter them again in the console."
            )
