"""Which addresses of the network a URL that users can set may lead to (guard against SSRF)."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: RFC 6052: an IPv6-only host sees every IPv4 address inside this network.
NAT64 = IPv6Network("64:ff9b::/96")
#: All that is routed in the public IPv6 network.
GLOBAL_UNICAST = IPv6Network("2000::/3")
#: Global to Python's ``ipaddress``, yet no place for a server: IANA's special-purpose registries.
SPECIAL: tuple[Network, ...] = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments (RFC 6890)
    IPv4Network("192.88.99.0/24"),  # relays of 6to4 (RFC 7526)
    IPv6Network("2001::/23"),  # protocol assignments, Teredo among them (RFC 2928)
    IPv6Network("2002::/16"),  # 6to4, which carries any IPv4 address (RFC 3056)
    IPv6Network("3fff::/20"),  # documentation (RFC 9637)
)


def is_permitted(address: str, *, secure: bool) -> bool:
    """May we connect to this IP address? In clear only inside ``OUTBOUND_ALLOWED_NETWORKS``.

    Raises ``ValueError`` where it is no IP address.
    """
    return _is_permitted(address, tuple(settings.OUTBOUND_ALLOWED_NETWORKS), secure=secure)


@lru_cache(maxsize=4096)
def _is_permitted(address: str, networks: tuple[str, ...], *, secure: bool) -> bool:
    target = _unwrapped(ip_address(address))
    return _inside(target, _allowed(networks)) or (secure and is_public(target))


def is_public(address: Address) -> bool:
    """Is this the address of one host in the public network?"""
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:
        return False
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not _inside(address, SPECIAL)


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, where it stands for one."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address


def _inside(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


@lru_cache(maxsize=8)
def _allowed(networks: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(network) for network in networks)
