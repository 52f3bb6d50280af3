"""``/recipients/{external_id}/inbox/events``: an inbox as it changes, by server-sent events."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import exceptions
from rest_framework.request import Request

from pushcenter.access import line
from pushcenter.access.feed import Feed, moment_of
from pushcenter.access.models import Scope
from pushcenter.access.streams import streams
from pushcenter.access.views.base import problems
from pushcenter.access.views.inbox import OfRecipient

#: What a reader is told to wait before it comes back, in milliseconds: after a stream, and after a single look.
AFTER_STREAM, AFTER_LOOK = b"retry: 2000\n\n", b"retry: 5000\n\n"

LAST_EVENT_ID = OpenApiParameter(
    "Last-Event-ID",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The `id` of the last event that the reader has; what came after it is told first.",
)


class TooManyStreams(exceptions.APIException):
    status_code = 503
    default_code = "too_many_streams"
    default_detail = "This server has as many live inboxes open as it may; try again in a while."
    wait = 10


class InboxEventsView(OfRecipient):
    scopes = {"GET": Scope.RECIPIENTS}
    http_method_names = ["get"]

    @extend_schema(
        operation_id="follow_inbox",
        summary="Follow a recipient's inbox, by server-sent events",
        description=(
            "`entry` for each new entry, in the shape of the list, and `unread` with the number of unread entries at "
            "the start and whenever it changes. An entry can come twice. The stream ends after some minutes; readers "
            "come back with `Last-Event-ID`, as those of browsers do by themselves."
        ),
        parameters=[LAST_EVENT_ID],
        responses={
            # Whether a schema is one of the whole stream or of an event, OpenAPI says only from 3.2 on.
            (200, "text/event-stream"): OpenApiResponse(OpenApiTypes.ANY, description="Events, one by one."),
            **problems(401, 403, 404, 503),
        },
        tags=["inbox"],
    )
    def get(self, request: Request, external_id: str) -> StreamingHttpResponse:
        feed = Feed(self.inbox(external_id), moment_of(request.META.get("HTTP_LAST_EVENT_ID", "")))
        if line.can_be_taken(request.META):
            if not streams.has_room:
                raise TooManyStreams
            body = stream(request.META, feed)
        else:
            body = look(feed)
        # Neither a cache nor a proxy is to keep anything back.
        headers = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
        return StreamingHttpResponse(body, content_type="text/event-stream; charset=utf-8", headers=headers)


def stream(environ: Mapping[str, Any], feed: Feed) -> Iterator[bytes]:
    """The beginning of the body; the rest comes from the thread of the streams."""
    yield AFTER_STREAM
    streams.open(line.take(environ), feed)
    raise line.TakenOver


def look(feed: Feed) -> Iterator[bytes]:
    """The whole body where a stream would occupy a thread of the server: what there is now, and when to come back."""
    yield AFTER_LOOK
    yield feed.news()
