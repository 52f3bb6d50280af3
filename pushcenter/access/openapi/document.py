"""The last touch on the generated description: what all calls have in common, and what follows on what."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pushcenter.access.openapi import links, problems
from pushcenter.access.openapi.answers import ANSWERS, BATCH_ID, KEY_ID, MESSAGE_ID
from pushcenter.access.problems import CONTENT_TYPE

PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "RequestId": {
        "name": "X-Request-Id",
        "in": "header",
        "description": "Your id of this request: 1 to 64 of `A-Z a-z 0-9 . _ -`. Anything else, and nothing, gets "
        "an id of ours. It comes back in the answer and stands in the trace.",
        "schema": {"type": "string"},
        "example": "checkout-8842",
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Makes the call safe to repeat: the same key and body get the first answer again, at least "
        "for seven days.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "pattern": "^[!-~]([ -~]{0,253}[!-~])?$",
        },
        "example": "order-SO-20391-paid",
    },
}
HEADERS: Mapping[str, Mapping[str, Any]] = {
    "X-Request-Id": {
        "description": "The id of this request: yours, or one of ours.",
        "required": True,
        "schema": {"type": "string", "pattern": r"^[A-Za-z0-9._-]{1,64}$"},
    },
    "RateLimit": {
        "description": "How many requests may still come at once, and in how many seconds all may again.",
        "schema": {"type": "string", "pattern": r'^"requests";r=\d+;t=\d+$'},
        "example": '"requests";r=1999;t=1',
    },
    "RateLimit-Policy": {
        "description": "How many requests your system may make in how many seconds.",
        "schema": {"type": "string", "pattern": r'^"requests";q=\d+;w=\d+$'},
        "example": '"requests";q=1000;w=1',
    },
    "Retry-After": {
        "description": "Seconds after which the call may be made again.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {
        "description": "How a key is shown.",
        "required": True,
        "schema": {"type": "string"},
        "example": 'Bearer realm="pushcenter"',
    },
    "Location": {
        "description": "Where what was made can be read.",
        "schema": {"type": "string"},
    },
    "Idempotent-Replayed": {
        "description": "`true` where this is the answer of an earlier call with the same Idempotency-Key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
}
#: What stands in an address, by the name of its parameter; a code is one of what stands before it.
STEPS = {"message_id": MESSAGE_ID, "batch_id": BATCH_ID, "key_id": KEY_ID, "external_id": "u-1002"}
CODES = {"groups": "staff", "templates": "order-paid"}
#: Answers of the steps before a request is counted, and so before there is something to say of the rate.
UNCOUNTED = {"401", "414", "431"}
RETRIED = {"409", "429", "503"}
#: Calls whose answer says where to read what was made.
LOCATED = {
    "send_message",
    "send_batch",
    "broadcast",
    "create_recipient",
    "replace_recipient",
    "create_group",
}
VERBS = {"get", "post", "put", "patch", "delete"}


def complete(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Postprocessing hook of drf-spectacular."""
    for path, verb, operation in _operations(result):
        parameters = operation.setdefault("parameters", [])
        _show_steps(path, parameters)
        parameters.extend(_parameters(verb))
        for status, answer in operation["responses"].items():
            _complete_answer(verb, operation, status, answer)
    _link(result)
    components = result["components"]
    components["parameters"] = {name: dict(each) for name, each in PARAMETERS.items()}
    components["headers"] = {name: dict(each) for name, each in HEADERS.items()}
    components["examples"] = problems.examples()
    return result


def _operations(result: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in result["paths"].items():
        yield from ((path, verb, operation) for verb, operation in item.items() if verb in VERBS)


def _show_steps(path: str, parameters: Iterable[dict[str, Any]]) -> None:
    for each in parameters:
        if each["in"] == "path":
            each["example"] = STEPS.get(each["name"]) or CODES[path.split("/")[3]]


def _parameters(verb: str) -> Iterator[dict[str, str]]:
    names = ["RequestId", "IdempotencyKey"] if verb == "post" else ["RequestId"]
    return ({"$ref": f"#/components/parameters/{name}"} for name in names)


def _complete_answer(verb: str, operation: Mapping[str, Any], status: str, answer: dict[str, Any]) -> None:
    answer["headers"] = {
        name: {"$ref": f"#/components/headers/{name}"} for name in _headers(verb, operation, status)
    }
    name = operation["operationId"]
    for kind, content in answer.get("content", {}).items():
        if kind == CONTENT_TYPE:
            codes = problems.EXAMPLES[int(status)]
            content["examples"] = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
        elif shown := ANSWERS.get(f"{name} {status}") or ANSWERS.get(name):
            content["examples"] = {name: {"value": shown}}
    answer["description"] = answer["description"] or operation["summary"]


def _headers(verb: str, operation: Mapping[str, Any], status: str) -> Iterator[str]:
    yield "X-Request-Id"
    if status not in UNCOUNTED:
        yield from ("RateLimit", "RateLimit-Policy")
    if status == "401":
        yield "WWW-Authenticate"
    if status in RETRIED:
        yield "Retry-After"
    if status < "300" and verb == "post":
        yield "Idempotent-Replayed"
    if status in {"201", "202"} and operation["operationId"] in LOCATED:
        yield "Location"


def _link(result: Mapping[str, Any]) -> None:
    """Name the calls that follow on an answer."""
    for _path, _verb, operation in _operations(result):
        for status, answer in operation["responses"].items():
            followed = links.LINKS.get((operation["operationId"], status))
            if followed is not None:
                value = f"$response.body#/{followed.field}"
                answer["links"] = {
                    name: {"operationId": name, "parameters": {followed.parameter: value}}
                    for name in followed.by
                }
