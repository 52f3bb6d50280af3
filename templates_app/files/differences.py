"""What an import would change, as a text to read."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from templates_app.files.exporting import stored
from templates_app.files.folder import files_of, place_of
from templates_app.files.sheet import Sheet
from templates_app.models import Template


def differences(sheets: Mapping[PurePosixPath, Sheet]) -> Iterator[str]:
    """Lines of a unified diff from what is stored to what is in the files; none where they say the same.

    Both are written anew for it, so that comments and the order of names make no difference.
    """
    codes = {each.code for each in sheets.values()}
    known = Template.objects.filter(code__in=codes).values_list("code", flat=True)
    before = _texts(stored([*known], published=False)) if known else {}
    after = _texts(sheets.values())
    for path in sorted(before.keys() | after.keys()):
        yield from difflib.unified_diff(
            before.get(path, "").splitlines(),
            after.get(path, "").splitlines(),
            f"stored/{path}" if path in before else "/dev/null",
            f"files/{path}" if path in after else "/dev/null",
            lineterm="",
        )


def _texts(sheets: Iterable[Sheet]) -> dict[str, str]:
    return {str(place_of(each) / name): text for each in sheets for name, text in files_of(each).items()}
