"""Actions of the console that ask before they act: a dialog, then a POST, then a page with what came of it."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.dataclasses import ActionDialog


def ask(title: Any, description: Any, button: Any) -> ActionDialog:
    """The question before an action."""
    return ActionDialog(title=title, description=description, form_class=None, form_submit_text=button)


def go(request: HttpRequest, url: str) -> HttpResponse:
    """Lead on from a dialog, whether it was sent by htmx or by the browser itself."""
    if "HX-Request" in request.headers:
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)
