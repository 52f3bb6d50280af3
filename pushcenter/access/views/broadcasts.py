"""``/broadcasts``: one message for a group, for everybody, or for those who meet a filter."""

from dataclasses import asdict

import msgspec
from django.http.response import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response

from pushcenter.access import bodies
from pushcenter.access.models import Scope
from pushcenter.access.principal import Principal
from pushcenter.access.serializers.broadcasts import BegunSerializer, BroadcastSerializer, ForecastSerializer
from pushcenter.access.views.base import problems
from pushcenter.access.views.sending import SendingView, accepted
from pushcenter.messaging import broadcast, intake
from pushcenter.messaging.forecast import forecast
from pushcenter.messaging.idempotency import Replayed
from pushcenter.messaging.request import Call

GROUP = OpenApiExample(
    "To everybody in two groups",
    value={
        "template": "weekly-digest",
        "audience": {"groups": ["staff", "vip"]},
        "params": {"week": "7"},
        "reference": "digest-2030-07",
    },
    request_only=True,
)
DRY_RUN = OpenApiExample(
    "What it would come to, for those who read Chinese and have an email address",
    value={
        "template": "weekly-digest",
        "audience": {"filter": {"locale": "zh", "address": "email"}},
        "params": {"week": "7"},
        "dry_run": True,
    },
    request_only=True,
)
FORECAST = OpenApiExample(
    "A forecast",
    value={
        "people": 1200,
        "reached": 1100,
        "sampled": None,
        "channels": [
            {
                "channel": "email",
                "chosen": 1100,
                "fallback": 0,
                "skipped": {"opted_out": 60, "suppressed": 40},
            }
        ],
        "left_out": {"opted_out": 60, "suppressed": 40},
        "seconds": 1.4,
        "per_second": 800,
        "estimate": "at the speed of the best second among the last 5,000 attempts",
    },
    response_only=True,
    status_codes=["200"],
)


class BroadcastsView(SendingView):
    scopes = {"POST": Scope.BROADCAST}

    @extend_schema(
        operation_id="broadcast",
        summary="Send one message to many people of the directory",
        description=(
            "Answers 202 once the broadcast is stored; its messages are made afterwards, and `GET /batches/{id}` tells "
            "how far that is. Who is in the audience, and was in the directory at that moment, gets it once. With "
            "`dry_run`, 200 and a forecast instead: nothing is stored."
        ),
        request=BroadcastSerializer,
        responses={
            200: ForecastSerializer,
            202: BegunSerializer,
            **problems(400, 401, 403, 409, 411, 413, 415, 422, 429, 503),
        },
        examples=[GROUP, DRY_RUN, FORECAST],
        tags=["batches"],
    )
    def post(self, request: Request) -> Response:
        """Described here, answered by :meth:`take`."""
        raise MethodNotAllowed("POST")

    def take(self, principal: Principal, body: bytes, call: Call | None) -> HttpResponse:
        asked = bodies.broadcast(body, request_id=self.request_id)
        caller = principal.caller
        if asked.dry_run:
            found = forecast(asked.request, asked.audience, caller=caller)
            return HttpResponse(msgspec.json.encode(asdict(found)), content_type="application/json")
        result = broadcast.accept(asked.request, asked.audience, caller=caller, call=call)
        return accepted(result, "" if isinstance(result, Replayed) else intake.batch_location(result.id))
