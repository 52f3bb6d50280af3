"""The console: the Django admin with a dashboard and the report page."""

from typing import Any

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from pushcenter import language


class ConsoleSite(UnfoldAdminSite):
    index_title = _("Overview")
    index_template = "console/index.html"
    login_template = "console/login.html"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """All but the queue's own tables: what they hold says nothing that deliveries do not say better."""
        one = isinstance(model_or_iterable, ModelBase)
        models: list[Any] = [model_or_iterable] if one else list(model_or_iterable)
        wanted = [model for model in models if model._meta.app_label != "django_q"]
        super().register(wanted, admin_class, **options)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """As Django's; the theme's form does not say where to go, so that the address has to."""
        if request.method == "GET" and REDIRECT_FIELD_NAME not in request.GET:
            home = reverse("admin:index", current_app=self.name)
            return HttpResponseRedirect(f"{request.path}?{urlencode({REDIRECT_FIELD_NAME: home})}")
        response = super().login(request, extra_context)
        language.recall(request, response)
        return response

    def extra_urls(self) -> list[URLPattern]:
        return [
            path("language/", language.choose_language, name="language"),  # open to those who log in
            path("reports/", self.admin_view(self.reports), name="reports"),
            path("ledger/", self.admin_view(self.ledger), name="ledger"),
            path("dead-letters/", self.admin_view(self.dead_letters), name="dead_letters"),
        ]

    def dead_letters(self, request: HttpRequest) -> HttpResponse:
        from pushcenter.messaging.admin.dead_letters_page import page

        return page(request, self)

    def ledger(self, request: HttpRequest) -> HttpResponse:
        from pushcenter.messaging.admin.ledger_page import page

        return page(request, self)

    def reports(self, request: HttpRequest) -> HttpResponse:
        from analytics_app.views import report

        return report(request, self)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        from pushcenter.dashboard import dashboard

        return super().index(request, {"dashboard": dashboard(request.user), **(extra_context or {})})
