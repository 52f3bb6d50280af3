"""The address that the editor asks while somebody types; always JSON, whatever it is asked."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _

from templates_app import live


def answer(admin: ModelAdmin, request: HttpRequest, object_id: str) -> JsonResponse:
    """What :mod:`templates_app.live` says of the editor's present text."""
    if request.method != "POST":
        return _refusal(405, _("Ask with POST."))
    version = admin.get_object(request, object_id)
    if version is None:
        return _refusal(404, _("There is no such version."))
    if not admin.has_view_permission(request, version):
        return _refusal(403, _("You may not see this version."))
    try:
        return JsonResponse(live.answer(version, live.question(version, request.body)))
    except RequestDataTooBig:
        return _refusal(413, _("This is too long."))
    except live.Unreadable as error:
        return _refusal(400, str(error))


def _refusal(status: int, detail: str) -> JsonResponse:
    body: dict[str, Any] = {"detail": detail}
    return JsonResponse(body, status=status)
