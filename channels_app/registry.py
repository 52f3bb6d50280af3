"""Which adapters and channels exist: the files of ``channels_app/adapters``, and installed plug-ins.

A plug-in names its adapter class under the entry-point group ``pushcenter.adapters``.
"""

import importlib
import inspect
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from channels_app import adapters as package
from channels_app.channels import BUILT_IN
from channels_app.contract import Adapter, Channel

GROUP = "pushcenter.adapters"


class UnknownAdapter(LookupError):
    """No adapter of this name is installed."""


@cache
def adapters() -> dict[str, type[Adapter]]:
    """All adapters by name, built-in ones first."""
    found: dict[str, type[Adapter]] = {}
    for module in pkgutil.iter_modules(package.__path__):
        imported = importlib.import_module(f"{package.__name__}.{module.name}")
        for value in vars(imported).values():
            if _is_adapter_of(value, imported.__name__):
                found[value.name] = value
    for entry in entry_points(group=GROUP):
        loaded = entry.load()
        found.setdefault(loaded.name, loaded)
    return found


def _is_adapter_of(value: object, module: str) -> bool:
    return (
        inspect.isclass(value)
        and issubclass(value, Adapter)
        and value.__module__ == module
        and not inspect.isabstract(value)
    )


def adapter(name: str) -> type[Adapter]:
    """The adapter class of this name; raises :class:`UnknownAdapter`."""
    try:
        return adapters()[name]
    except KeyError:
        raise UnknownAdapter(f"no adapter is named {name!r}") from None


@cache
def channels() -> dict[str, Channel]:
    """All channels by name: the built-in ones in their usual order, then those that plug-ins bring."""
    known = {channel.name: channel for channel in BUILT_IN}
    for found in adapters().values():
        if found.channel is not None:
            known.setdefault(found.channel.name, found.channel)
    return known


def label(name: str) -> Any:
    """What people call a channel; its name, where it is not installed any more."""
    known = channels().get(name)
    return known.label if known else name


@cache
def address_kinds() -> dict[str, Channel]:
    """For each kind of address a channel that knows how to normalise it."""
    kinds: dict[str, Channel] = {}
    for channel in channels().values():
        if not channel.needs_recipient:
            kinds.setdefault(channel.address_kind, channel)
    return kinds
