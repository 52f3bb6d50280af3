"""``manage.py certify ADAPTER``: what an adapter guarantees when its provider misbehaves."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from channels_app import registry
from channels_app.certification import matrix
from channels_app.certification.run import certify

MARKS = {True: "holds", False: "FAILS", None: "does not apply"}


class Command(BaseCommand):
    help = "Play a hostile provider towards an adapter, and print what it guarantees."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("adapter", nargs="*", help="names of adapters")
        parser.add_argument(
            "--matrix", action="store_true", help="print docs/channels.md, the page of all built-in adapters"
        )

    def handle(self, *args: Any, adapter: list[str], **options: Any) -> None:
        if options["matrix"]:
            self.stdout.write(matrix.page(certify(matrix.built_in())), ending="")
            return
        if not adapter:
            raise CommandError("Name an adapter: " + ", ".join(registry.adapters()))
        try:
            kinds = {name: registry.adapter(name) for name in adapter}
        except registry.UnknownAdapter as error:
            raise CommandError(f"{error}. There are: {', '.join(registry.adapters())}") from None
        failed = [name for name, found in certify(kinds).items() if not self._print(name, found)]
        if failed:
            raise CommandError(f"Not certified: {', '.join(failed)}")

    def _print(self, name: str, found: list[Any]) -> bool:
        self.stdout.write(name)
        if not found:
            self.stdout.write("  brings no specimen, so its provider cannot be played")
        for each in found:
            self.stdout.write(f"  {each.rule:<36}{each.said:<22}{each.concession or MARKS[each.holds]}")
        return all(each.holds is not False for each in found)
