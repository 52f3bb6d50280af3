"""Recipients that only test keys know: each stands for an outcome, on every channel.

``simulated:bounced`` has an address of every kind at which the simulator plays ``bounced``. The names in ``BEFORE``
stand for what is decided before any provider is asked.
"""

from collections.abc import Callable, Mapping

from channels_app import registry
from channels_app.adapters.simulated import MAGIC, address_for
from pushcenter.recipients.person import Person

PREFIX = "simulated:"


def person(external_id: str) -> Person | None:
    """The recipient of this name; None where it is not one of them."""
    scheme, _, name = external_id.partition(":")
    if f"{scheme}:" != PREFIX:
        return None
    if name in MAGIC:
        return _reachable(name)
    return BEFORE[name]() if name in BEFORE else None


def _reachable(outcome: str) -> Person:
    places = {kind: address_for(kind, outcome) for kind in registry.address_kinds()}
    name = f"{PREFIX}{outcome}"
    return Person(external_id=name, name="Sam Simulated", places={**places, "recipient": name})


class _Everything(frozenset[tuple[str, str]]):
    """Every category on every channel."""

    def __contains__(self, item: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return True


def _muted() -> Person:
    whole = _reachable("delivered")
    return Person(external_id=f"{PREFIX}muted", name=whole.name, places=whole.places, muted=_Everything())


def _suppressed() -> Person:
    whole = _reachable("delivered")
    against = {(kind, value, ""): "manual" for kind, value in whole.places.items()}
    return Person(external_id=f"{PREFIX}suppressed", name=whole.name, places=whole.places, suppressed=against)


def _without_address() -> Person:
    return Person(external_id=f"{PREFIX}no_address", name="Sam Simulated")


#: What is decided before a provider is asked.
BEFORE: Mapping[str, Callable[[], Person]] = {
    # Has muted the category: skipped, unless it is mandatory.
    "muted": _muted,
    # Every address is on the list of those that are not written to: skipped.
    "suppressed": _suppressed,
    # Has no address at all: refused with ``no_usable_address``.
    "no_address": _without_address,
}
