"""Every address of Push Center."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from pushcenter.access.views import health
from pushcenter.access.views.callbacks import callback
from pushcenter.access.views.leaving import leaving
from pushcenter.access.views.metrics import metrics

urlpatterns = [
    path("api/v1/", include("pushcenter.access.urls")),  # first, because it is asked for most
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("api/<path:rest>", health.no_such_call),
    path("callbacks/<uuid:account_id>/<str:token>", callback, name="callback"),
    path("u/<str:token>", leaving, name="leaving"),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics),
]

handler400 = health.bad_request
handler403 = health.forbidden
handler404 = health.not_found
handler500 = health.server_error
