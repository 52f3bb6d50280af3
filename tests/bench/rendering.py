"""What it costs to render messages of one version, which is compiled before."""

import time
from collections.abc import Mapping
from typing import Any

from pushcenter.messaging.content import context
from templates_app.render import Compiled, compile_content
from tests.bench import sizes
from tests.bench.figures import Figures

LEAVE = "https://push.example/u/token"
LINES = "{% for line in lines %}<tr><td>{{ line.title }}</td><td>{{ line.price }}</td></tr>{% endfor %}"
LINK = "https://shop.example/orders/{{ order_no }}?by={{ recipient.id }}"
#: What the versions say by channel: a text message, a notification, a mail, and one in MJML with a layout.
CONTENT: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "sms": ("sms", {"text": "Order {{ order_no }} is paid. Thank you, {{ recipient.name }}."}),
    "push": (
        "push",
        {
            "title": "Order {{ order_no }}",
            "body": "Paid: {{ amount }}",
            "link": LINK,
            "data": '{"no": {{ order_no }}}',
        },
    ),
    "mail": (
        "email",
        {
            "subject": "Order {{ order_no }} is paid",
            "html": (
                "<style>td{padding:4px}</style><p>Dear {{ recipient.name }},</p>"
                f'<table>{LINES}</table><p>{{{{ amount }}}} in all</p><a href="{LINK}">See it</a>'
            ),
            "text": "{% for line in lines %}{{ line.title }}: {{ line.price }}\n{% endfor %}{{ amount }} in all",
        },
    ),
    "mjml": (
        "email",
        {
            "subject": "Order {{ order_no }} is paid",
            "html": '{% extends "brand" %}{% block content %}<mj-text>Dear {{ recipient.name }},</mj-text>'
            f'<mj-table>{LINES}</mj-table><mj-button href="{LINK}">See it</mj-button>{{% endblock %}}',
        },
    ),
}
PARTS = {
    "brand.html": "<mjml><mj-body><mj-section><mj-column>{% block content %}{% endblock %}</mj-column></mj-section>"
    "<mj-section><mj-column><mj-text>{{ recipient.id }}</mj-text></mj-column></mj-section></mj-body></mjml>"
}


def measure(figures: Figures, _secret: str = "") -> None:
    """Processor milliseconds of a thousand messages, on one core."""
    versions = {name: compiled(name) for name in CONTENT}
    for _round in range(sizes.ROUNDS):
        for name, version in versions.items():
            figures.add(**{f"render_1000_{name}_ms": milliseconds(version)})


def compiled(name: str) -> Compiled:
    channel, content = CONTENT[name]
    return compile_content(channel, content, parts=PARTS)


def milliseconds(version: Compiled, messages: int = 1000) -> float:
    """Of so many messages, each with parameters of its own, as the dispatcher renders them."""
    params = [parameters(number) for number in range(messages)]
    begun = time.process_time()
    for number, each in enumerate(params):
        version.render(context(each, {"recipient": f"u-{number}", "name": "Li & Wei"}, leave=LEAVE))
    return (time.process_time() - begun) * 1000


def parameters(number: int) -> dict[str, Any]:
    titles = ("Fountain pen", "Ink", "Paper <A4>")
    lines = [{"title": title, "price": f"{number}.{place}0"} for place, title in enumerate(titles)]
    return {"order_no": f"SO-{number}", "amount": f"{number}.00 EUR", "lines": lines}
