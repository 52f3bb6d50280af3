"""``/messages``: send one, read one, follow one."""

from dataclasses import asdict
from uuid import UUID

from django.db.models import Prefetch
from django.http import Http404
from django.http.response import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response

from pushcenter.access import bodies
from pushcenter.access.models import Scope
from pushcenter.access.principal import Principal
from pushcenter.access.serializers.messages import (
    AcceptedSerializer,
    MessageSerializer,
    SendSerializer,
    TraceSerializer,
)
from pushcenter.access.views.base import GatewayView, problems
from pushcenter.access.views.sending import SendingView, accepted
from pushcenter.messaging import intake
from pushcenter.messaging.idempotency import Replayed
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.request import Call
from pushcenter.messaging.trace import timeline

EXAMPLE = OpenApiExample(
    "An order was paid",
    value={
        "template": "order-paid",
        "to": {"recipient": "u-1001"},
        "params": {"order_no": "SO-20391", "amount": "¥ 249.00"},
        "reference": "SO-20391",
    },
    request_only=True,
)


class MessagesView(SendingView):
    @extend_schema(
        operation_id="send_message",
        summary="Send one message",
        description="Answers 202 once the message is stored for good; what becomes of it, its id tells.",
        request=SendSerializer,
        responses={202: AcceptedSerializer, **problems(400, 401, 403, 409, 411, 413, 415, 422, 429, 503)},
        examples=[EXAMPLE],
        tags=["messages"],
    )
    def post(self, request: Request) -> Response:
        """Described here, answered by :meth:`take`."""
        raise MethodNotAllowed("POST")

    def take(self, principal: Principal, body: bytes, call: Call | None) -> HttpResponse:
        request = bodies.message(body, request_id=self.request_id)
        result = intake.accept(request, caller=principal.as_caller(), call=call)
        return accepted(result, "" if isinstance(result, Replayed) else intake.location(result.id))


class MessageView(GatewayView):
    scopes = {"GET": Scope.READ}

    @extend_schema(
        operation_id="read_message",
        summary="Read a message with its deliveries",
        description="`status` is the best that one of the deliveries has reached.",
        responses={200: MessageSerializer, **problems(401, 403, 404)},
        tags=["messages"],
    )
    def get(self, request: Request, message_id: UUID) -> Response:
        return Response(MessageSerializer(own_message(self, message_id)).data)


class TraceView(GatewayView):
    scopes = {"GET": Scope.READ}

    @extend_schema(
        operation_id="trace_message",
        summary="Follow a message step by step",
        description="What was decided, tried and reported, and when; the oldest line comes first.",
        responses={200: TraceSerializer, **problems(401, 403, 404)},
        tags=["messages"],
    )
    def get(self, request: Request, message_id: UUID) -> Response:
        message = own_message(self, message_id)
        entries = [asdict(entry) for entry in timeline(message)]
        return Response(TraceSerializer({"id": message.pk, "entries": entries}).data)


def own_message(view: GatewayView, message_id: UUID) -> Message:
    """A message of the calling system; another one's is not found."""
    in_order = Prefetch("deliveries", Delivery.objects.select_related("account").order_by("id"))
    messages = Message.objects.select_related("template", "version", "recipient", "system", "key")
    message = messages.prefetch_related(in_order).filter(pk=message_id, system=view.principal.system).first()
    if message is None:
        raise Http404
    return message
