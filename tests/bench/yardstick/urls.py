import json
import uuid

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from tests.bench.yardstick.views import Notifications


def ready(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


def plain(request: HttpRequest) -> HttpResponse:
    """What Django and the web server cost by themselves: it reads the body and answers as acceptance does."""
    json.loads(request.body)
    return JsonResponse({"id": str(uuid.uuid4()), "status": "pending"}, status=202)


urlpatterns = [
    path("readyz", ready),
    path("plain", plain),
    path("api/v1/messages", Notifications.as_view()),
]
