"""``/metrics``, for Prometheus: for whoever knows the token, or asks from a network that may."""

import hmac

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from analytics_app.metrics import exposition
from pushcenter.access.gate import caller_address
from pushcenter.networks import permits


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The state of the installation. To all others there is no such page."""
    if not _may_see(request):
        return HttpResponse("Not found.\n", status=404, content_type="text/plain; charset=utf-8")
    body, content_type = exposition(request.headers.get("Accept", ""))
    return HttpResponse(body, content_type=content_type, headers={"Cache-Control": "no-store"})


def _may_see(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "")
    if settings.METRICS_TOKEN and hmac.compare_digest(
        given.encode(), f"Bearer {settings.METRICS_TOKEN}".encode()
    ):
        return True
    networks = settings.METRICS_NETWORKS
    return bool(networks) and permits(networks, caller_address(request))
