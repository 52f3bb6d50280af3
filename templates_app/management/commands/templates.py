"""``manage.py templates export|import|diff DIR``: templates as files, to be reviewed in git."""

from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from templates_app.files.differences import differences
from templates_app.files.exporting import export, stored
from templates_app.files.folder import Flawed
from templates_app.files.importing import Imported, Wanted, import_, sheets_in


class Command(BaseCommand):
    help = "Write templates as files into a folder, read them from there, or show the difference."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        out = actions.add_parser("export", help="write templates as files; only what has changed is touched")
        out.add_argument("dir", type=Path)
        out.add_argument("code", nargs="*", help="codes of templates; all of them where none is named")
        out.add_argument(
            "--version-of",
            choices=["published", "newest"],
            default="published",
            help="which version; of a template without a published one always the newest",
        )
        out.add_argument(
            "--delete", action="store_true", help="remove the files of templates that are not exported"
        )
        into = actions.add_parser("import", help="store what differs as new drafts: all files, or none")
        into.add_argument("dir", type=Path)
        into.add_argument("--submit", action="store_true", help="send the drafts to review")
        into.add_argument("--publish", action="store_true", help="publish them at once")
        into.add_argument("--by", metavar="USER", help="who does it; four eyes need to know")
        into.add_argument(
            "--revision", default="", help="where the files come from, such as a commit; for the history"
        )
        into.add_argument(
            "--create-missing", action="store_true", help="make categories and teams that are not there"
        )
        into.add_argument("--dry-run", action="store_true", help="say what would happen, and store nothing")
        shown = actions.add_parser(
            "diff", help="show what an import would change; exit code 1 where there is anything"
        )
        shown.add_argument("dir", type=Path)

    def handle(self, *args: Any, action: str, dir: Path, **options: Any) -> None:  # noqa: A002  (the word on the line)
        if action != "export" and not dir.is_dir():
            raise CommandError(f"{dir} is no folder.", returncode=2)
        try:
            {"export": self._export, "import": self._import, "diff": self._diff}[action](dir, options)
        except Flawed as error:
            lines = [*map(str, error.flaws)]
            raise CommandError(
                "\n".join([*lines, f"{len(lines)} errors; nothing was done."]), returncode=2
            ) from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}", returncode=2) from None

    def _export(self, root: Path, options: dict[str, Any]) -> None:
        sheets = stored(options["code"], published=options["version_of"] == "published")
        done = export(root, sheets, delete=options["delete"])
        for path in done.written:
            self.stdout.write(f"written  {path}")
        for path in done.removed:
            self.stdout.write(f"removed  {path}")
        self.stdout.write(
            f"{len(sheets)} templates: {len(done.written)} files written, {len(done.removed)} removed, "
            f"{done.unchanged} as they were."
        )

    def _import(self, root: Path, options: dict[str, Any]) -> None:
        wanted = Wanted(
            submit=options["submit"],
            publish=options["publish"],
            create_missing=options["create_missing"],
            revision=options["revision"],
            by=_user(options["by"]),
        )
        sheets = sheets_in(root)
        with transaction.atomic():
            done = import_(sheets, wanted)
            if options["dry_run"]:
                transaction.set_rollback(True)
        for each in done:
            self.stdout.write(f"{each.code:<40} {_told(each)}")
            for warning in each.warnings:
                self.stdout.write(f"  warning: {warning}")
        changed = sum(not each.is_unchanged for each in done)
        end = " Nothing was stored." if options["dry_run"] else ""
        self.stdout.write(f"{len(done)} templates, {changed} changed.{end}")

    def _diff(self, root: Path, options: dict[str, Any]) -> None:
        lines = [*differences(sheets_in(root))]
        for line in lines:
            self.stdout.write(line)
        if lines:
            raise SystemExit(1)


def _user(name: str | None) -> Any:
    if name is None:
        return None
    found = get_user_model().objects.filter(username=name).first()
    if found is None:
        raise CommandError(f"There is no user {name}.", returncode=2)
    return found


def _told(each: Imported) -> str:
    if each.is_unchanged:
        return "unchanged"
    said = [f"v{each.version.number} {each.version.get_state_display()}"] if each.version else []
    if each.is_new:
        return ", ".join(["new", *said])
    return ", ".join([*said, *([f"settings changed: {', '.join(each.settings)}"] if each.settings else [])])
