"""``/recipients/{external_id}/inbox``: what a site or an app shows its user."""

from dataclasses import asdict
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pushcenter.access.models import Scope
from pushcenter.access.serializers import (
    InboxQuerySerializer,
    InboxSerializer,
    MarkedSerializer,
    MarkReadSerializer,
)
from pushcenter.access.views.base import GatewayView, problems
from pushcenter.messaging import inbox
from pushcenter.recipients.models import Recipient


class InboxView(GatewayView):
    scopes = {"GET": Scope.RECIPIENTS}

    @extend_schema(
        operation_id="list_inbox",
        summary="List a recipient's inbox, newest first",
        parameters=[InboxQuerySerializer],
        responses={200: InboxSerializer, **problems(401, 403, 404, 422)},
        tags=["inbox"],
    )
    def get(self, request: Request, external_id: str) -> Response:
        query = InboxQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        recipient = recipient_id(external_id)
        limit = query.validated_data["limit"]
        entries = inbox.entries(
            recipient,
            before=query.validated_data.get("cursor"),
            unread=query.validated_data["unread"],
            limit=limit,
        )
        page = {
            "entries": [asdict(entry) for entry in entries],
            "unread": inbox.unread_count(recipient),
            "next": entries[-1].id if len(entries) == limit else None,
        }
        return Response(InboxSerializer(page).data)


class InboxReadView(GatewayView):
    scopes = {"POST": Scope.RECIPIENTS}

    @extend_schema(
        operation_id="mark_inbox_read",
        summary="Mark entries of an inbox as read",
        request=MarkReadSerializer,
        responses={200: MarkedSerializer, **problems(400, 401, 403, 404, 415, 422)},
        tags=["inbox"],
    )
    def post(self, request: Request, external_id: str) -> Response:
        serializer = MarkReadSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        recipient = recipient_id(external_id)
        marked = inbox.mark_read(recipient, serializer.validated_data.get("ids"))
        return Response(MarkedSerializer({"marked": marked, "unread": inbox.unread_count(recipient)}).data)


def recipient_id(external_id: str) -> UUID:
    found = Recipient.objects.filter(external_id=external_id).values_list("pk", flat=True).first()
    if found is None:
        raise Http404
    return found
