"""Actions of the console that ask before they act: a dialog, then a POST, then a page with what came of it."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _
from unfold.dataclasses import ActionDialog
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

LONGEST_REASON = 300


class ReasonForm(BaseDialogForm):
    """Why: others will find it stopped, and ask."""

    reason = forms.CharField(
        label=_("Reason"), max_length=LONGEST_REASON, widget=UnfoldAdminTextInputWidget({"autofocus": True})
    )


class RemarkForm(BaseDialogForm):
    """Why it may go on, for those who want to say it."""

    reason = forms.CharField(
        label=_("Remark"),
        max_length=LONGEST_REASON,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )


def ask(
    title: Any, description: Any, button: Any, *, form: type[BaseDialogForm] | None = None
) -> ActionDialog:
    """The question before an action, with a form where there is something to choose."""
    return ActionDialog(title=title, description=description, form_class=form, form_submit_text=button)


def go(request: HttpRequest, url: str) -> HttpResponse:
    """Lead on from a dialog, whether it was sent by htmx or by the browser itself."""
    if "HX-Request" in request.headers:
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)
