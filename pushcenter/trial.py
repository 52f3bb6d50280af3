"""Keys for a trial: made at the first run and kept in the data folder, readable by its owner alone."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSecrets:
    secret_key: str
    field_key: str


def trial_secrets(data: Path) -> TrialSecrets:
    """The keys in ``data/keys.json``; made there when missing.

    Raises ``ImproperlyConfigured`` where the folder cannot be written or the file is damaged.
    """
    path = data / "keys.json"
    try:
        if not path.exists():
            _create(path)
        return TrialSecrets(**json.loads(path.read_text()))
    except OSError as error:
        raise ImproperlyConfigured(
            f"the data folder {data} cannot be used ({error.strerror}); "
            "correct that, or set PUSHCENTER_DATA to another one"
        ) from None
    except (ValueError, TypeError):
        raise ImproperlyConfigured(
            f"{path} is damaged; restore it, or remove the whole data folder"
        ) from None


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = TrialSecrets(secret_key=secrets.token_urlsafe(48), field_key=Fernet.generate_key().decode())
    draft = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(fresh), file)  # fails on a full disk
        # A link fails where the name is taken: of two first starts, one makes the keys and both read them.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
