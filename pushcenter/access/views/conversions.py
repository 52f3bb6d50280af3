"""``/conversions``: what people did for the business after a message."""

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from pushcenter.access.models import Scope
from pushcenter.access.serializers.conversions import ConversionSerializer, ConvertedSerializer
from pushcenter.access.views.base import OF_BODY, GatewayView, problems
from pushcenter.messaging import conversions

EXAMPLE = OpenApiExample(
    "A purchase after a message",
    value={
        "recipient": "u-1001",
        "reference": "SO-20391",
        "event": "purchase",
        "value": "249.00",
        "currency": "CNY",
        "event_id": "payment-8842",
    },
    request_only=True,
)


class ConversionsView(GatewayView):
    scopes = {"POST": Scope.STATS}

    @extend_schema(
        operation_id="report_conversion",
        summary="Report what a person did after a message",
        description="Of a message of the calling system, or of the newest one with a reference to a recipient. A test "
        "key reports on what test keys sent, and only on that. 200 where this `event_id` had been reported before.",
        request=ConversionSerializer,
        responses={200: ConvertedSerializer, 202: ConvertedSerializer, **problems(*OF_BODY, 404, 409)},
        examples=[EXAMPLE],
        tags=["figures"],
    )
    def post(self, request: Request) -> Response:
        serializer = ConversionSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        report = conversions.Report(
            system_id=self.principal.system.pk,
            is_test=self.principal.key.is_test,
            **serializer.validated_data,
        )
        try:
            recorded = conversions.record(report)
        except conversions.NoSuchMessage:
            raise Http404 from None
        status = 202 if recorded.is_new else 200
        return Response(ConvertedSerializer(recorded.interaction).data, status=status)
