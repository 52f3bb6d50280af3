"""``/u/{token}``: where people leave a category, from a link in a message or by a mail program's button (RFC 8058).

The link is all that is needed: no account, no cookie, no script. A GET changes nothing, because scanners follow links.
"""

from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from channels_app import registry
from pushcenter.messaging.leaving import Gone, NoSuchLink, Standing, Way
from pushcenter.recipients.masking import mask

#: The body of the request that a mail program's button makes.
ONE_CLICK = ("List-Unsubscribe", "One-Click")
HEADERS = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
#: What is said where there is nothing to leave.
TROUBLE = {
    404: (
        _("This link does not work"),
        _("Perhaps it was cut off. Open it again from the message, or copy all of it."),
    ),
    410: (
        _("This link is no longer needed"),
        _(
            "What it belongs to is no longer kept here. If you still get such messages, use the link in the newest one."
        ),
    ),
}


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def leaving(request: HttpRequest, token: str) -> HttpResponse:
    """What one is about to leave, and a button; a POST leaves, or comes back."""
    answer = _answer(request, token)
    for name, value in HEADERS.items():
        answer.headers[name] = value
    return answer


def _answer(request: HttpRequest, token: str) -> HttpResponse:
    try:
        way = Way.behind(token)
    except NoSuchLink:
        return _trouble(request, 404)
    except Gone:
        return _trouble(request, 410)
    if request.POST.get(ONE_CLICK[0]) == ONE_CLICK[1]:
        return _one_click(way)
    wish = request.POST.get("do", "")
    standing = _changed(wish, request.POST, way)
    language = _language(way, request)
    with translation.override(language):
        answer = _page(request, way, standing, is_back=wish == "come_back")
    answer.headers["Content-Language"] = language
    return answer


def _one_click(way: Way) -> HttpResponse:
    """Nobody reads the answer; its status tells the mail program."""
    if way.leave(everywhere=False, by="one-click") is Standing.CANNOT_LEAVE:
        return HttpResponse("This category cannot be left.\n", status=409, content_type="text/plain")
    return HttpResponse("Unsubscribed.\n", content_type="text/plain")


def _changed(wish: str, form: Mapping[str, str], way: Way) -> Standing:
    """How the person stands after what the form asks for."""
    match wish:
        case "leave":
            return way.leave(everywhere=form.get("where") == "everywhere", by="page")
        case "come_back":
            return way.come_back(by="page")
    return way.standing()


def _page(request: HttpRequest, way: Way, standing: Standing, *, is_back: bool) -> HttpResponse:
    delivery = way.delivery
    channel = registry.channels().get(delivery.channel)
    context = {
        "category": way.category,
        "channel": channel.label if channel else delivery.channel,
        "address": "" if channel and channel.needs_recipient else mask(delivery.address),
        "sender": delivery.message.system.name,
        "is_test": delivery.is_test,
        "standing": standing.value,
        "is_back": is_back,
    }
    return render(request, "leaving/page.html", context)


def _trouble(request: HttpRequest, status: int) -> HttpResponse:
    title, text = TROUBLE[status]
    context = {"title": title, "text": text}
    return render(request, "leaving/trouble.html", context, status=status)


def _language(way: Way, request: HttpRequest) -> str:
    """The language in which the message was written, where we have it; else that of the browser."""
    try:
        return translation.get_supported_language_variant(way.delivery.locale)
    except LookupError:
        return str(getattr(request, "LANGUAGE_CODE", translation.get_language() or "en"))
