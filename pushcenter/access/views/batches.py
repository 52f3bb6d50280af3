"""``/messages/batch``: up to 10,000 messages in one call. ``/batches``: what became of them."""

from collections.abc import Callable
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404
from django.http.response import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response

from pushcenter.access import bodies
from pushcenter.access.models import Scope
from pushcenter.access.paging import page
from pushcenter.access.principal import Principal
from pushcenter.access.problems import WrongState
from pushcenter.access.serializers.batches import (
    BatchAcceptedSerializer,
    BatchesQuerySerializer,
    BatchesSerializer,
    BatchReadSerializer,
    BatchSerializer,
    CancelledBatchSerializer,
)
from pushcenter.access.views.base import OF_POST, GatewayView, problems
from pushcenter.access.views.sending import SendingView, accepted
from pushcenter.messaging import batches, intake
from pushcenter.messaging.idempotency import Replayed
from pushcenter.messaging.models import Batch, Delivery
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
            caller=principal.caller,
            rejected=batch.rejected,
            skip_rejected=batch.skip_rejected,
            call=call,
        )
        return accepted(result, "" if isinstance(result, Replayed) else intake.batch_location(result.id))


class BatchesView(GatewayView):
    scopes = {"GET": Scope.READ}

    @extend_schema(
        operation_id="list_batches",
        summary="List batches and broadcasts, newest first",
        description="How many deliveries are in which state, one of them read by itself tells.",
        parameters=[BatchesQuerySerializer],
        responses={200: BatchesSerializer, **problems(401, 403, 422, 429, 503)},
        tags=["batches"],
    )
    def get(self, request: Request) -> Response:
        query = BatchesQuerySerializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        rows = own_batches(self)
        if "reference" in asked:
            rows = rows.filter(reference=asked["reference"])
        if "kind" in asked:
            rows = rows.filter(audience={}) if asked["kind"] == "batch" else rows.exclude(audience={})
        if "since" in asked:
            rows = rows.filter(accepted_at__gte=asked["since"])
        if "until" in asked:
            rows = rows.filter(accepted_at__lt=asked["until"])
        return Response(BatchesSerializer(page(rows, asked, by="pk", newest_first=True)).data)


class OneBatchView(GatewayView):
    scopes = {"GET": Scope.READ}

    @extend_schema(
        operation_id="read_batch",
        summary="Read a batch or broadcast and its progress",
        description="`deliveries` counts them by state at this moment.",
        responses={200: BatchReadSerializer, **problems(401, 403, 404, 429, 503)},
        tags=["batches"],
    )
    def get(self, request: Request, batch_id: UUID) -> Response:
        return shown(self, batch_id)


class PauseBatchView(GatewayView):
    scopes = {"POST": Scope.SEND}

    @extend_schema(
        operation_id="pause_batch",
        summary="Pause a batch or broadcast",
        description=(
            "No delivery of it starts any more, at the latest two seconds after the answer; what is being sent at "
            "this moment goes on. To pause a paused one changes nothing."
        ),
        request=None,
        responses={200: BatchReadSerializer, **problems(*OF_POST, 404)},
        tags=["batches"],
    )
    def post(self, request: Request, batch_id: UUID) -> Response:
        return changed(self, batch_id, batches.pause)


class ResumeBatchView(GatewayView):
    scopes = {"POST": Scope.SEND}

    @extend_schema(
        operation_id="resume_batch",
        summary="Go on with a paused batch or broadcast",
        description="What has expired meanwhile is not sent. To resume one that is not paused changes nothing.",
        request=None,
        responses={200: BatchReadSerializer, **problems(*OF_POST, 404)},
        tags=["batches"],
    )
    def post(self, request: Request, batch_id: UUID) -> Response:
        return changed(self, batch_id, batches.resume)


class CancelBatchView(GatewayView):
    scopes = {"POST": Scope.SEND}

    @extend_schema(
        operation_id="cancel_batch",
        summary="Cancel a batch or broadcast for good",
        description=(
            "No delivery of it starts any more, at the latest two seconds after the answer. It says what had gone out. "
            "To cancel a cancelled one changes nothing."
        ),
        request=None,
        responses={200: CancelledBatchSerializer, **problems(*OF_POST, 404)},
        tags=["batches"],
    )
    def post(self, request: Request, batch_id: UUID) -> Response:
        done = batches.cancel(own_batch(self, batch_id).pk, by=self.principal.key.prefix)
        return Response(CancelledBatchSerializer(done).data)


def own_batches(view: GatewayView) -> QuerySet[Batch]:
    """The batches of the calling system, sent with keys of the same kind."""
    principal = view.principal
    return batches.listed(Batch.objects.filter(system=principal.system, is_test=principal.key.is_test))


def own_batch(view: GatewayView, batch_id: UUID) -> Batch:
    """One of them; another one's is not found."""
    batch = own_batches(view).filter(pk=batch_id).first()
    if batch is None:
        raise Http404
    return batch


def changed(view: GatewayView, batch_id: UUID, change: Callable[..., Batch]) -> Response:
    """Change a batch, and show it as it is then."""
    try:
        change(own_batch(view, batch_id).pk, by=view.principal.key.prefix)
    except batches.IsCancelled:
        raise WrongState from None
    return shown(view, batch_id)


def shown(view: GatewayView, batch_id: UUID) -> Response:
    batch = own_batch(view, batch_id)
    context = {"deliveries": Delivery.objects.by_state(batch.pk)}
    return Response(BatchReadSerializer(batch, context=context).data)
