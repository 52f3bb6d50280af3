"""``/recipients/{external_id}/inbox``: what a site or an app shows its user."""

from dataclasses import asdict

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pushcenter.access.models import Scope
from pushcenter.access.serializers.inbox import (
    ArchivedSerializer,
    ArchiveSerializer,
    InboxQuerySerializer,
    InboxSerializer,
    MarkedSerializer,
    MarkReadSerializer,
    UnreadSerializer,
)
from pushcenter.access.views.base import OF_BODY, OF_CALL, GatewayView, problems
from pushcenter.messaging.inbox import Inbox
from pushcenter.recipients.models import Recipient

READ = OpenApiExample("One entry", value={"ids": ["019aae10-8f2d-7a10-9d3e-5b1f60b7c222"]}, request_only=True)
ALL = OpenApiExample("All of them", value={}, request_only=True)


class OfRecipient(GatewayView):
    def inbox(self, external_id: str) -> Inbox:
        """The inbox of a recipient as this key sees it: a test key sees what test keys sent, and nothing else."""
        found = Recipient.objects.filter(external_id=external_id).values_list("pk", flat=True).first()
        if found is None:
            raise Http404
        return Inbox(recipient_id=found, is_test=self.principal.key.is_test)


class InboxView(OfRecipient):
    scopes = {"GET": Scope.RECIPIENTS}

    @extend_schema(
        operation_id="list_inbox",
        summary="List a recipient's inbox, newest first",
        description="Each entry in the recipient's language. A test key sees what test keys sent, and only that.",
        parameters=[InboxQuerySerializer],
        responses={200: InboxSerializer, **problems(*OF_CALL, 404, 422)},
        tags=["inbox"],
    )
    def get(self, request: Request, external_id: str) -> Response:
        query = InboxQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        box = self.inbox(external_id)
        limit = query.validated_data["limit"]
        # One more than the page holds tells whether another one follows.
        entries = box.entries(
            before=query.validated_data.get("cursor"),
            unread=query.validated_data["unread"],
            limit=limit + 1,
        )
        page = {
            "entries": [asdict(entry) for entry in entries[:limit]],
            "unread": box.unread_count(),
            "next": entries[limit - 1].id if len(entries) > limit else None,
        }
        return Response(InboxSerializer(page).data)


class InboxReadView(OfRecipient):
    scopes = {"POST": Scope.RECIPIENTS}

    @extend_schema(
        operation_id="mark_inbox_read",
        summary="Mark entries of an inbox as read",
        description="Ids of entries that were read before, or are not in this inbox, change nothing.",
        request=MarkReadSerializer,
        responses={200: MarkedSerializer, **problems(*OF_BODY, 404, 409)},
        examples=[READ, ALL],
        tags=["inbox"],
    )
    def post(self, request: Request, external_id: str) -> Response:
        serializer = MarkReadSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        box = self.inbox(external_id)
        marked = box.mark_read(serializer.validated_data.get("ids"))
        return Response(MarkedSerializer({"marked": marked, "unread": box.unread_count()}).data)


class InboxUnreadView(OfRecipient):
    scopes = {"GET": Scope.RECIPIENTS}

    @extend_schema(
        operation_id="count_unread",
        summary="Count what is unread in an inbox",
        description="For the number beside the bell.",
        responses={200: UnreadSerializer, **problems(*OF_CALL, 404)},
        tags=["inbox"],
    )
    def get(self, request: Request, external_id: str) -> Response:
        return Response(UnreadSerializer({"unread": self.inbox(external_id).unread_count()}).data)


class InboxArchiveView(OfRecipient):
    scopes = {"POST": Scope.RECIPIENTS}

    @extend_schema(
        operation_id="archive_inbox",
        summary="Put entries of an inbox away",
        description="They are listed and counted as unread no more. Ids of entries that are not in this inbox, or "
        "were put away before, change nothing.",
        request=ArchiveSerializer,
        responses={200: ArchivedSerializer, **problems(*OF_BODY, 404, 409)},
        examples=[READ],
        tags=["inbox"],
    )
    def post(self, request: Request, external_id: str) -> Response:
        serializer = ArchiveSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        box = self.inbox(external_id)
        archived = box.archive(serializer.validated_data["ids"])
        return Response(ArchivedSerializer({"archived": archived, "unread": box.unread_count()}).data)
