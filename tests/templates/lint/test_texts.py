"""Lengths and wording."""

from typing import Any

import pytest

from templates_app.lint import Draft, Severity
from templates_app.lint.examples import TEXT, draft, mail, on
from tests.templates.lint.cast import found, messages


def sms(text: str, **params: Any) -> Draft:
    return draft(on("sms", text=text), declared={"x": TEXT}, samples=(("long", params),) if params else ())


def test_a_text_message_is_counted_with_each_sample() -> None:
    assert found(sms("{{ x }}", x="a" * 160), "long-sms") == []
    [hint] = found(sms("{{ x }}", x="a" * 161), "long-sms")
    assert (hint.severity, hint.message) == (
        Severity.HINT,
        "It takes 2 text messages, each of which is paid for.",
    )
    assert found(sms("{{ x }}", x="字" * 300), "long-sms")[0].severity == Severity.WARNING


def test_a_text_message_that_is_too_long_to_be_sent_is_an_error() -> None:
    [problem] = found(sms("{{ x }}", x="字" * 671), "rendering")
    assert problem.severity == Severity.ERROR
    assert "“long”" in problem.message
    assert "at most 10" in problem.message


def test_the_longest_of_the_samples_counts() -> None:
    samples = (("short", {"x": "a"}), ("long", {"x": "a" * 400}), ("middle", {"x": "a" * 200}))
    three = draft(on("sms", text="{{ x }}"), declared={"x": TEXT}, samples=samples)
    assert messages(three, "long-sms") == ["It takes 3 text messages, each of which is paid for."]


def test_a_stray_character_is_named_with_what_it_costs() -> None:
    text = "Dear customer,\nyour order – 4711 – is paid and leaves us tomorrow. Thank you for your order."
    [problem] = found(sms(text), "sms-alphabet")
    assert problem.message == "For the sake of – it takes 2 text messages, and not 1."
    assert problem.line == 2
    assert found(sms("您的订单已付款，感谢您的惠顾。" * 6), "sms-alphabet") == []


@pytest.mark.parametrize(
    ("field", "size", "is_long"),
    [("title", 65, False), ("title", 66, True), ("body", 178, False), ("body", 179, True)],
)
def test_a_notification_is_as_long_as_a_lock_screen_shows(field: str, size: int, *, is_long: bool) -> None:
    content = {"title": "a", "body": "a"} | {field: "a" * size}
    assert bool(found(draft(on("push", **content)), "long-push")) is is_long


def test_a_text_that_ends_in_an_ellipsis_of_its_own_is_not_cut() -> None:
    content = {"title": "Paid …", "body": "{{ x }}"}
    short = draft(on("push", **content), declared={"x": TEXT}, samples=(("usual", {"x": "Soon …"}),))
    assert found(short, "cut-text") == []


def test_a_long_subject_is_measured_with_its_variables() -> None:
    long = mail(text="a", subject="{{ x }}", declared={"x": TEXT}, samples=(("long", {"x": "a" * 79}),))
    assert messages(long, "long-subject") == ["The subject has 79 characters; about 78 are shown."]


SHOUTS: dict[str, bool] = {
    "Your order is paid": False,
    "YOUR ORDER IS PAID": True,
    "SAVE BIG TODAY with us": True,
    "BUY NOW AND SAVE BIG": True,
    "Order {{ order_no }} at IKEA": False,
    "OTP {{ code }}": False,
    "GUARANTEED WINNER PRIZE for you, dear friend of ours, today": True,
    "您的订单已付款": False,
}


@pytest.mark.parametrize(("subject", "is_shouted"), SHOUTS.items(), ids=SHOUTS)
def test_capitals_are_shouting(subject: str, *, is_shouted: bool) -> None:
    assert bool(found(mail(text="a", subject=subject), "capitals")) is is_shouted


def test_marks_and_capitals_in_html_are_found_at_their_line() -> None:
    html = "<style>/* BUY NOW!! */</style>\n<p>Thank you!</p>\n<p>REALLY GREAT OFFER FOR YOU!!</p><p>再见！！</p>"
    problems = found(mail(html), "capitals", "exclamation")
    assert [(each.rule, each.line) for each in problems] == [("capitals", 3), ("exclamation", 3)]
