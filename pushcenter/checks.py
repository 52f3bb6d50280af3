"""Mistakes in the settings, said at the start with an id and a hint."""

from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004  (Django's name)
from django.db import connections

from channels_app import registry

#: Room between an adapter's longest call and the end of the lease, in seconds.
LEASE_MARGIN = 10
OLDEST_POSTGRESQL = 15

POSITIVE = (
    "WORKERS",
    "WEB_WORKERS",
    "WEB_THREADS",
    "INBOX_STREAMS",
    "INBOX_STREAM_SECONDS",
    "DISPATCH_SECONDS",
    "LEASE_SECONDS",
    "DEFAULT_TIME_TO_LIVE",
    "BRAKE_SLICE",
    "AUDIT_SECONDS",
    "WORKER_SILENT_SECONDS",
    "MAX_BODY_BYTES",
    "MAX_BATCH_BYTES",
)
PORTS = ("PORT", "DEMO_SMTP_PORT", "DEMO_HTTP_PORT")


@register(Tags.security)
def field_keys(**kwargs: Any) -> list[CheckMessage]:
    """FIELD_KEYS are Fernet keys."""
    try:
        for key in settings.FIELD_KEYS:
            Fernet(key)
    except ValueError:
        hint = "A key is 32 random bytes in URL-safe base64; docs/configuration.md shows how to make one."
        return [Error("FIELD_KEYS has an entry that is not a Fernet key.", hint=hint, id="pushcenter.E001")]
    return []


@register()
def allowed_networks(**kwargs: Any) -> list[CheckMessage]:
    """OUTBOUND_ALLOWED_NETWORKS and METRICS_NETWORKS are IP networks."""
    return [
        Error(
            f"{name} has {network!r}, which is not an IP network.",
            hint="Write networks such as 10.1.0.0/16, separated by commas.",
            id="pushcenter.E002",
        )
        for name in ("OUTBOUND_ALLOWED_NETWORKS", "METRICS_NETWORKS")
        for network in getattr(settings, name)
        if not _is_network(network)
    ]


@register()
def numbers(**kwargs: Any) -> list[CheckMessage]:
    """Counts and durations are positive, ports are ports."""
    found: list[CheckMessage] = [
        Error(f"{name} must be at least 1.", hint="Remove it to use the default.", id="pushcenter.E003")
        for name in POSITIVE
        if getattr(settings, name) < 1
    ]
    found += [
        Error(f"{name} is not a port.", hint="Choose a number from 1 to 65535.", id="pushcenter.E003")
        for name in PORTS
        if not 1 <= getattr(settings, name) <= 65535
    ]
    return found


@register()
def lease(**kwargs: Any) -> list[CheckMessage]:
    """The lease of a claim outlasts the longest call of any adapter."""
    longest = max(each.capabilities.timeout for each in registry.adapters().values())
    if longest + LEASE_MARGIN <= settings.LEASE_SECONDS:
        return []
    text = f"LEASE_SECONDS is {settings.LEASE_SECONDS}, but a call may take {longest:g} seconds."
    hint = f"Set it to {longest + LEASE_MARGIN:g} or more: a shorter lease would end in needless doubt."
    return [Error(text, hint=hint, id="pushcenter.E004")]


@register()
def base_url(**kwargs: Any) -> list[CheckMessage]:
    """BASE_URL is how the world reaches us."""
    parts = urlsplit(settings.BASE_URL)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        hint = "Write the public address, such as https://push.example.com"
        return [Error(f"BASE_URL {settings.BASE_URL!r} is not a URL.", hint=hint, id="pushcenter.E005")]
    if settings.HTTPS and parts.scheme != "https":
        hint = (
            "Providers and recipients would be sent to an address that is redirected; begin it with https://"
        )
        return [Warning("BASE_URL is not https although HTTPS is on.", hint=hint, id="pushcenter.W005")]
    return []


@register(Tags.database)
def postgresql_version(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """The server is one that we are tested with."""
    return [
        Error(
            f"PostgreSQL {version} is too old.",
            hint=f"Use PostgreSQL {OLDEST_POSTGRESQL} or newer.",
            id="pushcenter.E006",
        )
        for version in _versions(databases or ())
        if version < OLDEST_POSTGRESQL
    ]


def _versions(databases: Sequence[str]) -> Iterator[int]:
    for alias in databases:
        with connections[alias].cursor() as cursor:
            cursor.execute("SHOW server_version_num")
            yield int(cursor.fetchone()[0]) // 10_000


def _is_network(value: str) -> bool:
    try:
        ip_network(value)
    except ValueError:
        return False
    return True
