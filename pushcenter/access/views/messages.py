"""``/messages``: send one, find some, read, follow and cancel one."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.http import Http404
from django.http.response import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response

from pushcenter.access import bodies
from pushcenter.access.models import Scope
from pushcenter.access.paging import Page, page
from pushcenter.access.principal import Principal
from pushcenter.access.serializers.messages import (
    AcceptedSerializer,
    CancelledMessageSerializer,
    MessageSerializer,
    MessagesQuerySerializer,
    MessagesSerializer,
    SendSerializer,
    TraceSerializer,
)
from pushcenter.access.views.base import OF_POST, GatewayView, problems
from pushcenter.access.views.sending import SendingView, accepted
from pushcenter.messaging import intake, operate, search
from pushcenter.messaging.idempotency import Replayed
from pushcenter.messaging.models import Delivery, Message
from pushcenter.messaging.request import Call
from pushcenter.messaging.states import State, summary
from pushcenter.messaging.trace import timeline

#: Messages that one page of a list by status or channel goes through.
LOOKED_AT = 5_000
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
    scopes = {"POST": Scope.SEND, "GET": Scope.READ}

    @extend_schema(
        operation_id="list_messages",
        summary="List messages, newest first",
        description=(
            "All of them, or those that meet every parameter. A test key sees the messages of test keys, any other "
            f"key those of the others. With `status` or `channel`, {LOOKED_AT:,} messages are looked at for each page: "
            "it may have few items, or none, while `next` leads on."
        ),
        parameters=[MessagesQuerySerializer],
        responses={200: MessagesSerializer, **problems(401, 403, 422, 429, 503)},
        tags=["messages"],
    )
    def get(self, request: Request) -> Response:
        query = MessagesQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        return Response(MessagesSerializer(_found(self.principal, query.validated_data)).data)

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
        result = intake.accept(request, caller=principal.caller, call=call)
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


class CancelView(GatewayView):
    scopes = {"POST": Scope.SEND}

    @extend_schema(
        operation_id="cancel_message",
        summary="Cancel a message",
        description=(
            "Ends the deliveries that still wait, keeps further channels from starting, and repeats no attempt that "
            "is under way. The answer says for each delivery whether it was in time."
        ),
        request=None,
        responses={200: CancelledMessageSerializer, **problems(*OF_POST, 404)},
        tags=["messages"],
    )
    def post(self, request: Request, message_id: UUID) -> Response:
        message = own_message(self, message_id)
        done = operate.cancel_message(message, by=self.principal.key.prefix)
        states = Delivery.objects.filter(message=message).values_list("state", flat=True)
        answer = {
            "id": message.pk,
            "status": summary([State(state) for state in states]),
            "cancelled": done.cancelled,
            "too_late": done.too_late,
            "recalling": done.recalling,
            "kept_back": done.kept_back,
        }
        return Response(CancelledMessageSerializer(answer).data)


def own_message(view: GatewayView, message_id: UUID) -> Message:
    """A message of the calling system, sent with a key of the same kind; another one's is not found."""
    principal = view.principal
    message = in_full(
        Message.objects.filter(pk=message_id, system=principal.system, is_test=principal.key.is_test)
    ).first()
    if message is None:
        raise Http404
    return message


def in_full(messages: QuerySet[Message]) -> QuerySet[Message]:
    """With all that is shown of them."""
    in_order = Prefetch("deliveries", Delivery.objects.select_related("account").order_by("id"))
    related = messages.select_related("template", "version", "recipient", "system", "key")
    return related.prefetch_related(in_order)


def _found(principal: Principal, query: Mapping[str, Any]) -> Page:
    """The page of messages that a valid query asks for."""
    asked = {name: value for name, value in query.items() if name not in {"limit", "cursor"}}
    rows = search.messages(system_id=principal.system.pk, is_test=principal.key.is_test, **asked)
    status, channel = asked.get("status"), asked.get("channel")
    if not status and not channel:
        return page(in_full(rows), query, by="pk", newest_first=True)
    # These stand on the deliveries, and no index knows them: a bounded number of messages is looked at.
    looked_at = page(rows.only("pk"), {**query, "limit": LOOKED_AT}, by="pk", newest_first=True)
    if not looked_at.items:
        return looked_at
    window = search.Window(rows=rows, oldest=looked_at.items[-1].pk, newest=looked_at.items[0].pk)
    window = window.with_status(State(status)) if status else window
    window = window.on_channel(channel) if channel else window
    found = page(in_full(window.all()), {"limit": query["limit"]}, by="pk", newest_first=True)
    return found if found.next else replace(found, next=looked_at.next)
