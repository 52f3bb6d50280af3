"""``/templates``: what the calling system can send, and how it would look."""

from dataclasses import asdict
from typing import Any

from django.db.models import Q
from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from pushcenter.access.models import Scope
from pushcenter.access.paging import page
from pushcenter.access.serializers.templates import (
    PreviewedSerializer,
    PreviewSerializer,
    TemplateDetailSerializer,
    TemplateQuerySerializer,
    TemplatesSerializer,
)
from pushcenter.access.views.base import OF_BODY, OF_CALL, GatewayView, problems
from pushcenter.faults import Fault, Rejected
from pushcenter.recipients.models import Recipient
from templates_app.models import Template, TemplateVersion, VersionState
from templates_app.preview import PERSON, Wanted, rendered

EXAMPLE = OpenApiExample(
    "As a mail in Chinese",
    value={
        "params": {"order_no": "SO-20391", "amount": "249.00", "currency": "CNY"},
        "channel": "email",
        "locale": "zh-hans",
    },
    request_only=True,
)


class OfTemplates(GatewayView):
    def versions(self) -> Any:
        """The published versions of the templates that the calling system may send."""
        system = self.principal.system
        permitted = Template.objects.sendable().permitted(
            templates=system.templates, categories=system.categories
        )
        versions = TemplateVersion.objects.select_related("template__category")
        return versions.filter(state=VersionState.PUBLISHED, template__in=permitted)

    def version(self, code: str) -> TemplateVersion:
        found: TemplateVersion | None = self.versions().filter(template__code=code).first()
        if found is None:
            raise Http404
        return found


class TemplatesView(OfTemplates):
    scopes = {"GET": Scope.TEMPLATES}

    @extend_schema(
        operation_id="list_templates",
        summary="List the templates that can be sent, by code",
        description="Those with a published version that the calling system may send.",
        parameters=[TemplateQuerySerializer],
        responses={200: TemplatesSerializer, **problems(*OF_CALL, 422)},
        tags=["templates"],
    )
    def get(self, request: Request) -> Response:
        query = TemplateQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        rows = self.versions()
        if text := query.validated_data.get("q"):
            rows = rows.filter(Q(template__code__icontains=text) | Q(template__name__icontains=text))
        return Response(TemplatesSerializer(page(rows, query.validated_data, by="template__code")).data)


class TemplateView(OfTemplates):
    scopes = {"GET": Scope.TEMPLATES}

    @extend_schema(
        operation_id="read_template",
        summary="Read a template: its parameters, channels and languages",
        description="A template that the calling system may not send is not found.",
        responses={200: TemplateDetailSerializer, **problems(*OF_CALL, 404)},
        tags=["templates"],
    )
    def get(self, request: Request, code: str) -> Response:
        return Response(TemplateDetailSerializer(self.version(code)).data)


class PreviewView(OfTemplates):
    scopes = {"POST": Scope.TEMPLATES}

    @extend_schema(
        operation_id="preview_template",
        summary="See what a template says, without sending it",
        description="The published version with these parameters, which are checked as in sending.",
        request=PreviewSerializer,
        responses={200: PreviewedSerializer, **problems(*OF_BODY, 404, 409)},
        examples=[EXAMPLE],
        tags=["templates"],
    )
    def post(self, request: Request, code: str) -> Response:
        version = self.version(code)
        serializer = PreviewSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        person = self._person(values.get("recipient"))
        locale = values.get("locale") or person["locale"]
        wanted = Wanted(
            params=values.get("params", version.sample),
            channel=values.get("channel", ""),
            locale=locale,
            person=person | {"locale": locale},
        )
        contents = [asdict(each) for each in rendered(version, wanted)]
        answer = {"template": code, "version": version.number, "params": wanted.params, "contents": contents}
        return Response(PreviewedSerializer(answer).data)

    def _person(self, external_id: str | None) -> dict[str, str]:
        if external_id is None:
            return PERSON
        if not self.principal.may(Scope.RECIPIENTS):
            raise exceptions.PermissionDenied(
                "To preview for a recipient, this key needs the scope recipients.", "missing_scope"
            )
        found = Recipient.objects.filter(external_id=external_id).first()
        if found is None:
            detail = "No recipient has this external id."
            raise Rejected([Fault(pointer="/recipient", code="unknown_recipient", detail=detail)])
        return {"id": found.external_id, "name": found.name, "locale": found.locale}
