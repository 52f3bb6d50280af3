"""What all views of the API share."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django.http import Http404
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pushcenter.access import gate
from pushcenter.access.models import Scope
from pushcenter.access.principal import Principal
from pushcenter.access.problems import CONTENT_TYPE, LengthRequired
from pushcenter.access.serializers.problems import ProblemSerializer
from pushcenter.ids import uuid7

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

DESCRIPTIONS = {
    400: "The body is not JSON.",
    401: "No key, or one that is not valid.",
    403: "The key, or its system, may not do this.",
    404: "Not found, or not yours.",
    411: "The body comes without its length.",
    413: "The body is too large.",
    415: "The body is not declared as application/json.",
    422: "The request has faults; each is named with a pointer.",
    429: "Your system makes more requests than it may.",
    503: "Nothing can be stored at the moment.",
}


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The error answers of a call, for its OpenAPI description."""
    return {
        (status, CONTENT_TYPE): OpenApiResponse(ProblemSerializer, description=DESCRIPTIONS[status])
        for status in statuses
    }


#: In the place of a scope: the call is open to every valid key.
ANY_KEY = None


class GatewayView(APIView):
    """A view behind the gate: it names a scope for each method.

    Each answer has a request id, and says what the system may still do.
    """

    scopes: ClassVar[dict[str, Scope | None]] = {}
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    request_id = ""
    limits: Mapping[str, str] = {}

    @property
    def principal(self) -> Principal:
        return cast("Principal", self.request.user)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        self.request_id = given if REQUEST_ID.fullmatch(given) else str(uuid7())
        super().initial(request, *args, **kwargs)
        if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
            raise LengthRequired  # Django would take the body for an empty one
        if any("\0" in str(value) for value in kwargs.values()):
            raise Http404  # the database knows no such text

    def check_throttles(self, request: Request) -> None:
        """The last step of the gate; DRF's own throttles keep a list of times for each key, which is slow."""
        gate.count(self.principal)
        self.limits = gate.limit_headers(self.principal)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        if self.request_id:
            final["X-Request-Id"] = self.request_id
        for name, value in self.limits.items():
            final[name] = value
        return final
