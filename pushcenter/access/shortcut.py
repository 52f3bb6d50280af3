"""The short way to the calls that send: past the framework's handler, which would be half of what they cost.

Whatever stands in the settings as middleware still does here what it does there, or has nothing to do with these
calls; a test holds the answers of both ways together. What the short way is not made for goes the long way.
"""

from collections.abc import Callable, Iterable
from functools import lru_cache
from http import HTTPStatus
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIRequest
from django.db import DEFAULT_DB_ALIAS, connections
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host
from django.middleware.security import SecurityMiddleware
from django.urls import ResolverMatch, resolve
from django.utils.log import log_response

from pushcenter.access.door import Door
from pushcenter.csp import ContentSecurityPolicy

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

CALLS = ("/api/v1/messages", "/api/v1/messages/batch")
STATUS = {each.value: f"{each.value} {each.phrase}" for each in HTTPStatus}


class Shortcut:
    """A WSGI application that answers these calls, and hands all others on."""

    def __init__(self, long_way: Application) -> None:
        self._long_way = long_way
        self._calls = {path: resolve(path) for path in CALLS}
        view: Any = convert_exception_to_response(_view)
        self._answer: Any = convert_exception_to_response(Door(view))
        self._added = {is_secure: _added(is_secure=is_secure) for is_secure in (False, True)}
        self._redirects = settings.SECURE_SSL_REDIRECT

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        call = self._calls.get(environ.get("PATH_INFO", ""))
        if call is None or environ["REQUEST_METHOD"] != "POST" or not _is_usual(environ):
            return self._long_way(environ, start_response)
        request = WSGIRequest(environ)
        is_secure = request.is_secure()
        if self._redirects and not is_secure:
            return self._long_way(environ, start_response)
        request.resolver_match = call
        _close_a_broken_connection()
        response: HttpResponse = self._answer(request)
        if response.status_code >= 400:
            log_response("%s: %s", response.reason_phrase, request.path, response=response, request=request)
        content = response.content
        length = ("Content-Length", str(len(content)))
        headers = [*response.headers.items(), length, *self._added[is_secure]]
        start_response(STATUS[response.status_code], headers)
        return [content]


def _view(request: HttpRequest) -> HttpResponse:
    call: ResolverMatch = request.resolver_match  # type: ignore[assignment]
    response: HttpResponse = call.func(request)
    return response


def _close_a_broken_connection() -> None:
    """Which Django does for any other request by a signal."""
    opened = connections[DEFAULT_DB_ALIAS]
    if not opened.in_atomic_block:
        opened.close_if_unusable_or_obsolete()


def _is_usual(environ: Environ) -> bool:
    """Whether the application is the whole of its host, and the call meant for it."""
    return not environ.get("SCRIPT_NAME") and _is_ours(environ.get("HTTP_HOST", ""))


@lru_cache(maxsize=100)
def _is_ours(host: str) -> bool:
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def _added(*, is_secure: bool) -> list[tuple[str, str]]:
    """The headers that these two add to every answer."""
    scheme = "https" if is_secure else "http"
    request = WSGIRequest({"REQUEST_METHOD": "POST", "wsgi.input": BytesIO(), "wsgi.url_scheme": scheme})
    bare = HttpResponse(headers={"Content-Type": ""})
    answer = ContentSecurityPolicy(lambda _: bare)
    SecurityMiddleware(answer).process_response(request, answer(request))
    return [(name, value) for name, value in bare.headers.items() if name != "Content-Type"]
