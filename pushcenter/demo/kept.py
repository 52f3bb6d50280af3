"""Small secrets of the demo in the data folder, readable by its owner alone."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def kept(path: Path, make: Callable[[], str]) -> str:
    """What the file holds; made when it is missing. Of two first callers, one makes it and both read it."""
    if not path.exists():
        draft = _draft(path, make())
        with suppress(FileExistsError):
            os.link(draft, path)  # fails where the name is taken
        draft.unlink()
    return path.read_text().strip()


def keep(path: Path, text: str) -> None:
    """Write the file, in the place of the one there was."""
    _draft(path, text).replace(path)


def _draft(path: Path, text: str) -> Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    return draft
