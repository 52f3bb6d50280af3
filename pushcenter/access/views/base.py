"""What all views of the API share."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, cast

from django.conf import settings
from django.http import Http404, HttpResponse
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pushcenter.access import gate
from pushcenter.access.idempotent import HEADER, call_of, once
from pushcenter.access.models import Scope
from pushcenter.access.openapi.problems import DESCRIPTIONS
from pushcenter.access.principal import Principal
from pushcenter.access.problems import CONTENT_TYPE, LengthRequired, TooLarge
from pushcenter.access.request_id import request_id
from pushcenter.access.serializers.problems import ProblemSerializer
from pushcenter.messaging.request import Call


def problems(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The error answers of a call, for its OpenAPI description; some any call can get."""
    return {
        (status, CONTENT_TYPE): OpenApiResponse(ProblemSerializer, description=DESCRIPTIONS[status])
        for status in sorted({*statuses, *OF_CALL})
    }


def check_length(meta: Mapping[str, Any], max_body: int | None) -> None:
    """Refuse, unread, a body without a length or with too great a one."""
    if "HTTP_TRANSFER_ENCODING" in meta and not meta.get("CONTENT_LENGTH"):
        raise LengthRequired  # Django would take the body for an empty one
    length = meta.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > (max_body or settings.MAX_BODY_BYTES):
        raise TooLarge(f"The body is larger than {max_body or settings.MAX_BODY_BYTES:,} bytes.")


#: In the place of a scope: the call is open to every valid key.
ANY_KEY = None
#: What may be wrong with any call, with any POST, and with a call that has a body.
OF_CALL = (401, 403, 414, 429, 431, 503)
OF_POST = (*OF_CALL, 400, 409, 411, 413)
OF_BODY = (*OF_CALL, 400, 411, 413, 415, 422)


class GatewayView(APIView):
    """A view behind the gate: it names a scope for each method.

    Each answer has a request id, and says what the system may still do.
    """

    scopes: ClassVar[dict[str, Scope | None]] = {}
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    #: Bytes of a body; None is what the setting MAX_BODY_BYTES says.
    max_body: int | None = None
    #: Whether an answer has a secret in it, which is not to be kept as it is.
    answers_are_secret = False
    request_id = ""
    limits: Mapping[str, str] = {}

    @property
    def principal(self) -> Principal:
        return cast("Principal", self.request.user)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.request_id = request_id(request.META)
        super().initial(request, *args, **kwargs)
        check_length(request.META, self.max_body)
        if any("\0" in str(value) for value in kwargs.values()):
            raise Http404  # the database knows no such text
        if request.method == "POST" and HEADER in request.META and "POST" in self.allowed_methods:
            self._make_it_happen_once(request)

    def _make_it_happen_once(self, request: Request) -> None:
        """Wrap the handler of POST; DRF looks it up after :meth:`initial`."""
        raw: Any = request._request  # noqa: SLF001 - the body as it came, which DRF reads afterwards
        raw._body = raw.read((self.max_body or settings.MAX_BODY_BYTES) + 1)  # noqa: SLF001 - past Django's own limit
        if call := call_of(raw, self.principal, raw.body):
            vars(self)["post"] = partial(self._once, call, cast("Any", self).post)

    def _once(
        self, call: Call, handler: Callable[..., Response], *args: Any, **kwargs: Any
    ) -> Response | HttpResponse:
        return once(call, partial(handler, *args, **kwargs), is_sealed=self.answers_are_secret)

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
