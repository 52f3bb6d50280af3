"""``manage.py create_key shop``: a new API key, alone on standard output."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pushcenter.access.models import ApiKey, Scope, System, default_scopes

LONGEST_NAME = 100


class Command(BaseCommand):
    help = "Creates an API key of a system and prints it; it cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("system", help="the system's code, such as shop")
        parser.add_argument("--test", action="store_true", help="a test key: nothing leaves the gateway")
        parser.add_argument(
            "--scopes",
            default=",".join(default_scopes()),
            help=f"separated by commas, of {', '.join(Scope.values)} (default: %(default)s)",
        )
        parser.add_argument("--name", default="", help="what it is for, shown in the console")

    def handle(self, *, system: str, test: bool, scopes: str, name: str, **options: Any) -> None:
        key = ApiKey(
            system=find_system(system), name=checked_name(name), is_test=test, scopes=checked_scopes(scopes)
        )
        self.stdout.write(key.issue())


def find_system(code: str) -> System:
    found = System.objects.filter(code=code).first()
    if found is None:
        known = ", ".join(System.objects.values_list("code", flat=True)[:20]) or "there is none yet"
        raise CommandError(f"No system has the code {code!r}. Known: {known}.")
    if not found.is_active:
        raise CommandError(f"The system {code!r} is inactive; a key of it would be refused.")
    return found


def checked_scopes(text: str) -> list[str]:
    wanted = list(dict.fromkeys(scope.strip() for scope in text.split(",") if scope.strip()))
    unknown = [scope for scope in wanted if scope not in Scope.values]
    if unknown or not wanted:
        said = f"Unknown: {', '.join(unknown)}. " if unknown else "No scope is given. "
        raise CommandError(f"{said}Scopes are {', '.join(Scope.values)}.")
    return wanted


def checked_name(name: str) -> str:
    if len(name) > LONGEST_NAME:
        raise CommandError(f"The name is longer than {LONGEST_NAME} characters.")
    return name
