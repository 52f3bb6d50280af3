"""``/system`` and ``/keys``: what a caller is permitted, and the keys of its own system."""

from datetime import timedelta
from uuid import UUID

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from pushcenter.access import issuing
from pushcenter.access.models import ApiKey, Scope
from pushcenter.access.serializers.keys import (
    IssuedKeySerializer,
    KeySerializer,
    KeysQuerySerializer,
    KeysSerializer,
    NewKeySerializer,
    RotationSerializer,
    SystemSerializer,
)
from pushcenter.access.views.base import ANY_KEY, OF_POST, GatewayView, problems
from pushcenter.messaging.validate import NotPermitted

NEW = OpenApiExample(
    "For the night's batch",
    value={"name": "night batch", "scopes": ["send", "read"], "allowed_networks": ["10.20.0.0/16"]},
    request_only=True,
)
ROTATION = OpenApiExample("Within an hour", value={"overlap_seconds": 3600}, request_only=True)


class KeyEnded(exceptions.APIException):
    status_code = 409
    default_code = "key_ended"
    default_detail = "This key has expired or was revoked; make a new one."


class SystemView(GatewayView):
    scopes = {"GET": ANY_KEY}

    @extend_schema(
        operation_id="read_system",
        summary="See who you are and what is permitted",
        description="Open to every valid key: its scopes, and the permissions and limits of its system.",
        responses={200: SystemSerializer, **problems(401, 403)},
        tags=["keys"],
    )
    def get(self, request: Request) -> Response:
        system = self.principal.system
        answer = {
            "code": system.code,
            "name": system.name,
            "key": ApiKey.objects.get(pk=self.principal.key.pk),
            "permissions": system,
            "limits": system,
        }
        return Response(SystemSerializer(answer).data)


class KeysView(GatewayView):
    scopes = {"GET": Scope.KEYS, "POST": Scope.KEYS}
    answers_are_secret = True

    @extend_schema(
        operation_id="list_keys",
        summary="List the keys of your system, newest first",
        description="Also those that have expired or were revoked. Secrets are never shown again.",
        parameters=[KeysQuerySerializer],
        responses={200: KeysSerializer, **problems(401, 403, 422)},
        tags=["keys"],
    )
    def get(self, request: Request) -> Response:
        query = KeysQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        limit = query.validated_data["limit"]
        keys = ApiKey.objects.filter(system=self.principal.system).order_by("-id")
        if cursor := query.validated_data.get("cursor"):
            keys = keys.filter(id__lt=cursor)
        # One more than the page holds tells whether another one follows.
        found = list(keys[: limit + 1])
        following = found[limit - 1].pk if len(found) > limit else None
        return Response(KeysSerializer({"keys": found[:limit], "next": following}).data)

    @extend_schema(
        operation_id="create_key",
        summary="Make a key",
        description="It can have no more than the calling key has. Its secret is in this answer, and only here.",
        request=NewKeySerializer,
        responses={201: IssuedKeySerializer, **problems(400, 401, 403, 409, 411, 413, 415, 422)},
        examples=[NEW],
        tags=["keys"],
    )
    def post(self, request: Request) -> Response:
        wanted = NewKeySerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        issued = issuing.create(self.principal, wanted.validated_data)
        return Response(IssuedKeySerializer(issued).data, status=201)


class RotateKeyView(GatewayView):
    scopes = {"POST": Scope.KEYS}
    answers_are_secret = True

    @extend_schema(
        operation_id="rotate_key",
        summary="Replace a key by a successor",
        description=(
            "The successor may do the same. The old key stays usable for the overlap, 24 hours unless you say "
            "otherwise, so that you can change from one to the other without a gap."
        ),
        request=RotationSerializer,
        responses={201: IssuedKeySerializer, **problems(400, 401, 403, 404, 409, 411, 413, 415, 422)},
        examples=[ROTATION],
        tags=["keys"],
    )
    def post(self, request: Request, key_id: UUID) -> Response:
        rotation = RotationSerializer(data=request.data)
        rotation.is_valid(raise_exception=True)
        key = own_key(self, key_id)
        if not key.is_usable(timezone.now()):
            raise KeyEnded
        own = self.principal.key.expires_at
        if faults := list(issuing.excess(self.principal, key.successor(expires_at=own))):
            raise NotPermitted(faults)
        overlap = timedelta(seconds=rotation.validated_data["overlap_seconds"])
        issued = key.rotate(overlap, expires_at=own)
        return Response(IssuedKeySerializer(issued).data, status=201)


class RevokeKeyView(GatewayView):
    scopes = {"POST": Scope.KEYS}

    @extend_schema(
        operation_id="revoke_key",
        summary="Revoke a key",
        description="Every process refuses it within seconds, for ever. A key may revoke itself.",
        request=None,
        responses={200: KeySerializer, **problems(*OF_POST, 404)},
        tags=["keys"],
    )
    def post(self, request: Request, key_id: UUID) -> Response:
        key = own_key(self, key_id)
        ApiKey.objects.filter(pk=key.pk).revoke()
        key.refresh_from_db()
        return Response(KeySerializer(key).data)


def own_key(view: GatewayView, key_id: UUID) -> ApiKey:
    """A key of the calling system that the caller may end; another system's is not found."""
    key = ApiKey.objects.filter(pk=key_id, system=view.principal.system).select_related("system").first()
    if key is None:
        raise Http404
    if view.principal.key.is_test and not key.is_test:
        raise exceptions.PermissionDenied("A test key ends only test keys.", "not_permitted")
    return key
