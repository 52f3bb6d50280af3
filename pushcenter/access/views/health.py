"""``/healthz`` and ``/readyz``, for load balancers; and answers where no view is to be found."""

import sys

from django.db import Error, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views import defaults

from pushcenter.access.problems import is_api, problem_response, unavailable


def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """This process can accept messages: the database answers and its tables are there."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM messaging_message LIMIT 1")
    except Error:
        return JsonResponse({"status": "unavailable", "database": "unavailable"}, status=503)
    return JsonResponse({"status": "ok", "database": "ok"})


def no_such_call(request: HttpRequest, rest: str = "") -> HttpResponse:
    return problem_response(404, "not_found", "There is no such call. The API is described at /api/docs.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return problem_response(400, "bad_request", "The request cannot be understood.")
    return defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return problem_response(403, "not_permitted", "This is not permitted.")
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return no_such_call(request)
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    error = sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        return _database_away(request, error)
    if is_api(request):
        return problem_response(500, "internal_error", "Something broke on our side; nothing was stored.")
    return defaults.server_error(request)


def _database_away(request: HttpRequest, error: Exception) -> HttpResponse:
    if is_api(request):
        return unavailable(error)
    # Plain: everything nicer would ask the database who is looking.
    sentence = _("The database cannot be reached. Try again in a moment.")
    text = f"<!doctype html><meta charset=utf-8><title>Push Center</title><p>{sentence}"
    return HttpResponse(text, status=503, headers={"Retry-After": "5"})
