"""What a key may do: each view names the scope that it needs."""

from typing import TYPE_CHECKING, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from pushcenter.access import gate
from pushcenter.access.principal import Principal

if TYPE_CHECKING:  # DRF's views load this module while they are being loaded themselves
    from rest_framework.views import APIView


class HasScope(BasePermission):
    """Refuses who has no key (401), and whose key lacks the view's scope (403).

    A view declares ``scopes = {"GET": Scope.READ, "POST": Scope.SEND}``; a method that it has and does not name
    is refused, so that a forgotten declaration closes a door and opens none. ``ANY_KEY`` asks for no scope.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.user is None:
            raise gate.NoKey
        if (request.method or "") not in view.allowed_methods:
            return True  # for the view to answer with 405
        method = "GET" if request.method == "HEAD" else request.method
        scopes = getattr(view, "scopes", {})
        if method not in scopes:
            raise gate.NoScope(None)
        gate.require(cast("Principal", request.user), scopes[method])
        return True
