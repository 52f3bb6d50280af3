"""Middleware that serves people, and lets calls of the API pass: those have no session, no form and no language."""

from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

#: What is called by programs alone. The pages that describe the API are for people.
PROGRAMS = ("/api/v1/", "/callbacks/")
#: What is in English for everybody: a description of the API that changed with its reader could not be compared.
ENGLISH = (*PROGRAMS, "/api/")


class _ForPeople:
    """To be mixed in before the middleware that it restricts."""

    passes: tuple[str, ...] = PROGRAMS

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith(self.passes):
            return self.get_response(request)  # type: ignore[attr-defined]
        return super().__call__(request)  # type: ignore[misc]


class Sessions(_ForPeople, SessionMiddleware):
    pass


class Languages(_ForPeople, LocaleMiddleware):
    """The language of one request is not that of the next one in the same thread."""

    passes = ENGLISH

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            return super().__call__(request)
        finally:
            translation.deactivate()


class Forms(_ForPeople, CsrfViewMiddleware):
    def process_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.path_info.startswith(PROGRAMS):
            return None
        return super().process_view(request, *args, **kwargs)


class Users(_ForPeople, AuthenticationMiddleware):
    pass


class Notices(_ForPeople, MessageMiddleware):
    pass


class Frames(_ForPeople, XFrameOptionsMiddleware):
    pass
