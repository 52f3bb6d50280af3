"""``/messages/batch``: up to 10,000 messages in one call."""

from django.conf import settings
from django.http.response import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response

from pushcenter.access import bodies
from pushcenter.access.principal import Principal
from pushcenter.access.serializers.batches import BatchAcceptedSerializer, BatchSerializer
from pushcenter.access.views.base import problems
from pushcenter.access.views.sending import SendingView, accepted
from pushcenter.messaging import intake
from pushcenter.messaging.idempotency import Replayed
from pushcenter.messaging.request import Call

EXAMPLE = OpenApiExample(
    "Two orders were paid",
    value={
        "template": "order-paid",
        "items": [
            {"to": {"recipient": "u-1001"}, "params": {"order_no": "SO-20391"}, "reference": "SO-20391"},
            {"to": {"email": "ann@example.com"}, "params": {"order_no": "SO-20392"}, "reference": "SO-20392"},
        ],
        "on_error": "skip",
    },
    request_only=True,
)


class BatchView(SendingView):
    max_body = settings.MAX_BATCH_BYTES

    @extend_schema(
        operation_id="send_batch",
        summary="Send up to 10,000 messages",
        description=(
            "All of them on the same terms. With `on_error: reject` one fault refuses the whole call, and each is "
            "named by the index of its item; with `skip` the bad ones are left out, and named in `rejected`. "
            "Answers 202 once all are stored, in one transaction."
        ),
        request=BatchSerializer,
        responses={
            202: BatchAcceptedSerializer,
            **problems(400, 401, 403, 409, 411, 413, 415, 422, 429, 503),
        },
        examples=[EXAMPLE],
        tags=["messages"],
    )
    def post(self, request: Request) -> Response:
        """Described here, answered by :meth:`take`."""
        raise MethodNotAllowed("POST")

    def take(self, principal: Principal, body: bytes, call: Call | None) -> HttpResponse:
        batch = bodies.batch(body, request_id=self.request_id, largest=principal.system.max_batch)
        result = intake.accept_batch(
            batch.shared,
            batch.items,
            caller=principal.as_caller(),
            rejected=batch.rejected,
            skip_rejected=batch.skip_rejected,
            call=call,
        )
        return accepted(result, "" if isinstance(result, Replayed) else intake.batch_location(result.id))
