from django.http import HttpRequest, HttpResponse
from django.urls import path

from tests.bench.yardstick.views import Notifications


def ready(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


urlpatterns = [path("readyz", ready), path("api/v1/messages", Notifications.as_view())]
