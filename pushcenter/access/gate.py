"""The gate: key, then system, then network, then scope, then rate. What does not pass one step sees none of the next.

:func:`admit` takes all steps at once. DRF's views take the same steps one by one, where the framework asks for them.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from rest_framework import exceptions

from pushcenter.access import keys, principal, throttle
from pushcenter.access.models import ApiKey
from pushcenter.access.principal import Principal

#: How a caller is told to show its key (RFC 6750).
CHALLENGE = 'Bearer realm="pushcenter"'
#: Under this name a request's META holds whose key it came with, also when it was refused.
CALLER = "pushcenter.caller"
#: ``last_used_at`` is written at most this often.
LAST_USE_STEP = timedelta(minutes=1)
MOST_REMEMBERED = 10_000


class Reason(StrEnum):
    """Why a request does not pass the gate: the codes of its problems."""

    MISSING_KEY = "missing_key"
    INVALID_KEY = "invalid_key"
    ADDRESS_NOT_PERMITTED = "address_not_permitted"
    MISSING_SCOPE = "missing_scope"
    RATE_LIMITED = "rate_limited"


class NoKey(exceptions.NotAuthenticated):
    default_code = Reason.MISSING_KEY
    default_detail = "Send your API key as: Authorization: Bearer <key>."
    auth_header = CHALLENGE


class BadKey(exceptions.AuthenticationFailed):
    """A key that opens nothing. The answer is the same for one that never was and one that is gone."""

    default_code = Reason.INVALID_KEY
    default_detail = "This API key is not valid, has expired, or was revoked."
    auth_header = CHALLENGE


class WrongNetwork(exceptions.PermissionDenied):
    default_code = Reason.ADDRESS_NOT_PERMITTED
    default_detail = "This key may not be used from this address."


class NoScope(exceptions.PermissionDenied):
    default_code = Reason.MISSING_SCOPE

    def __init__(self, scope: str | None) -> None:
        super().__init__(f"This key does not have the scope {scope or 'needed'}.")


class RateLimited(exceptions.APIException):
    """More requests than the system may make; ``headers`` say when the next one may come."""

    status_code = 429
    default_code = Reason.RATE_LIMITED
    default_detail = "Your system makes more requests than it may; wait as Retry-After says."

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__()
        self.headers = headers


class CannotCount(exceptions.APIException):
    """The store of the throttle is away, and the settings say that nothing is admitted then."""

    status_code = 503
    default_code = "unavailable"
    default_detail = "The gateway cannot count your requests at the moment; try again."
    wait = 1


def admit(request: HttpRequest, *, scope: str | None) -> Principal:
    """Let a request in, or raise what to answer; ``scope`` None lets every valid key in."""
    caller = identify(request)
    if caller is None:
        raise NoKey
    require(caller, scope)
    count(caller)
    return caller


def identify(request: HttpRequest) -> Principal | None:
    """Whose key the request has, from where it may be used; None without an ``Authorization`` header."""
    header = request.META.get("HTTP_AUTHORIZATION", "")
    if not header:
        return None
    scheme, _, secret = header.partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not keys.is_well_formed(secret):
        raise BadKey
    caller = request.META[CALLER] = principal.of(keys.digest(secret))
    now = timezone.now()
    if caller is None or not caller.is_usable(now):
        raise BadKey
    if caller.networks and not caller.may_call_from(caller_address(request)):
        raise WrongNetwork
    _note_use(caller.key.pk, now)
    return caller


def require(caller: Principal, scope: str | None) -> None:
    """Refuse a key without the scope."""
    if scope is not None and not caller.may(scope):
        raise NoScope(scope)


def count(caller: Principal) -> None:
    """Count a request against its system's rate, or refuse it."""
    try:
        wait = throttle.spend(caller.system.pk, caller.limit)
    except throttle.StoreAway:
        raise CannotCount from None
    if wait:
        limits = throttle.headers(caller.system.pk, caller.limit, is_refused=True)
        raise RateLimited({"Retry-After": str(ceil(wait)), **limits})


def limit_headers(caller: Principal) -> dict[str, str]:
    """What stands in the answer to a caller that was let in."""
    return throttle.headers(caller.system.pk, caller.limit)


def caller_address(request: HttpRequest) -> str:
    """The IP address of the caller: behind a proxy, what the proxy itself added to ``X-Forwarded-For``."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.BEHIND_PROXY else ""
    return forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR", "")


#: When this process last wrote down the use of a key.
_noted: dict[UUID, datetime] = {}


def _note_use(key_id: UUID, now: datetime) -> None:
    noted = _noted.get(key_id)
    if noted is not None and now - noted < LAST_USE_STEP:
        return
    if len(_noted) >= MOST_REMEMBERED:
        _noted.clear()
    _noted[key_id] = now
    is_old = Q(last_used_at=None) | Q(last_used_at__lte=now - LAST_USE_STEP)
    ApiKey.objects.filter(is_old, pk=key_id).update(last_used_at=now)
