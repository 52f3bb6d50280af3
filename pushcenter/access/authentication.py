"""From the ``Authorization`` header to the system that calls."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from pushcenter.access import keys
from pushcenter.access.models import ApiKey, System
from pushcenter.lanes import Lane
from pushcenter.messaging.intake import Caller

#: ``last_used_at`` is written at most this often.
LAST_USE_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Whoever was let in: a system with one of its keys."""

    system: System
    key: ApiKey

    @property
    def is_authenticated(self) -> bool:
        return True

    def may(self, scope: str) -> bool:
        return scope in self.key.scopes

    def as_caller(self) -> Caller:
        """What the business tier needs to know."""
        return Caller(
            system_id=self.system.pk,
            key_id=self.key.pk,
            is_test=self.key.is_test,
            channels=tuple(self.system.channels),
            highest_priority=Lane(self.system.highest_priority),
            may_address_inline=self.system.may_address_inline,
        )


class BadKey(exceptions.AuthenticationFailed):
    """A key that opens nothing. The answer is the same for one that never was and one that is gone."""

    default_code = "invalid_key"
    default_detail = "This API key is not valid, has expired, or was revoked."


class KeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer pc_live_…`` (RFC 6750)."""

    def authenticate(self, request: Request) -> tuple[Principal, ApiKey] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != "bearer" or not keys.is_well_formed(secret.strip()):
            raise BadKey
        key = self._key(secret.strip())
        if not key.permits_address(caller_address(request)):
            raise exceptions.PermissionDenied(
                "This key may not be used from this address.", "address_not_permitted"
            )
        return Principal(system=key.system, key=key), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="pushcenter"'

    def _key(self, secret: str) -> ApiKey:
        now = timezone.now()
        key = ApiKey.objects.select_related("system").filter(digest=keys.digest(secret)).first()
        if key is None or not key.is_usable(now) or not key.system.is_active:
            raise BadKey
        if key.last_used_at is None or key.last_used_at < now - LAST_USE_STEP:
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
        return key


def caller_address(request: Request) -> str:
    """The IP address of the caller: behind a proxy, what the proxy itself added to ``X-Forwarded-For``."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.BEHIND_PROXY else ""
    return forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "")
