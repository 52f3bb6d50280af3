"""The gate's first step, as DRF asks for it."""

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from pushcenter.access import gate
from pushcenter.access.models import ApiKey
from pushcenter.access.principal import Principal


class KeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer pc_live_…`` (RFC 6750)."""

    def authenticate(self, request: Request) -> tuple[Principal, ApiKey] | None:
        caller = gate.identify(request._request)  # noqa: SLF001 - the plain request has no other name
        return (caller, caller.key) if caller else None

    def authenticate_header(self, request: Request) -> str:
        return gate.CHALLENGE
