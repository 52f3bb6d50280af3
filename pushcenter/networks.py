"""Networks that a row may name: who may use a key, and who may report to an account."""

from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address, ip_network

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


def check_network(value: str) -> None:
    """Validator of a model field."""
    try:
        ip_network(value)
    except ValueError:
        raise ValidationError(_("%(value)s is not an IP network."), params={"value": value}) from None


def permits(networks: Iterable[str], address: str) -> bool:
    """Is this IP address in one of the networks? Without networks every address is."""
    named = [ip_network(network) for network in networks]
    if not named:
        return True
    try:
        caller = ip_address(address)
    except ValueError:  # a server that listens on a socket file knows no address
        return False
    if isinstance(caller, IPv6Address) and caller.ipv4_mapped:
        caller = caller.ipv4_mapped
    return any(caller in network for network in named)
