"""Channels and languages that are missing, or too many."""

import pytest

from templates_app.lint import Draft, Severity, Written
from templates_app.lint.examples import TEXT, draft, on
from tests.templates.lint.cast import found


def written(*places: str) -> Draft:
    """Variants by ``channel/locale``."""
    variants = []
    for each in places:
        channel, _slash, locale = each.partition("/")
        variants.append(on(channel, locale, text="a", title="a", body="a", subject="a", event="a", data="{}"))
    return draft(*variants, channels=tuple(dict.fromkeys(each.channel for each in variants)))


LANGUAGES: dict[str, tuple[tuple[str, ...], list[str]]] = {
    "one channel": (("sms", "sms/en"), []),
    "all the same": (("sms/en", "sms/de", "push/en", "push/de"), []),
    "one lacks": (("sms/en", "sms/de", "push/en"), ["push"]),
    "a default is no language": (("sms", "sms/de", "push"), ["push"]),
    "a wider one serves": (("sms/de", "push/de", "push/de-at"), []),
    "a narrower one does not": (("sms/de-at", "push/de"), ["sms"]),
    "a country tells the script": (("sms/zh-hans", "push/zh-hans", "push/zh-cn"), []),
    "programs read none": (("sms", "sms/de", "webhook"), []),
}


@pytest.mark.parametrize(("places", "channels"), LANGUAGES.values(), ids=LANGUAGES)
def test_a_language_of_one_channel_is_wanted_on_all(places: tuple[str, ...], channels: list[str]) -> None:
    assert [each.channel for each in found(written(*places), "missing-language")] == channels


def test_everybody_else_gets_what_somebody_decided() -> None:
    [problem] = found(written("sms/en", "sms/de", "push", "push/en"), "missing-default")
    assert (problem.channel, problem.message) == (
        "sms",
        "There is no default variant: people with another language get de.",
    )


def test_a_layout_has_no_route() -> None:
    part = Draft(variants=(Written("html", "", {"source": "<p>{{ shop_name }}</p>"}),), is_sendable=False)
    assert found(part, "no-channel", "unknown-channel", "variable-undeclared") == []


ALIYUN, TWILIO = "aliyun_sms", "twilio"
CODES: dict[str, tuple[str, dict[str, str], set[str], list[Severity]]] = {
    "a text where all want a template": ("sms", {"text": "a"}, {ALIYUN, "tencent_sms"}, [Severity.ERROR] * 2),
    "a text where one sends texts": ("sms", {"text": "a"}, {ALIYUN, TWILIO}, [Severity.WARNING]),
    "a text where all send texts": ("sms", {"text": "a"}, {TWILIO}, []),
    "a template": ("sms", {"template_code": "SMS_1"}, {ALIYUN, "tencent_sms"}, []),
    "one for each": (
        "sms",
        {"template_code": "aliyun_sms=SMS_1, tencent_sms=2"},
        {ALIYUN, "tencent_sms"},
        [],
    ),
    "none for this one": ("sms", {"template_code": "tencent_sms=2", "text": "a"}, {ALIYUN}, [Severity.ERROR]),
    "a template of WeChat": (
        "wechat",
        {"template_id": "", "data": "{}"},
        {"wechat_official"},
        [Severity.ERROR],
    ),
    "a text of WhatsApp": ("whatsapp", {"text": "a"}, {"meta_whatsapp"}, [Severity.WARNING]),
    "a text of WhatsApp through Twilio": ("whatsapp", {"text": "a"}, {"twilio_whatsapp"}, [Severity.WARNING]),
    "a template of WhatsApp": ("whatsapp", {"template": "paid"}, {"meta_whatsapp"}, []),
    "no account": ("sms", {"text": "a"}, set(), []),
    "an adapter that is gone": ("sms", {"text": "a"}, {"gone"}, []),
}


@pytest.mark.parametrize(("channel", "content", "adapters", "severities"), CODES.values(), ids=CODES)
def test_a_provider_gets_the_template_that_it_demands(
    channel: str, content: dict[str, str], adapters: set[str], severities: list[Severity]
) -> None:
    one = draft(on(channel, **content), declared={"a": TEXT}, accounts={channel: frozenset(adapters)})
    assert [each.severity for each in found(one, "provider-template")] == severities
