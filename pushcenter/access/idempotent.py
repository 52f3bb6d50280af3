"""The header ``Idempotency-Key``, and calls that are safe to repeat with it."""

import json
import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from channels_app import secrets
from pushcenter.access.principal import Principal
from pushcenter.access.problems import BadHeader
from pushcenter.messaging import idempotency
from pushcenter.messaging.idempotency import Answer, Conflict, Replayed
from pushcenter.messaging.request import Call

HEADER = "HTTP_IDEMPOTENCY_KEY"
#: Printable ASCII; draft-ietf-httpapi-idempotency-key-header writes it in quotes, most callers without.
FORM = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")
#: Says that the answer is the one of an earlier call.
REPLAYED = "Idempotent-Replayed"


def call_of(request: HttpRequest, principal: Principal, body: bytes) -> Call | None:
    """The call with its key; None where it has none. Raises :class:`BadHeader` for one that cannot be a key."""
    given = request.META.get(HEADER)
    if given is None:
        return None
    if not FORM.fullmatch(given):
        raise BadHeader("Idempotency-Key takes 1 to 255 printable ASCII characters.")
    digest = sha256(f"{request.method} {request.get_full_path()}\n".encode())
    digest.update(body)
    return Call(
        system_id=principal.system.pk,
        is_test=principal.key.is_test,
        key=given,
        fingerprint=digest.digest(),
    )


def replay(answer: Answer, *, is_sealed: bool = False) -> HttpResponse:
    """An earlier answer once more."""
    body = JSONRenderer().render(secrets.decrypt(answer.body.decode())) if is_sealed else answer.body
    response = HttpResponse(body, status=answer.status, content_type="application/json")
    if answer.location:
        response["Location"] = answer.location
    response[REPLAYED] = "true"
    return response


def earlier(call: Call | None) -> HttpResponse | None:
    """The answer that this very call got before, if it did."""
    answer = idempotency.answer_to(call) if call else None
    return replay(answer) if answer else None


def once(call: Call, act: Callable[[], Response], *, is_sealed: bool = False) -> Response | HttpResponse:
    """Do what the call asks for, unless it has been done; what is done and its answer are committed together.

    An answer that has a secret in it is kept sealed, which is to say encrypted.
    """
    with transaction.atomic():
        [known] = idempotency.enter([call])
        if isinstance(known, Replayed):
            return replay(known.answer, is_sealed=is_sealed)
        if isinstance(known, Conflict):
            raise known
        response = act()
        if response.status_code < 300:
            idempotency.keep([(call, _answer(response, is_sealed=is_sealed))])
    return response


def _answer(response: Response, *, is_sealed: bool) -> Answer:
    data: Any = response.data
    body = b"" if data is None else JSONRenderer().render(data)
    if is_sealed:
        body = secrets.encrypt(json.loads(body)).encode()
    return Answer(status=response.status_code, body=body, location=response.headers.get("Location", ""))
