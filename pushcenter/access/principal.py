"""Whoever was let in: a system with one of its keys, as each process holds it in memory."""

from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from pushcenter.access.models import ApiKey, System
from pushcenter.held import Held, Topic
from pushcenter.lanes import Lane
from pushcenter.messaging.request import Caller
from pushcenter.purse import Limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A key with its system. It is shared by all requests of the key: read it, and change nothing of it."""

    system: System
    key: ApiKey
    scopes: frozenset[str]
    networks: tuple[IPv4Network | IPv6Network, ...]
    limit: Limit
    #: What the business tier needs to know.
    caller: Caller

    @property
    def is_authenticated(self) -> bool:
        return True

    def is_usable(self, now: datetime) -> bool:
        return self.system.is_active and self.key.is_usable(now)

    def may(self, scope: str) -> bool:
        return scope in self.scopes

    def may_call_from(self, address: str) -> bool:
        """Whether the key may be used from this IP address."""
        if not self.networks:
            return True
        try:
            caller = ip_address(address)
        except ValueError:  # a server that listens on a socket file knows no address
            return False
        if isinstance(caller, IPv6Address) and caller.ipv4_mapped:
            caller = caller.ipv4_mapped
        return any(caller in network for network in self.networks)


def of(digest: str) -> Principal | None:
    """Whose key has this digest, usable or not; at most about a second old."""
    return _principals.get(digest)


def _load(digest: str) -> Principal | None:
    key = ApiKey.objects.select_related("system").filter(digest=digest).first()
    if key is None:
        return None
    return Principal(
        system=key.system,
        key=key,
        scopes=frozenset(key.scopes),
        networks=tuple(ip_network(network) for network in key.allowed_networks),
        limit=Limit.of(rate=key.system.rate, burst=key.system.burst),
        caller=_caller(key, key.system),
    )


def _caller(key: ApiKey, system: System) -> Caller:
    return Caller(
        system_id=system.pk,
        key_id=key.pk,
        is_test=key.is_test,
        channels=tuple(system.channels),
        templates=tuple(system.templates),
        categories=tuple(system.categories),
        highest_priority=Lane(system.highest_priority),
        may_address_inline=system.may_address_inline,
        daily_quota=system.daily_quota,
        may_broadcast=system.may_broadcast,
        max_broadcast=system.max_broadcast,
    )


_principals: Held[str, Principal] = Held(Topic.KEYS, _load)
