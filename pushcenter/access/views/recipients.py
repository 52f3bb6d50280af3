"""``/recipients``: the people of the directory, one by one and thousands at once."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from pushcenter.access.models import Scope
from pushcenter.access.paging import page
from pushcenter.access.problems import AlreadyExists
from pushcenter.access.serializers.recipients import (
    BulkOutcomeSerializer,
    BulkSerializer,
    PreferencesSerializer,
    RecipientChangeSerializer,
    RecipientNewSerializer,
    RecipientQuerySerializer,
    RecipientSerializer,
    RecipientsSerializer,
    RecipientWholeSerializer,
)
from pushcenter.access.views.base import OF_BODY, OF_CALL, problems
from pushcenter.access.views.directory import NO_TEST, SHARED, DirectoryView, recipient
from pushcenter.messaging import erasure
from pushcenter.recipients import bulk, directory, preferences
from pushcenter.recipients.directory import Change
from pushcenter.recipients.entries import Entry, entry
from pushcenter.recipients.models import Group, Recipient

PERSON = {
    "external_id": "u-1001",
    "name": "Li Wei",
    "locale": "zh-hans",
    "time_zone": "Asia/Shanghai",
    "groups": ["staff"],
    "addresses": [
        {"kind": "email", "value": "li.wei@example.com"},
        {"kind": "phone", "value": "+8613800138000"},
    ],
}
NEW = OpenApiExample(
    "A person with two addresses", value={**PERSON, "external_id": "u-1003"}, request_only=True
)
WHOLE = OpenApiExample(
    "A person as a whole",
    value={name: PERSON[name] for name in PERSON if name != "external_id"},
    request_only=True,
)
CHANGE = OpenApiExample("Another language", value={"locale": "en"}, request_only=True)
BULK = OpenApiExample(
    "Two people, one of them known",
    value={"items": [PERSON, {"external_id": "u-1002", "locale": "en"}], "on_error": "skip"},
    request_only=True,
)
WISHES = OpenApiExample(
    "No news, and no orders by SMS",
    value={
        "preferences": [
            {"category": "news", "channel": None, "muted": True},
            {"category": "orders", "channel": "sms", "muted": True},
        ]
    },
    request_only=True,
)


class RecipientsView(DirectoryView):
    scopes = {"GET": Scope.RECIPIENTS, "POST": Scope.RECIPIENTS}

    @extend_schema(
        operation_id="list_recipients",
        summary="List recipients by external id",
        description=f"All of them, or those who meet every parameter. {SHARED}",
        parameters=[RecipientQuerySerializer],
        responses={200: RecipientsSerializer, **problems(*OF_CALL, 422)},
        tags=["recipients"],
    )
    def get(self, request: Request) -> Response:
        query = RecipientQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        rows = Recipient.objects.in_full()
        if place := query.place():
            rows = rows.reached_at(*place)
        if code := query.validated_data.get("group"):
            rows = rows.filter(groups__code=code)
        if text := query.validated_data.get("q"):
            rows = rows.beginning_with(text)
        return Response(RecipientsSerializer(page(rows, query.validated_data, by="external_id")).data)

    @extend_schema(
        operation_id="create_recipient",
        summary="Take a person into the directory",
        description=f"409 where somebody has this external id. {NO_TEST}",
        request=RecipientNewSerializer,
        responses={201: RecipientSerializer, **problems(*OF_BODY, 409)},
        examples=[NEW],
        tags=["recipients"],
    )
    def post(self, request: Request) -> Response:
        values = valid(RecipientNewSerializer(data=request.data))
        try:
            directory.add(as_entry(values))
        except directory.AlreadyExists:
            raise AlreadyExists("Somebody has this external id.") from None
        return shown(values["external_id"], status=201)


class RecipientView(DirectoryView):
    scopes = dict.fromkeys(("GET", "PUT", "PATCH", "DELETE"), Scope.RECIPIENTS)

    @extend_schema(
        operation_id="read_recipient",
        summary="Read a person of the directory",
        description=SHARED,
        responses={200: RecipientSerializer, **problems(*OF_CALL, 404)},
        tags=["recipients"],
    )
    def get(self, request: Request, external_id: str) -> Response:
        return Response(RecipientSerializer(recipient(external_id)).data)

    @extend_schema(
        operation_id="replace_recipient",
        summary="Write a person as a whole, new or known",
        description=f"What is left out is empty afterwards. 201 for somebody new. {NO_TEST}",
        request=RecipientWholeSerializer,
        responses={200: RecipientSerializer, 201: RecipientSerializer, **problems(*OF_BODY)},
        examples=[WHOLE],
        tags=["recipients"],
    )
    def put(self, request: Request, external_id: str) -> Response:
        serializer = RecipientWholeSerializer(data=request.data, context={"external_id": external_id})
        valid(serializer)
        [change] = directory.write([as_entry(serializer.as_values())])
        return shown(external_id, status=201 if change is Change.CREATED else 200)

    @extend_schema(
        operation_id="change_recipient",
        summary="Change a person",
        description="What is left out stays as it is; `groups` and `addresses`, where given, replace all that "
        f"there were. {NO_TEST}",
        request=RecipientChangeSerializer,
        responses={200: RecipientSerializer, **problems(*OF_BODY, 404)},
        examples=[CHANGE],
        tags=["recipients"],
    )
    def patch(self, request: Request, external_id: str) -> Response:
        recipient(external_id)
        context = {"external_id": external_id}
        values = valid(RecipientChangeSerializer(data=request.data, context=context))
        try:
            directory.change(as_entry(values))
        except directory.Unknown:  # erased meanwhile
            raise Http404 from None
        return shown(external_id)

    @extend_schema(
        operation_id="erase_recipient",
        summary="Erase a person",
        description="Addresses and preferences go; from messages go addresses, parameters and metadata; what waits to "
        f"be sent is cancelled. Figures stay, and so do suppressed addresses. {NO_TEST}",
        responses={204: None, **problems(*OF_CALL, 404)},
        tags=["recipients"],
    )
    def delete(self, request: Request, external_id: str) -> Response:
        erasure.erase([recipient(external_id).pk], by=self.principal.system.code)
        return Response(status=204)


class RecipientsBulkView(DirectoryView):
    scopes = {"PUT": Scope.RECIPIENTS}
    max_body = settings.MAX_BATCH_BYTES

    @extend_schema(
        operation_id="write_recipients",
        summary="Write up to 10,000 people at once, new or known",
        description="What is left out of somebody known stays as it is. All in one transaction. In `rejected`, "
        f"pointers begin at the item; in an error they begin with `/items/` and its place. {NO_TEST}",
        request=BulkSerializer,
        responses={200: BulkOutcomeSerializer, **problems(*OF_BODY)},
        examples=[BULK],
        tags=["recipients"],
    )
    def put(self, request: Request) -> Response:
        values = valid(BulkSerializer(data=request.data))
        outcome = bulk.upsert(values["items"], skip=values["on_error"] == "skip")
        return Response(BulkOutcomeSerializer(outcome).data)


class PreferencesView(DirectoryView):
    scopes = {"GET": Scope.RECIPIENTS, "PUT": Scope.RECIPIENTS}

    @extend_schema(
        operation_id="read_preferences",
        summary="Read what a person has muted",
        description="What is not listed is not muted.",
        responses={200: PreferencesSerializer, **problems(*OF_CALL, 404)},
        tags=["recipients"],
    )
    def get(self, request: Request, external_id: str) -> Response:
        wishes = preferences.of(recipient(external_id))
        return Response(PreferencesSerializer({"preferences": wishes}).data)

    @extend_schema(
        operation_id="replace_preferences",
        summary="Write what a person has muted",
        description=f"These are all; those before go. A mandatory category cannot be muted. {NO_TEST}",
        request=PreferencesSerializer,
        responses={200: PreferencesSerializer, **problems(*OF_BODY, 404)},
        examples=[WISHES],
        tags=["recipients"],
    )
    def put(self, request: Request, external_id: str) -> Response:
        person = recipient(external_id)
        serializer = PreferencesSerializer(data=request.data)
        valid(serializer)
        preferences.replace(person, serializer.as_wishes())
        return Response(PreferencesSerializer({"preferences": preferences.of(person)}).data)


def valid(serializer: serializers.Serializer) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


def as_entry(values: Mapping[str, Any]) -> Entry:
    codes = values.get("groups") or ()
    known = set(Group.objects.filter(code__in=codes).values_list("code", flat=True)) if codes else set()
    return entry(values, groups=known)


def shown(external_id: str, *, status: int = 200) -> Response:
    headers = {"Location": f"/api/v1/recipients/{quote(external_id)}"} if status == 201 else {}
    return Response(RecipientSerializer(recipient(external_id)).data, status=status, headers=headers)
