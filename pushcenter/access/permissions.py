"""What a key may do: each view names the scope that it needs."""

from typing import TYPE_CHECKING, cast

from rest_framework import exceptions
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:  # DRF's views load this module while they are being loaded themselves
    from rest_framework.views import APIView

    from pushcenter.access.authentication import Principal


class HasScope(BasePermission):
    """Refuses who has no key (401), and whose key lacks the view's scope (403).

    A view declares ``scopes = {"GET": Scope.READ, "POST": Scope.SEND}``; a method that it has and does not name
    is refused, so that a forgotten declaration closes a door and opens none.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if request.user is None:
            raise exceptions.NotAuthenticated(
                "Send your API key as: Authorization: Bearer <key>.", "missing_key"
            )
        if (request.method or "") not in view.allowed_methods:
            return True  # for the view to answer with 405
        method = "GET" if request.method == "HEAD" else request.method
        scope = getattr(view, "scopes", {}).get(method)
        if scope is None or not cast("Principal", request.user).may(scope):
            raise exceptions.PermissionDenied(
                f"This key does not have the scope {scope or 'needed'}.", "missing_scope"
            )
        return True
