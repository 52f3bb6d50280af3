"""The errors of the API as its description shows them: for each status its meaning, and an example of each code."""

from collections.abc import Mapping
from typing import Any

from pushcenter.access.problems import FAULTY, body
from pushcenter.faults import Fault

DESCRIPTIONS = {
    400: "The body is not JSON, or a header has not its form.",
    401: "No key, or one that is not valid.",
    403: "The key, or its system, may not do this.",
    404: "Not found, or not yours.",
    409: "There is one already, or what it is about has ended; or the Idempotency-Key belongs to another call.",
    411: "The body comes without its length.",
    413: "The body is too large.",
    414: "The address with its query is too long.",
    415: "The body is not declared as application/json.",
    422: "The request has faults; each is named with a pointer.",
    429: "Your system makes more requests than it may.",
    431: "A header is too large.",
    503: "Nothing can be stored at the moment.",
}
FAULT = Fault(pointer="/template", code="unknown_template", detail="There is no template order-payed.")
FORBIDDEN = Fault(
    pointer="/priority",
    code="priority_not_permitted",
    detail="The highest priority of your system is normal.",
)
#: Some codes of each status, with what they say.
EXAMPLES: Mapping[int, Mapping[str, str]] = {
    400: {
        "invalid_json": "The body is not JSON: Expecting value (line 2, column 15).",
        "invalid_header": "Idempotency-Key takes 1 to 255 printable ASCII characters.",
    },
    401: {
        "missing_key": "Send your API key as: Authorization: Bearer <key>.",
        "invalid_key": "This API key is not valid, has expired, or was revoked.",
    },
    403: {
        "missing_scope": "This key does not have the scope send.",
        "not_permitted": "This system may not ask for that.",
    },
    404: {"not_found": "There is nothing at this address that you may see."},
    409: {
        "call_in_progress": "The same call is being worked on at this moment; ask again.",
        "idempotency_key_reused": "This Idempotency-Key was used for another call; take a new one.",
    },
    411: {"length_required": "Send the length of the body in Content-Length; a chunked body is not taken."},
    413: {"body_too_large": "The body is larger than 1,000,000 bytes."},
    414: {"address_too_long": "The address is longer than 8,000 bytes."},
    415: {"unsupported_media_type": 'Unsupported media type "text/plain" in request.'},
    422: {"invalid_request": FAULTY},
    429: {"rate_limited": "Your system makes more requests than it may; wait as Retry-After says."},
    431: {"header_too_large": "A header is longer than 8,000 bytes."},
    503: {"unavailable": "The gateway cannot store anything at the moment; try again."},
}
FAULTS = {"invalid_request": [FAULT], "not_permitted": [FORBIDDEN]}


def examples() -> dict[str, dict[str, Any]]:
    """A problem document for each code."""
    return {
        code: {"summary": code, "value": body(status, code, detail, FAULTS.get(code, ()))}
        for status, codes in EXAMPLES.items()
        for code, detail in codes.items()
    }
