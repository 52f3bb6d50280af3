"""The account that the server runs as: PostgreSQL refuses to run as root."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from pushcenter.embedded import EmbeddedError

READ, SEARCH = 0o4, 0o1


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    uid: int
    gid: int

    @property
    def name(self) -> str:
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return str(self.uid)

    def may(self, path: Path, need: int) -> bool:
        """Whether the mode of `path` gives this account READ, SEARCH or both."""
        status = path.stat()
        if status.st_uid == self.uid:
            granted = status.st_mode >> 6
        elif status.st_gid == self.gid:
            granted = status.st_mode >> 3
        else:
            granted = status.st_mode
        return granted & need == need

    def reaches(self, folder: Path) -> bool:
        """Whether this account may search `folder` and every folder above it."""
        folder = folder.resolve()
        return all(self.may(path, SEARCH) for path in (folder, *folder.parents))


def is_root() -> bool:
    return os.geteuid() == 0


def own() -> Account:
    return Account(uid=os.geteuid(), gid=os.getegid())


def unprivileged() -> Account:
    """Return the account that serves root: an existing one, so that no account has to be made."""
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError as error:
        raise EmbeddedError(
            "PostgreSQL refuses to run as root, and the user nobody is missing here. "
            "Start as a plain user, or set DATABASE_URL."
        ) from error
    return Account(uid=entry.pw_uid, gid=entry.pw_gid)
