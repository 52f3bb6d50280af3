"""``leave-approved``: good news from the office. To the inbox, the phone and by mail."""

from pushcenter.demo.data.letter import leave, letter
from pushcenter.demo.data.shapes import Said, TemplateSeed

DATE = r"^\d{4}-\d{2}-\d{2}$"

ENGLISH = "{{ approver }} approved your leave from {{ first_day }} to {{ last_day }} ({{ days }} days)."
CHINESE = "{{ approver }} 已批准您 {{ first_day }} 至 {{ last_day }} 的假期，共 {{ days }} 天。"
ENGLISH_COMMENT = "{% if comment %} Comment: {{ comment }}{% endif %}"
CHINESE_COMMENT = "{% if comment %}备注：{{ comment }}{% endif %}"
ENGLISH_WAY_OUT = "\n\nNo mails about leave: {{ unsubscribe_url }}\n"
CHINESE_WAY_OUT = "\n\n不再接收请假邮件：{{ unsubscribe_url }}\n"

LEAVE_APPROVED = TemplateSeed(
    code="leave-approved",
    name="Leave approved",
    category="hr",
    variables={
        "approver": {"type": "string", "minLength": 1, "description": "Who approved it."},
        "first_day": {
            "type": "string",
            "format": "date",
            "pattern": DATE,
            "description": "First day of leave, as 2026-05-01.",
        },
        "last_day": {
            "type": "string",
            "format": "date",
            "pattern": DATE,
            "description": "Last day of leave, as 2026-05-05.",
        },
        "days": {"type": "number", "minimum": 0.5, "description": "Working days, halves included."},
        "comment": {
            "type": "string",
            "default": "",
            "maxLength": 500,
            "description": "What the approver added.",
        },
    },
    required=["approver", "first_day", "last_day", "days"],
    sample={
        "approver": "Daniel Müller",
        "first_day": "2026-05-06",
        "last_day": "2026-05-08",
        "days": 3,
        "comment": "Enjoy the mountains!",
    },
    says={
        "inbox": Said(
            default={"title": "Your leave is approved", "body": ENGLISH + ENGLISH_COMMENT},
            chinese={"title": "您的请假已批准", "body": CHINESE + CHINESE_COMMENT},
        ),
        "push": Said(
            default={"title": "Your leave is approved", "body": ENGLISH},
            chinese={"title": "您的请假已批准", "body": CHINESE},
        ),
        "email": Said(
            default={
                "subject": "Your leave from {{ first_day }} is approved",
                "preheader": "{{ days }} days, to {{ last_day }}",
                "html": letter(
                    lang="en",
                    sender="Office",
                    body='          <p style="margin:0;">Dear {{ recipient.name or "colleague" }},</p>\n'
                    f"          <p>{ENGLISH}</p>\n"
                    "          {% if comment %}<p>{{ approver }} adds: “{{ comment }}”</p>{% endif %}",
                    footer="Sent by the office system." + leave("No mails about leave"),
                ),
                "text": 'Dear {{ recipient.name or "colleague" }},\n\n'
                + ENGLISH
                + ENGLISH_COMMENT
                + ENGLISH_WAY_OUT,
            },
            chinese={
                "subject": "您 {{ first_day }} 起的假期已批准",
                "preheader": "共 {{ days }} 天，至 {{ last_day }}",
                "html": letter(
                    lang="zh-Hans",
                    sender="办公系统",
                    body='          <p style="margin:0;">{{ recipient.name or "同事" }}，您好：</p>\n'
                    f"          <p>{CHINESE}</p>\n"
                    "          {% if comment %}<p>{{ approver }} 留言：“{{ comment }}”</p>{% endif %}",
                    footer="本邮件由办公系统发送。" + leave("不再接收请假邮件"),
                ),
                "text": '{{ recipient.name or "同事" }}，您好：\n\n'
                + CHINESE
                + CHINESE_COMMENT
                + CHINESE_WAY_OUT,
            },
        ),
    },
)
