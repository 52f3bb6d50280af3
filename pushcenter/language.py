"""The language of the console: as the browser asks for it, until somebody chooses one; remembered with the user."""

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.i18n import set_language

from pushcenter.models import UserLanguage

#: In a session before its login: what was chosen on that page is the wish of the user who then logs in.
CHOSEN = "language_chosen"


def choose_language(request: HttpRequest) -> HttpResponseBase:
    """As Django's view, which leaves a cookie; other browsers of the user get one when he or she logs in there."""
    response = set_language(request)
    language = request.POST.get("language", "")
    if request.method == "POST" and language in dict(settings.LANGUAGES):
        if request.user.is_authenticated:
            _remember(request.user, language)
        else:
            request.session[CHOSEN] = language
    return response


def recall(request: HttpRequest, response: HttpResponse) -> None:
    """After somebody logged in: this browser speaks the language that he or she chose, here or elsewhere."""
    if request.method != "POST" or not request.user.is_authenticated:
        return
    chosen = request.session.pop(CHOSEN, None)
    if chosen:
        _remember(request.user, chosen)
        return
    known = UserLanguage.objects.filter(user=request.user).first()
    if known and known.language in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            known.language,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
            samesite="Lax",
        )


def _remember(user: User, language: str) -> None:
    UserLanguage.objects.update_or_create(user=user, defaults={"language": language})
