"""What an alert says on each channel, in English and in Chinese: the template that comes with Push Center."""

from typing import Any

ENGLISH, CHINESE = "", "zh-hans"

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "what": {
            "type": "string",
            "enum": ["raised", "reminder", "resolved"],
            "description": "What is told.",
        },
        "severity": {
            "type": "string",
            "enum": ["info", "warning", "critical"],
            "description": "How bad it is.",
        },
        "text": {"type": "string", "description": "What is wrong, in a sentence."},
        "since": {"type": "string", "description": "Since when."},
        "until": {"type": "string", "default": "", "description": "Until when, once it is over."},
        "count": {"type": "integer", "default": 1, "description": "How often it was seen."},
        "facts": {
            "type": "array",
            "default": [],
            "description": "What is known in detail.",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "value": {"type": "string"}},
                "required": ["name", "value"],
            },
        },
        "link": {"type": "string", "description": "The alert's page in the console."},
    },
    "required": ["what", "severity", "text", "since", "link"],
    "additionalProperties": False,
}
SAMPLE: dict[str, Any] = {
    "what": "raised",
    "severity": "critical",
    "text": "The lane critical is not served: a delivery has been due for 3 minutes.",
    "since": "2026-03-18 09:41:07 UTC",
    "count": 2,
    "facts": [{"name": "lane", "value": "critical"}, {"name": "waiting", "value": "1204"}],
    "link": "https://push.example.com/admin/",
}

STATE = (
    '{% if what == "resolved" %}Resolved{% elif what == "reminder" %}Still open{% else %}Alert{% endif %}'
    '{% if severity == "critical" and what != "resolved" %} (critical){% endif %}'
)
STATE_ZH = (
    '{% if what == "resolved" %}已恢复{% elif what == "reminder" %}仍未恢复{% else %}告警{% endif %}'
    '{% if severity == "critical" and what != "resolved" %}（严重）{% endif %}'
)
TIMES = "Since {{ since }}{% if until %}, until {{ until }}{% endif %}. Seen {{ count }} times."
TIMES_ZH = "开始于 {{ since }}{% if until %}，结束于 {{ until }}{% endif %}。共出现 {{ count }} 次。"
FACTS = "{% for fact in facts %}\n{{ fact.name }}: {{ fact.value }}{% endfor %}"

MAIL = """\
<!doctype html>
<html lang="LANG">
<body style="margin:0;padding:24px;background:#ffffff;font:15px/1.6 Arial,'PingFang SC','Microsoft YaHei',sans-serif;
  color:#1c2330;">
  <p style="margin:0 0 4px;color:#667085;">STATE</p>
  <p style="margin:0 0 16px;font-size:18px;font-weight:600;">{{ text }}</p>
  <p style="margin:0 0 16px;">TIMES</p>
  <table role="presentation" cellpadding="0" cellspacing="0">
    {% for fact in facts %}
    <tr><td style="padding:2px 16px 2px 0;color:#667085;">{{ fact.name }}</td><td>{{ fact.value }}</td></tr>
    {% endfor %}
  </table>
  <p style="margin:16px 0 0;"><a href="{{ link }}">OPEN</a></p>
</body>
</html>
"""


def _mail(lang: str, state: str, times: str, call: str) -> dict[str, str]:
    html = MAIL.replace("LANG", lang).replace("STATE", state).replace("TIMES", times).replace("OPEN", call)
    text = f"{state}: {{{{ text }}}}\n\n{times}\n{FACTS}\n\n{{{{ link }}}}\n"
    return {"subject": f"{state}: {{{{ text }}}}", "html": html, "text": text}


def _both(english: dict[str, str], chinese: dict[str, str]) -> dict[str, dict[str, str]]:
    return {ENGLISH: english, CHINESE: chinese}


def _short(state: str, colon: str) -> dict[str, str]:
    return {"text": f"{state}{colon}{{{{ text }}}} {{{{ link }}}}"}


def _titled(state: str, times: str, body: str) -> dict[str, str]:
    return {"title": state, body: f"{{{{ text }}}}\n{times}", "link": "{{ link }}"}


def _chat(state: str, times: str) -> dict[str, str]:
    return {"format": "text", "title": state, "text": f"{{{{ text }}}}\n{times}{FACTS}", "link": "{{ link }}"}


DATA = """\
{
  "what": {{ what|tojson }},
  "severity": {{ severity|tojson }},
  "text": {{ text|tojson }},
  "since": {{ since|tojson }},
  "until": {{ until|tojson }},
  "count": {{ count|tojson }},
  "facts": {{ facts|tojson }},
  "link": {{ link|tojson }}
}"""
WEBHOOK = {"event": "operations.alert", "data": DATA}
CHAT = _both(_chat(STATE, TIMES), _chat(STATE_ZH, TIMES_ZH))

SAYS: dict[str, dict[str, dict[str, str]]] = {
    "inbox": _both(_titled(STATE, TIMES, "body"), _titled(STATE_ZH, TIMES_ZH, "body")),
    "email": _both(
        _mail("en", STATE, TIMES, "Open it in the console"),
        _mail("zh-Hans", STATE_ZH, TIMES_ZH, "在控制台中打开"),
    ),
    "sms": _both(_short(STATE, ": "), _short(STATE_ZH, "：")),
    "push": _both(_titled(STATE, TIMES, "body"), _titled(STATE_ZH, TIMES_ZH, "body")),
    "wecom": CHAT,
    "dingtalk": CHAT,
    "feishu": CHAT,
    "slack": CHAT,
    "teams": CHAT,
    "webhook": {ENGLISH: WEBHOOK},
}
