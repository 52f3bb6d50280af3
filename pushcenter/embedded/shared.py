"""Homes and programs outside the data folder, for root with a checkout that no other account can reach.

Giving others a way into the checkout is not ours to do, so the server's files go to a folder of their own:

    /var/lib/pushcenter/             root, 0711
        postgresql-<version>/        a copy of the wheel's programs
        <random id>/                 a home, of the server's account, 0700; its file `owner` names the link

The data folder refers to its home by a symlink: who removes the data folder has removed the database, and
the home that nothing refers to is cleared away when the next one is made.
"""

import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pushcenter.embedded import EmbeddedError, locks
from pushcenter.embedded.accounts import Account

ROOT = Path("/var/lib/pushcenter")
COPIES = ("postgresql-", "copy-")

# A checkout that is gone as a whole may have been moved; its next start writes the new place down.
MOVED_GRACE_S = 7 * 24 * 3600


@contextmanager
def shelf() -> Iterator[Path]:
    """Make ROOT where it is missing, and hold its lock for the block."""
    try:
        ROOT.mkdir(mode=0o711)
    except FileExistsError:
        pass
    except OSError as error:
        raise EmbeddedError(
            f"As root, PostgreSQL needs {ROOT} for a checkout that other users cannot reach, and it cannot "
            f"be made ({error.strerror}). Start as a plain user, or set DATABASE_URL."
        ) from error
    else:
        ROOT.chmod(0o711)  # whatever the umask is
    status = ROOT.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != 0 or status.st_mode & 0o022:
        raise EmbeddedError(f"{ROOT} must be a folder that root alone can write. Correct or remove it.")
    with locks.exclusive(ROOT / "lock"):
        yield ROOT


def create_home(link: Path, account: Account) -> None:
    """Make an empty home for `account`, and `link` in the data folder that refers to it."""
    with shelf() as root:
        _remove_abandoned(root)
        home = root / secrets.token_hex(8)
        home.mkdir(mode=0o700)
        record_owner(home, link)
        os.chown(home, account.uid, account.gid)
        link.unlink(missing_ok=True)  # it may point to a home which is gone
        link.symlink_to(home)


def is_home(folder: Path) -> bool:
    return folder.parent == ROOT


def record_owner(home: Path, link: Path) -> None:
    """Write down which link refers to `home`, and by the file's time when it was last started."""
    owner = home / "owner"
    owner.unlink(missing_ok=True)  # never follow what the server's account may have put there
    descriptor = os.open(owner, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(os.fsencode(link))


def _remove_abandoned(root: Path) -> None:
    for home in root.iterdir():
        if home.is_dir() and not home.name.startswith(COPIES) and _is_abandoned(home):
            shutil.rmtree(home, ignore_errors=True)


def _is_abandoned(home: Path) -> bool:
    if locks.is_held(home / "guard.lock"):
        return False
    owner = home / "owner"
    try:
        link = Path(os.fsdecode(owner.read_bytes()))
        last_start = owner.lstat().st_mtime
    except OSError:
        return True  # a start was killed before it had made its link
    if link.is_symlink() and os.path.realpath(link) == str(home):
        return False
    return link.parent.parent.is_dir() or time.time() - last_start > MOVED_GRACE_S
