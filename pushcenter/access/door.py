"""Before and behind every view of the API: what is too large is refused unread, and what was refused is counted."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from pushcenter.access import refusals, request_id
from pushcenter.access.problems import is_api, problem_response

#: Bytes of an address with its query, and of one header. Web servers have limits that lie only a little above.
LONGEST_ADDRESS = 8_000
LONGEST_HEADER = 8_000


class Door:
    """Middleware of the API; other pages pass it untouched."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_api(request):
            return self.get_response(request)
        response = too_large(request) or self.get_response(request)
        if request_id.HEADER not in response.headers:  # no view has seen it
            response.headers[request_id.HEADER] = request_id.request_id(request.META)
        if response.status_code >= 400:
            refusals.note(request, response)
        return response


def too_large(request: HttpRequest) -> HttpResponse | None:
    """The answer to a head that is larger than anything that is meant. How large a body may be, its view knows."""
    meta = request.META
    if len(meta.get("PATH_INFO", "")) + len(meta.get("QUERY_STRING", "")) > LONGEST_ADDRESS:
        return problem_response(
            414, "address_too_long", f"The address is longer than {LONGEST_ADDRESS:,} bytes."
        )
    if [name for name in meta if name.startswith("HTTP_") and len(meta[name]) > LONGEST_HEADER]:
        detail = f"A header is longer than {LONGEST_HEADER:,} bytes."
        return problem_response(431, "header_too_large", detail)
    return None
