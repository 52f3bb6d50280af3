"""What a key with the scope ``keys`` may hand on: never more than it has itself."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from pushcenter.access.models import ApiKey
from pushcenter.access.principal import Principal
from pushcenter.faults import Fault, pointer
from pushcenter.messaging.validate import NotPermitted


def create(caller: Principal, wanted: Mapping[str, Any]) -> tuple[ApiKey, str]:
    """Make a key of the caller's system; returns it and its secret. Raises :class:`NotPermitted`.

    Networks and end are the caller's own where nothing is said of them.
    """
    key = ApiKey(
        system=caller.system,
        name=wanted.get("name", ""),
        is_test=wanted["test"],
        scopes=list(dict.fromkeys(wanted["scopes"])),
        allowed_networks=wanted.get("allowed_networks", caller.key.allowed_networks),
        expires_at=wanted.get("expires_at", caller.key.expires_at),
    )
    if faults := list(excess(caller, key)):
        raise NotPermitted(faults)
    return key, key.issue()


def excess(caller: Principal, key: ApiKey) -> Iterator[Fault]:
    """In what a key goes beyond the one that would hand it out."""
    yield from _scopes(caller, key.scopes)
    if caller.key.is_test and not key.is_test:
        yield Fault(pointer="/test", code="live_key_not_permitted", detail="A test key makes only test keys.")
    yield from _networks(caller, key.allowed_networks)
    yield from _end(caller, key.expires_at)


def _scopes(caller: Principal, scopes: Sequence[str]) -> Iterator[Fault]:
    for index, scope in enumerate(scopes):
        if not caller.may(scope):
            yield Fault(
                pointer=pointer("scopes", index),
                code="scope_not_permitted",
                detail=f"The calling key does not have the scope {scope}.",
            )


def _networks(caller: Principal, networks: Sequence[str]) -> Iterator[Fault]:
    if not caller.networks:
        return
    if not networks:
        yield _outside("allowed_networks")
    for index, network in enumerate(networks):
        inner = ip_network(network)
        if not any(inner.version == own.version and inner.subnet_of(own) for own in caller.networks):  # type: ignore[arg-type]
            yield _outside("allowed_networks", index)


def _outside(*place: object) -> Fault:
    return Fault(
        pointer=pointer(*place),
        code="network_not_permitted",
        detail="The calling key may not be used from there.",
    )


def _end(caller: Principal, end: datetime | None) -> Iterator[Fault]:
    own = caller.key.expires_at
    if own is not None and (end is None or end > own):
        yield Fault(pointer="/expires_at", code="outlives_its_maker", detail="The calling key ends earlier.")
