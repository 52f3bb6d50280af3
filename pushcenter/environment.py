"""The environment as the settings read it: a value that cannot be meant is refused, by the setting's name."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured
from environ import Env

POSTGRESQL = {"postgres", "postgresql", "psql", "pgsql", "postgis"}
ON = {"on", "true", "yes", "1"}
OFF = {"off", "false", "no", "0"}


class Environment(Env):
    """Raises ``ImproperlyConfigured`` with one sentence that names the setting. Empty means the default."""

    def number(self, name: str, *, default: int) -> int:
        text = self._text(name)
        try:
            return int(text) if text else default
        except ValueError:
            raise _refused(name, text, "write a whole number, or remove it to use the default") from None

    def share(self, name: str, *, default: float) -> float:
        """A part of a whole, from 0 to 1."""
        text = self._text(name)
        try:
            value = float(text) if text else default
        except ValueError:
            value = -1.0
        if not 0 <= value <= 1:
            raise _refused(name, text, "write a part of one, such as 0.2")
        return value

    def switch(self, name: str, *, default: bool) -> bool:
        text = self._text(name).lower()
        if text and text not in ON | OFF:
            raise _refused(name, text, "write on or off")
        return text in ON if text else default

    def one_of(self, name: str, choices: Collection[str], *, default: str) -> str:
        text = self._text(name) or default
        found = [choice for choice in choices if choice.lower() == text.lower()]
        if not found:
            raise _refused(name, text, f"choose one of {', '.join(choices)}")
        return found[0]

    def some_of(self, name: str, choices: Sequence[str]) -> list[str]:
        """Names with commas between them, in the order of the choices; all of them where none is given."""
        named = self._names(name) or list(choices)
        if unknown := sorted(set(named) - set(choices)):
            raise _refused(name, ",".join(unknown), f"choose among {', '.join(choices)}")
        return [choice for choice in choices if choice in named]

    def numbers(self, name: str, default: Mapping[str, int]) -> dict[str, int]:
        """Numbers above zero by name, such as ``high=200,low=50``; what is left out keeps its default."""
        given: dict[str, int] = {}
        for each in self._names(name):
            key, _, number = (part.strip() for part in each.partition("="))
            if key not in default or not number.isdecimal() or int(number) == 0:
                raise _refused(name, each, f"write name=number with one of the names {', '.join(default)}")
            given[key] = int(number)
        return {**default, **given}

    def _names(self, name: str) -> list[str]:
        return [part.strip() for part in self._text(name).split(",") if part.strip()]

    def zone(self, name: str, *, default: str) -> str:
        text = self._text(name) or default
        try:
            return ZoneInfo(text).key
        except (OSError, ValueError, KeyError):  # a folder, a path, an unknown name
            raise _refused(name, text, "write a time zone such as UTC or Asia/Shanghai") from None

    def postgresql(self, name: str) -> dict[str, Any]:
        """A database by its URL. The URL is not repeated in the refusal: it has a password."""
        text = self._text(name)
        try:
            if urlsplit(text).scheme in POSTGRESQL:
                return dict(self.db_url_config(text))
        except ValueError:
            pass  # a port that is none, a bracket that is not closed
        raise ImproperlyConfigured(
            f"{name} must name a PostgreSQL server: postgres://user:password@host:port/name"
        )

    def _text(self, name: str) -> str:
        return str(self.str(name, default="")).strip()


def _refused(name: str, text: str, hint: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} is {text!r}: {hint}")
