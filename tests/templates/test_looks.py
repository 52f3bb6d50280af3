"""How messages look: what a template says is shown, and none of it runs, loads or breaks out."""

import re
from typing import Any

import pytest

from channels_app import registry
from templates_app.looks import look, mails, markdown

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'


def attacked(channel: str) -> dict[str, Any]:
    """Content whose every field holds an attack."""
    fields = registry.channels()[channel].content.base_fields
    return dict.fromkeys(fields, HOSTILE)


@pytest.mark.parametrize("channel", [*registry.channels(), "html", "text", "of-a-plug-in"])
def test_what_a_template_says_is_escaped_on_every_channel(channel: str) -> None:
    content = attacked(channel) if channel in registry.channels() else {"source": HOSTILE, "strange": HOSTILE}
    for form in ("text", "markdown", "card"):
        seen = look(channel, {**content, **({"format": form, "payload": ""} if "format" in content else {})})
        assert "<script" not in seen
        assert "<img" not in seen
        assert "&lt;script&gt;" in seen


@pytest.mark.parametrize("channel", [*registry.channels(), "html", "text", "of-a-plug-in"])
@pytest.mark.parametrize("value", [None, "", 0, [], {}, [{"a": [1]}], {"1": {"value": "x"}}, True])
def test_values_of_any_kind_are_looked_at(channel: str, value: Any) -> None:
    names = registry.channels()[channel].content.base_fields if channel in registry.channels() else ["source"]
    assert "look" in look(channel, dict.fromkeys(names, value))
    assert "look" in look(channel, {})


def test_a_mail_stands_in_a_frame_that_may_nothing() -> None:
    seen = look("email", {"subject": "Hi", "preheader": "Soon", "html": "<p>Hello</p>", "text": ""})
    frames = re.findall(r"<iframe[^>]*>", seen)
    assert len(frames) == 2
    for frame in frames:
        assert 'sandbox=""' in frame
        assert "default-src &#x27;none&#x27;" in frame
    assert '<pre class="look-plain look-other" data-part="text">Hello</pre>' in seen, (
        "the text that is made of it"
    )


def test_a_dark_screen_gets_what_the_mail_says_for_it_or_turned_colours() -> None:
    own = "<style>@media (prefers-color-scheme: dark){p{color:#fff}}</style><p>Hi</p>"
    assert "@media (min-width:0)" in mails.dark(own)
    assert "@media (max-width:0)" in mails.light(own)
    assert "invert(1)" not in mails.dark(own)
    assert "invert(1)" in mails.dark("<p>Hi</p>")


def test_chat_markdown_leads_nowhere_and_loads_nothing() -> None:
    shown = markdown.render(
        "**Paid** [here](https://e.com) ![it](https://e.com/a.png) <b>no</b> [x](javascript:1)"
    )
    assert "<strong>Paid</strong>" in shown
    assert "<a" not in shown
    assert "<img" not in shown
    assert "<b>" not in shown
    assert 'title="https://e.com"' in shown


def test_colours_of_chat_markdown_are_kept_and_others_stay_text() -> None:
    shown = markdown.render('<font color="warning">Late</font> <font color="red;x:url(/)">no</font>')
    assert '<span style="color:var(--look-warning)">Late</span>' in shown
    assert "url(/)" in shown
    assert shown.count("<span") == 1


def test_the_sender_is_named_where_it_is_known() -> None:
    assert "Shop Ltd" in look("sms", {"text": "Hi"}, sender="Shop Ltd")
    assert "Your company" in look("sms", {"text": "Hi"})
