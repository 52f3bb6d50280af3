"""``/callbacks/{account}/{token}``: where providers report what became of a delivery."""

import logging
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt

from channels_app.contract import Callback, ForgedCallback
from channels_app.models import Account
from channels_app.registry import UnknownAdapter
from pushcenter.access.gate import caller_address
from pushcenter.access.problems import problem_response, unavailable
from pushcenter.messaging import receipts

log = logging.getLogger(__name__)


@csrf_exempt
def callback(request: HttpRequest, account_id: UUID, token: str) -> HttpResponse:
    """Hand a provider's call to its adapter.

    404 for a wrong address, 403 for a call from elsewhere, 401 for a signature that does not hold.
    """
    try:
        return _answer(request, account_id, token)
    except (DataError, UnicodeEncodeError):  # a null character, half a surrogate pair
        return problem_response(400, "bad_request", "The call holds what cannot be stored.")
    except (OperationalError, InterfaceError) as error:
        return unavailable(error)


def _answer(request: HttpRequest, account_id: UUID, token: str) -> HttpResponse:
    account = Account.objects.filter(pk=account_id).first()
    if account is None or not constant_time_compare(account.callback_token, token):
        return problem_response(404, "not_found", "There is no such callback address.")
    body = request.read(settings.MAX_BODY_BYTES + 1)
    if len(body) > settings.MAX_BODY_BYTES:
        return problem_response(413, "body_too_large", "The body is larger than this gateway takes.")
    call = Callback(
        headers={name.lower(): value for name, value in request.headers.items()},
        query=request.GET.dict(),
        body=body,
        url=settings.BASE_URL + request.get_full_path(),
        method=request.method or "",
    )
    try:
        reply = receipts.take(account, call, caller=caller_address(request))
    except receipts.Elsewhere:
        return problem_response(403, "not_from_the_provider", "Calls for this account come from elsewhere.")
    except (ForgedCallback, UnknownAdapter):
        return problem_response(401, "not_verified", "The call could not be verified.")
    except DatabaseError:
        raise
    except Exception:  # secrets or settings that its adapter cannot use: the provider is to come again
        log.exception("the account %s cannot take calls", account)
        return problem_response(503, "unavailable", "Calls for this account cannot be read at the moment.")
    return HttpResponse(reply.body, status=reply.status, content_type=reply.content_type)
