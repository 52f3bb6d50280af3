"""``/groups``: groups of recipients, and who belongs to them."""

from dataclasses import asdict

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pushcenter.access.models import Scope
from pushcenter.access.paging import PageQuerySerializer, page
from pushcenter.access.problems import AlreadyExists
from pushcenter.access.serializers.groups import (
    GroupNewSerializer,
    GroupRenameSerializer,
    GroupSerializer,
    GroupsSerializer,
    MembersSerializer,
    MovedSerializer,
    MoveSerializer,
)
from pushcenter.access.views.base import OF_BODY, OF_CALL, problems
from pushcenter.access.views.directory import NO_TEST, SHARED, DirectoryView, group
from pushcenter.recipients import directory, membership
from pushcenter.recipients.models import Group, Recipient

NEW = OpenApiExample("A group", value={"code": "partners", "name": "Partners"}, request_only=True)
RENAME = OpenApiExample("Another name", value={"name": "Staff of the head office"}, request_only=True)
MOVE = OpenApiExample(
    "Two come, one leaves", value={"add": ["u-1001", "u-1002"], "remove": ["u-1003"]}, request_only=True
)


class GroupsView(DirectoryView):
    scopes = {"GET": Scope.RECIPIENTS, "POST": Scope.RECIPIENTS}

    @extend_schema(
        operation_id="list_groups",
        summary="List groups by code",
        description=SHARED,
        parameters=[PageQuerySerializer],
        responses={200: GroupsSerializer, **problems(*OF_CALL, 422)},
        tags=["groups"],
    )
    def get(self, request: Request) -> Response:
        query = PageQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        return Response(GroupsSerializer(page(counted(), query.validated_data, by="code")).data)

    @extend_schema(
        operation_id="create_group",
        summary="Create a group",
        description=f"409 where a group has this code. {NO_TEST}",
        request=GroupNewSerializer,
        responses={201: GroupSerializer, **problems(*OF_BODY, 409)},
        examples=[NEW],
        tags=["groups"],
    )
    def post(self, request: Request) -> Response:
        serializer = GroupNewSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        try:
            made = membership.create(**serializer.validated_data)
        except directory.AlreadyExists:
            raise AlreadyExists("A group has this code.") from None
        location = {"Location": f"/api/v1/groups/{made.code}"}
        return Response(GroupSerializer(counted().get(pk=made.pk)).data, status=201, headers=location)


class GroupView(DirectoryView):
    scopes = dict.fromkeys(("GET", "PATCH", "DELETE"), Scope.RECIPIENTS)

    @extend_schema(
        operation_id="read_group",
        summary="Read a group",
        description=SHARED,
        responses={200: GroupSerializer, **problems(*OF_CALL, 404)},
        tags=["groups"],
    )
    def get(self, request: Request, code: str) -> Response:
        return Response(GroupSerializer(counted().get(pk=group(code).pk)).data)

    @extend_schema(
        operation_id="rename_group",
        summary="Rename a group",
        description=f"Its code stays. {NO_TEST}",
        request=GroupRenameSerializer,
        responses={200: GroupSerializer, **problems(*OF_BODY, 404)},
        examples=[RENAME],
        tags=["groups"],
    )
    def patch(self, request: Request, code: str) -> Response:
        found = group(code)
        serializer = GroupRenameSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        Group.objects.filter(pk=found.pk).update(**serializer.validated_data)
        return self.get(request, code)

    @extend_schema(
        operation_id="delete_group",
        summary="Delete a group",
        description=f"Its members stay in the directory. {NO_TEST}",
        responses={204: None, **problems(*OF_CALL, 404)},
        tags=["groups"],
    )
    def delete(self, request: Request, code: str) -> Response:
        membership.delete(group(code))
        return Response(status=204)


class MembersView(DirectoryView):
    scopes = {"GET": Scope.RECIPIENTS, "POST": Scope.RECIPIENTS}

    @extend_schema(
        operation_id="list_members",
        summary="List the members of a group by external id",
        description=SHARED,
        parameters=[PageQuerySerializer],
        responses={200: MembersSerializer, **problems(*OF_CALL, 404, 422)},
        tags=["groups"],
    )
    def get(self, request: Request, code: str) -> Response:
        found = group(code)
        query = PageQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        members = page(Recipient.objects.filter(groups=found), query.validated_data, by="external_id")
        return Response(MembersSerializer(members).data)

    @extend_schema(
        operation_id="move_members",
        summary="Take up to 10,000 people into a group, and as many out",
        description=f"All of them, or after an error nobody. {NO_TEST}",
        request=MoveSerializer,
        responses={200: MovedSerializer, **problems(*OF_BODY, 404, 409)},
        examples=[MOVE],
        tags=["groups"],
    )
    def post(self, request: Request, code: str) -> Response:
        found = group(code)
        serializer = MoveSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(MovedSerializer(asdict(membership.move(found, **serializer.validated_data))).data)


def counted() -> QuerySet[Group]:
    """Groups with the number of their members, counted for those alone that are read."""
    members = Recipient.groups.through.objects.filter(group=OuterRef("pk")).order_by().values("group")
    count = Subquery(members.values(count=Count("pk")), output_field=IntegerField())
    return Group.objects.annotate(members=Coalesce(count, 0))
