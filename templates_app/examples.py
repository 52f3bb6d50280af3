"""Where the parameters come from with which a version is looked at: its samples, and whatever others add.

Whoever knows of further ones, such as those of recent messages, appends a function to ``sources``; it is asked each
time that the editor opens, for this version and this user.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from templates_app.models import TemplateVersion

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One set of parameters, with a name that tells where it comes from."""

    name: Any
    params: dict[str, Any]


Source = Callable[[TemplateVersion, "User | AnonymousUser"], Iterable[Example]]

sources: list[Source] = []


def further(version: TemplateVersion, user: "User | AnonymousUser") -> list[Example]:
    """What the sources have for this version."""
    return [example for source in sources for example in source(version, user)]


def offered(version: TemplateVersion, user: "User | AnonymousUser") -> list[Example]:
    """The samples of the version, and what the sources have."""
    own = [Example(name=each["name"], params=each["params"]) for each in version.samples]
    return [*own, *further(version, user)]
