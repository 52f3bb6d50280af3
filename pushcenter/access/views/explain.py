"""``/messages/explain`` and ``/messages/{id}/explain``: what would happen, or happened, and why."""

from typing import Any
from uuid import UUID

import msgspec
from django.http.response import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response

from pushcenter.access import bodies
from pushcenter.access.models import Scope
from pushcenter.access.principal import Principal
from pushcenter.access.problems import handle
from pushcenter.access.serializers.explain import ExplainedSerializer
from pushcenter.access.serializers.messages import SendSerializer
from pushcenter.access.views.base import GatewayView, problems
from pushcenter.access.views.messages import EXAMPLE, own_message
from pushcenter.access.views.sending import SendingView
from pushcenter.messaging import explain
from pushcenter.messaging.explain import Explained
from pushcenter.messaging.request import Call

ANSWER = OpenApiExample(
    "One channel, and why not the other",
    value={
        "accepted": True,
        "problem": None,
        "template": "order-paid",
        "version": 3,
        "category": "orders",
        "priority": "normal",
        "due_at": "2030-01-31T09:00:00Z",
        "expires_at": "2030-02-03T09:00:00Z",
        "recipient": "u-1001",
        "name": "Li Wei",
        "locale": "zh-hans",
        "paused": [],
        "channels": [
            {
                "channel": "email",
                "choice": "chosen",
                "reason": "in_route",
                "detail": "",
                "kind": "email",
                "address": "li.wei@example.com",
                "until": None,
                "within": None,
                "delivery": None,
            },
            {
                "channel": "sms",
                "choice": "skipped",
                "reason": "no_address",
                "detail": "",
                "kind": "phone",
                "address": "",
                "until": None,
                "within": None,
                "delivery": None,
            },
        ],
    },
    response_only=True,
    status_codes=["200"],
)


class ExplainView(SendingView):
    @extend_schema(
        operation_id="explain_request",
        summary="What would become of a message",
        description=(
            "Takes the body of `POST /messages` and stores nothing. Where sending would be refused, `problem` is what "
            "it would answer, and the rest is told as far as it can be decided. A body of the wrong shape is answered "
            "as when sending."
        ),
        request=SendSerializer,
        responses={200: ExplainedSerializer, **problems(400, 401, 403, 411, 413, 415, 422, 429, 503)},
        examples=[EXAMPLE, ANSWER],
        tags=["messages"],
    )
    def post(self, request: Request) -> Response:
        """Described here, answered by :meth:`take`."""
        raise MethodNotAllowed("POST")

    def take(self, principal: Principal, body: bytes, call: Call | None) -> HttpResponse:
        request = bodies.message(body, request_id=self.request_id)
        document = shown(explain.request(request, caller=principal.caller))
        return HttpResponse(msgspec.json.encode(document), content_type="application/json")


class ExplainMessageView(GatewayView):
    scopes = {"GET": Scope.READ}

    @extend_schema(
        operation_id="explain_message",
        summary="Why a message took the channels that it took",
        description="What was decided when it was accepted, and the delivery that came of each channel.",
        responses={200: ExplainedSerializer, **problems(401, 403, 404, 429, 503)},
        tags=["messages"],
    )
    def get(self, request: Request, message_id: UUID) -> Response:
        return Response(shown(explain.message(own_message(self, message_id))))


def shown(explained: Explained) -> dict[str, Any]:
    """As JSON, with the refusal as the problem document that it would be."""
    answer = handle(explained.refusal, {}) if explained.refusal else None
    explained_as = {name: getattr(explained, name) for name in explained.__slots__}
    document = {**explained_as, "accepted": explained.accepted, "problem": answer.data if answer else None}
    return {**ExplainedSerializer(document).data}
