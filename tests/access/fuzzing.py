"""What schemathesis is to mind here. It loads this file in its own process; see schemathesis.toml beside it."""

import os
from itertools import count
from typing import Any
from uuid import uuid4

import schemathesis
from schemathesis.generation.meta import CoverageScenario

#: Refusals of what has the right shape, and says what cannot be done.
MEANING = {
    "ambiguous",
    "category_not_permitted",
    "duplicate",
    "in_the_future",
    "in_the_past",
    "invalid_cursor",
    "invalid_dingtalk",
    "invalid_email",
    "invalid_feishu",
    "invalid_network",
    "invalid_phone",
    "invalid_push_token",
    "invalid_slack",
    "invalid_teams",
    "invalid_url",
    "invalid_variable",
    "invalid_wechat",
    "invalid_wecom",
    "mandatory_category",
    "mismatch",
    "missing_variable",
    "no_such_year",
    "nobody",
    "no_usable_address",
    "no_usable_channel",
    "no_variant",
    "not_sent",
    "second_primary",
    "template_not_published",
    "too_early",
    "too_late",
    "too_long",
    "unknown_category",
    "unknown_channel",
    "unknown_group",
    "unknown_recipient",
    "unknown_template",
    "unknown_time_zone",
    "unknown_variable",
}
#: What no schema says in a way that generated clients understand: which fields go together, for example.
UNSAID = {
    ("report_conversion", "/message", "required"),
    ("report_conversion", "/value", "required"),
    ("report_conversion", "/value", "max_digits"),
    ("report_conversion", "/value", "max_decimal_places"),
    ("broadcast", "/audience", "one_of"),
    ("broadcast", "/audience/filter", "empty"),
    ("explain_request", "/to", "empty"),
    ("list_recipients", "/kind", "required"),
    ("list_recipients", "/address", "required"),
    ("move_members", "", "empty"),
    # What is invisible or a blank in a person's id, no regular expression says that all dialects share.
    ("create_recipient", "/external_id", "invalid"),
    ("replace_recipient", "/external_id", "invalid"),
    ("change_recipient", "/external_id", "invalid"),
    ("write_recipients", "/external_id", "invalid"),
    ("preview_template", "/recipient", "invalid"),
    ("report_conversion", "/recipient", "invalid"),
    ("send_message", "/to", "empty"),
    ("send_batch", "/to", "empty"),
}
#: The example in the description, with which each call would be the first one again.
EXAMPLE = "order-SO-20391-paid"
LARGEST = 2**63 - 1
numbers = count()


def is_about_meaning(call: str, fault: dict[str, str]) -> bool:
    """Whether a fault is none of shape; those of a batch begin at an item."""
    _, _, in_item = fault["pointer"].partition("/items/")
    place = "/" + in_item.partition("/")[2] if in_item else fault["pointer"]
    return fault["code"] in MEANING or (call, place, fault["code"]) in UNSAID


@schemathesis.check
def a_refusal_of_valid_data_is_about_its_meaning(ctx: Any, response: Any, case: Any) -> None:
    """422 for data of the right shape is no failure of ``positive_data_acceptance``, and only for good reasons."""
    if response.status_code != 422 or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    call = case.operation.definition.raw["operationId"]
    strange = [each for each in response.json()["errors"] if not is_about_meaning(call, each)]
    assert not strange, strange[:3]


@schemathesis.check
class EveryCallSucceedsOnce:
    """A call that was only ever refused has not been tested."""

    def __init__(self) -> None:
        self.tried: set[str] = set()
        self.done: set[str] = set()

    def after_response(self, ctx: Any, response: Any, case: Any) -> None:
        self.tried.add(case.operation.label)
        if response.status_code < 300:
            self.done.add(case.operation.label)

    def after_run(self, ctx: Any) -> None:
        assert not self.tried - self.done, f"never answered 2xx: {sorted(self.tried - self.done)}"


@schemathesis.hook
def after_load_schema(context: Any, schema: Any) -> None:
    """A few random requests for each call, beside some hundred chosen ones; ``EXAMPLES`` asks for more."""
    if "EXAMPLES" not in os.environ:
        schema.config.phases.fuzzing.generation.update(max_examples=4)


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """With ``on_error: skip`` bad items are no fault of the call, which names them in its answer."""
    is_negative = case.meta is not None and case.meta.generation.mode.is_negative
    return not (is_negative and isinstance(case.body, dict) and case.body.get("on_error") == "skip")


@schemathesis.hook
def filter_body(context: Any, body: Any) -> bool:
    """JSON with a number beyond 64 bits is refused as a whole, which no schema can say of every number."""
    return not has_huge_number(body)


def has_huge_number(value: Any) -> bool:
    if isinstance(value, dict):
        return any(has_huge_number(each) for each in value.values())
    if isinstance(value, list):
        return any(has_huge_number(each) for each in value)
    return isinstance(value, int | float) and abs(value) > LARGEST


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Let each call be a new one, and let none end the key of all calls, or the batch that others go on with."""
    # A case that has been changed counts as whole: those that lack something on purpose are left alone.
    lacks = getattr(case.meta.phase.data, "scenario", None) == CoverageScenario.MISSING_PARAMETER
    if case.headers.get("Idempotency-Key") == EXAMPLE and not lacks:
        case.headers["Idempotency-Key"] = f"call {next(numbers)}"
    if case.path_parameters.get("key_id") == os.environ["OWN_KEY"]:
        case.path_parameters["key_id"] = str(uuid4())
    cancels = case.operation.definition.raw["operationId"] == "cancel_batch"
    if cancels and case.path_parameters.get("batch_id") == os.environ["BATCH"]:
        case.path_parameters["batch_id"] = os.environ["BATCH_TO_CANCEL"]
