"""The calls that bring messages, answered without the framework's machinery: it would be most of what they cost."""

from abc import ABC, abstractmethod
from typing import Any

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import APIException, UnsupportedMediaType

from pushcenter.access import gate, idempotent
from pushcenter.access.models import Scope
from pushcenter.access.principal import Principal
from pushcenter.access.problems import TooLarge, response_to
from pushcenter.access.request_id import request_id
from pushcenter.access.views.base import GatewayView, check_length
from pushcenter.faults import Rejected
from pushcenter.messaging.idempotency import Replayed
from pushcenter.messaging.request import Call


class SendingView(GatewayView, ABC):
    """POST takes the same steps as everywhere behind the gate, one after another, and speaks JSON only."""

    scopes = {"POST": Scope.SEND}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST":
            return super().dispatch(request, *args, **kwargs)
        self.request_id = request_id(request.META)
        try:
            response = self._answer(request)
        except Exception as error:
            response = response_to(error)
        response.headers["X-Request-Id"] = self.request_id
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if "POST" not in self.scopes:  # a forgotten declaration closes a door and opens none
            raise gate.NoScope(None)
        principal = gate.admit(request, scope=self.scopes["POST"])
        body = read(request, self.max_body or settings.MAX_BODY_BYTES)
        try:
            response = self._take_once(request, principal, body)
        except Exception as error:
            response = response_to(error)
        for name, value in gate.limit_headers(principal).items():
            response.headers[name] = value
        return response

    def _take_once(self, request: HttpRequest, principal: Principal, body: bytes) -> HttpResponse:
        call = idempotent.call_of(request, principal, body)
        try:
            return self.take(principal, body, call)
        except (Rejected, APIException):
            # What was accepted stays so, whatever has changed meanwhile: the time, a template, a permission.
            if answer := idempotent.earlier(call):
                return answer
            raise

    @abstractmethod
    def take(self, principal: Principal, body: bytes, call: Call | None) -> HttpResponse:
        """Do what the body asks for."""


def read(request: HttpRequest, limit: int) -> bytes:
    """The body of a request that is declared as JSON and is not too large."""
    check_length(request.META, limit)
    kind = (request.content_type or "").lower()
    body: bytes = request.read(limit + 1)
    if body and kind != "application/json":
        raise UnsupportedMediaType(kind)
    if len(body) > limit:
        raise TooLarge(f"The body is larger than {limit:,} bytes.")
    return body


def accepted(result: Any, location: str) -> HttpResponse:
    """202, or the first answer where the call was made before."""
    if isinstance(result, Replayed):
        return idempotent.replay(result.answer)
    body = msgspec.json.encode(result.as_json())
    return HttpResponse(body, status=202, content_type="application/json", headers={"Location": location})
