"""``/stats``: the figures of the calling system."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from analytics_app import report, rollup
from analytics_app.query import Query
from channels_app import registry
from pushcenter.access.models import Scope
from pushcenter.access.serializers.stats import StatsQuerySerializer, StatsSerializer
from pushcenter.access.views.base import OF_CALL, GatewayView, problems
from pushcenter.faults import Fault, Rejected
from templates_app.models import Template


class StatsView(GatewayView):
    scopes = {"GET": Scope.STATS}

    @extend_schema(
        operation_id="read_stats",
        summary="Read the figures of the calling system",
        description="Deliveries of messages by the time at which they were accepted, up to this moment. `from` and "
        "`to` are days of the installation's time zone, which the answer names; 731 days at most, 31 by `hour`. "
        "Messages of test keys are not counted, so that a test key reads zeros.",
        parameters=[StatsQuerySerializer],
        responses={200: StatsSerializer, **problems(*OF_CALL, 422)},
        tags=["figures"],
    )
    def get(self, request: Request) -> Response:
        serializer = StatsQuerySerializer(data=request.query_params.dict())
        serializer.is_valid(raise_exception=True)
        values = serializer.validated_data
        query = Query(
            first=values["first"],
            last=values["last"],
            group=values["group"],
            channel=self._channel(values.get("channel", "")),
            template=self._template(values.get("template", "")),
            system=self.principal.system.pk,
            of_tests=self.principal.key.is_test,
        )
        # What happened since the last minute's rollup: one short statement, so that nobody reads old figures.
        rollup.fold()
        found = report.build(query)
        answer = {
            "query": query,
            "time_zone": timezone.get_current_timezone_name(),
            "group": query.group,
            "items": found.lines,
            "total": found.total,
        }
        return Response(StatsSerializer(answer).data)

    def _channel(self, name: str) -> str:
        if name and name not in registry.channels():
            detail = f"There is no channel {name!r}."
            raise Rejected([Fault(pointer="/channel", code="unknown_channel", detail=detail)])
        return name

    def _template(self, code: str) -> UUID | None:
        if not code:
            return None
        system = self.principal.system
        permitted = Template.objects.permitted(templates=system.templates, categories=system.categories)
        found = permitted.filter(code=code).first()
        if found is None:
            detail = "No template that your system may send has this code."
            raise Rejected([Fault(pointer="/template", code="unknown_template", detail=detail)])
        return found.pk
