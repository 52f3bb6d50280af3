"""Every call of the API, as the URL conf has them."""

import re
from typing import Any
from uuid import uuid4

from django.urls import URLPattern, URLResolver, get_resolver

from pushcenter.access.views.base import GatewayView

VERBS = ("get", "post", "put", "patch", "delete")
PREFIX = "/api/v1"


def routes(resolver: Any, prefix: str = "/") -> list[tuple[str, Any]]:
    """Every address below a resolver, with its view."""
    found = []
    for each in resolver.url_patterns:
        route = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            found += routes(each, route)
        elif isinstance(each, URLPattern):
            found.append((route, each.callback))
    return found


API: list[tuple[str, type[GatewayView]]] = [
    (route, view.view_class) for route, view in routes(get_resolver()) if route.startswith(f"{PREFIX}/")
]
CALLS = [(route, view, verb) for route, view in API for verb in VERBS if hasattr(view, verb)]


def address(route: str) -> str:
    """An address where nothing is."""
    return re.sub(r"<str:\w+>", "nobody", re.sub(r"<uuid:\w+>", str(uuid4()), route))


def names(calls: list[tuple[str, type[GatewayView], str]]) -> list[str]:
    return [name(route, verb) for route, _view, verb in calls]


def name(route: str, verb: str) -> str:
    """A call as the documentation writes it."""
    place = re.sub(r"<\w+:(\w+)>", r"{\1}", route.removeprefix(PREFIX))
    return f"{verb.upper()} {place}"
