"""``manage.py stop``: stop a template, a system, a lane, or all that is not critical; alone, say what is stopped."""

from argparse import ArgumentParser
from getpass import getuser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from pushcenter.access.models import System
from pushcenter.lanes import Lane
from pushcenter.messaging import stops
from pushcenter.messaging.models import Stop, StopKind
from templates_app.models import Template

LONGEST_REASON = 300
NAMED = (StopKind.TEMPLATE, StopKind.SYSTEM, StopKind.LANE)


class Command(BaseCommand):
    help = "Starts no delivery of it any more, in every worker within two seconds. Without arguments: what is stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_target(parser)
        parser.add_argument("--reason", default="", help="why, for those who find it stopped")

    def handle(self, *, reason: str, **options: Any) -> None:
        if options["kind"] is None and not options["all_non_critical"]:
            self.tell()
            return
        kind, target = chosen(options)
        if not reason:
            raise CommandError("Give a --reason: others will find it stopped and ask why.")
        stops.stop(kind, target, by=getuser(), reason=reason[:LONGEST_REASON])
        self.tell()

    def tell(self) -> None:
        holding = Stop.objects.filter(ended_at=None).order_by("id")
        for each in holding:
            said = f"{each.at:%Y-%m-%d %H:%M:%S} by {each.by}: {each.reason or 'no reason given'}"
            self.stdout.write(f"{name_of(each)}, stopped {said}")
        if not holding:
            self.stdout.write("Nothing is stopped.")


def add_target(parser: ArgumentParser) -> None:
    """What is meant, the same for both commands."""
    parser.add_argument("kind", nargs="?", choices=[each.value for each in NAMED])
    parser.add_argument("target", nargs="?", default="", help="code of the template or system, or the lane")
    parser.add_argument("--all-non-critical", action="store_true", help="the lanes high, normal and low")


def chosen(options: dict[str, Any]) -> tuple[StopKind, str]:
    """The kind and the target of a stop; raises ``CommandError`` where they name nothing."""
    if options["all_non_critical"]:
        if options["kind"]:
            raise CommandError("Name one template, system or lane, or --all-non-critical.")
        return StopKind.NON_CRITICAL, ""
    if options["kind"] is None:
        raise CommandError("Name a template, a system or a lane, or --all-non-critical.")
    kind, name = StopKind(options["kind"]), options["target"]
    if kind is StopKind.LANE:
        if name not in Lane.values:
            raise CommandError(f"There is no lane {name!r}. Lanes are {', '.join(Lane.values)}.")
        return kind, name
    found = (Template if kind is StopKind.TEMPLATE else System).objects.filter(code=name).first()
    if found is None:
        raise CommandError(f"No {kind.value} has the code {name!r}.")
    return kind, str(found.pk)


def name_of(each: Stop) -> str:
    """The kind and the code of what is stopped."""
    if each.kind == StopKind.NON_CRITICAL:
        return "all non-critical"
    if each.kind == StopKind.LANE:
        return f"lane {each.target}"
    model = Template if each.kind == StopKind.TEMPLATE else System
    code = model.objects.filter(pk=each.target).values_list("code", flat=True).first()
    return f"{each.kind} {code or each.target}"
