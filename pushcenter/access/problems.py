"""One shape for every error of the API: ``application/problem+json`` (RFC 9457)."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from pushcenter.faults import Fault, Rejected, pointer
from pushcenter.messaging.idempotency import Conflict, InProgress
from pushcenter.messaging.quota import QuotaExceeded
from pushcenter.messaging.validate import NotPermitted

CONTENT_TYPE = "application/problem+json"
#: An answer names so many faults; a body can have many thousands.
MAX_FAULTS = 100
#: Seconds after which a caller may try again when the database is away.
RETRY_AFTER = "2"
FAULTY = "The request has faults; nothing was stored."
log = logging.getLogger(__name__)


class InvalidRequest(exceptions.APIException):
    """The shape of a request is wrong; says every fault at once."""

    status_code = 422
    default_code = "invalid_request"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(FAULTY)
        self.faults = tuple(faults)


class BadJSON(exceptions.ParseError):
    """The body is not the JSON that we take."""

    default_code = "invalid_json"


class BadHeader(exceptions.ParseError):
    default_code = "invalid_header"


class TooLarge(exceptions.APIException):
    status_code = 413
    default_code = "body_too_large"
    default_detail = "The body is larger than this gateway takes."


class AlreadyExists(exceptions.APIException):
    status_code = 409
    default_code = "already_exists"
    default_detail = "There is one with this id already."


class LengthRequired(exceptions.APIException):
    status_code = 411
    default_code = "length_required"
    default_detail = "Send the length of the body in Content-Length; a chunked body is not taken."


class WrongState(exceptions.APIException):
    """A batch that was cancelled is neither paused nor resumed."""

    status_code = 409
    default_code = "batch_cancelled"
    default_detail = "This batch was cancelled."


def body(
    status: int, code: str, detail: str, faults: Sequence[Fault] = (), *, title: str = ""
) -> dict[str, Any]:
    """The members of a problem document."""
    return {
        "type": f"urn:pushcenter:problem:{code}",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "errors": [asdict(fault) for fault in faults[:MAX_FAULTS]],
    }


def handle(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler; what it does not know becomes a problem with status 500 further out."""
    headers: dict[str, str] = {}
    match error:
        case Rejected() | Conflict() | QuotaExceeded():
            problem, headers = _of_intake(error)
        case InvalidRequest():
            problem = body(422, error.default_code, str(error.detail), error.faults)
        case exceptions.ValidationError():
            faults = list(flatten(error.get_full_details()))
            problem = body(422, "invalid_request", FAULTY, faults)
        case exceptions.APIException():
            problem = _of_api_exception(error)
            headers = _headers(error)
        case Http404():
            problem = body(404, "not_found", "There is nothing at this address that you may see.")
        case PermissionDenied():
            problem = body(403, "not_permitted", "This is not permitted.")
        case OperationalError() | InterfaceError():
            problem = _unavailable(error)
            headers = {"Retry-After": RETRY_AFTER}
        case _:
            return None
    return Response(problem, status=problem["status"], headers=headers, content_type=CONTENT_TYPE)


def _of_intake(error: Rejected | Conflict | QuotaExceeded) -> tuple[dict[str, Any], dict[str, str]]:
    """What the business tier refuses: the problem and its headers."""
    match error:
        case NotPermitted():
            return body(403, "not_permitted", "This system may not ask for that.", error.faults), {}
        case Rejected():
            return body(422, "invalid_request", FAULTY, error.faults), {}
        case QuotaExceeded():
            detail = f"{error}; the day ends at midnight UTC."
            return body(429, "daily_quota_exceeded", detail), {"Retry-After": str(error.retry_after)}
        case InProgress():
            detail = "The same call is being worked on at this moment; ask again."
            return body(409, "call_in_progress", detail), {"Retry-After": "1"}
    detail = "This Idempotency-Key was used for another call; take a new one."
    return body(409, "idempotency_key_reused", detail), {}


def _unavailable(error: Exception) -> dict[str, Any]:
    log.error("database unavailable: %s", type(error).__name__)
    return body(503, "unavailable", "The gateway cannot store anything at the moment; try again.")


def _of_api_exception(error: exceptions.APIException) -> dict[str, Any]:
    code = error.get_codes()
    return body(error.status_code, code if isinstance(code, str) else error.default_code, str(error.detail))


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = dict(getattr(error, "headers", {}))
    if auth := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return headers


def flatten(details: Any, *path: object) -> Iterator[Fault]:
    """DRF's nested error details as faults with JSON Pointers."""
    if isinstance(details, Mapping) and isinstance(details.get("message"), str) and "code" in details:
        yield Fault(pointer=pointer(*path), code=details["code"], detail=str(details["message"]))
    elif isinstance(details, Mapping):
        for name, inner in details.items():
            yield from flatten(inner, *path, *([] if name == "non_field_errors" else [name]))
    elif isinstance(details, list):
        for index, inner in enumerate(details):
            is_error = isinstance(inner, Mapping) and isinstance(inner.get("message"), str)
            yield from flatten(inner, *path, *([] if is_error else [index]))


def response_to(error: Exception) -> HttpResponse:
    """The answer to an error outside of DRF's views; raises the error where it is none of the caller's."""
    answer = handle(error, {})
    if answer is None:
        raise error
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-type"}
    return JsonResponse(answer.data, status=answer.status_code, headers=headers, content_type=CONTENT_TYPE)


def problem_response(status: int, code: str, detail: str) -> HttpResponse:
    """A problem outside of DRF's views."""
    return JsonResponse(body(status, code, detail), status=status, content_type=CONTENT_TYPE)


def unavailable(error: Exception) -> HttpResponse:
    """The database is away, outside of DRF's views."""
    headers = {"Retry-After": RETRY_AFTER}
    return JsonResponse(_unavailable(error), status=503, headers=headers, content_type=CONTENT_TYPE)


def is_api(request: HttpRequest) -> bool:
    return f"{request.path}/".startswith(("/api/", "/callbacks/"))
