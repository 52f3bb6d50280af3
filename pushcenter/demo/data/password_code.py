"""``password-code``: a code that is worthless in five minutes. A text message, and a mail where none arrives."""

from pushcenter.demo.data.letter import letter
from pushcenter.demo.data.shapes import Said, TemplateSeed
from pushcenter.lanes import Lane
from templates_app.models import DoubtPolicy, RouteMode
from templates_app.steps import Step, Until

CODE = (
    '          <p style="margin:18px 0;font-size:30px;font-weight:700;letter-spacing:6px;'
    'font-family:ui-monospace,Menlo,Consolas,monospace;">{{ code }}</p>\n'
)

PASSWORD_CODE = TemplateSeed(
    code="password-code",
    name="Code for a new password",
    category="security",
    priority=Lane.CRITICAL,
    route_mode=RouteMode.FIRST,
    # Somebody waits for it: what has not arrived after half a minute goes out as a mail, too.
    steps={"sms": Step(until=Until.DELIVERED, within=30)},
    time_to_live=300,
    # The same code twice does no harm; no code locks a person out.
    doubt_policy=DoubtPolicy.RESEND,
    variables={
        "code": {"type": "string", "pattern": r"^\d{4,8}$", "description": "The code, 4 to 8 digits."},
        "minutes": {
            "type": "integer",
            "minimum": 1,
            "maximum": 60,
            "default": 5,
            "description": "For how long the code holds.",
        },
    },
    required=["code"],
    sample={"code": "483920", "minutes": 5},
    says={
        "sms": Said(
            default={
                "text": "{{ code }} is your code for a new password. It holds for {{ minutes }} minutes. "
                "Never tell it to anybody."
            },
            chinese={"text": "您正在重置密码，验证码 {{ code }}，{{ minutes }} 分钟内有效。请勿告诉任何人。"},
        ),
        "email": Said(
            default={
                "subject": "Your code for a new password",
                "preheader": "It holds for {{ minutes }} minutes",
                "html": letter(
                    lang="en",
                    sender="Account security",
                    body='          <p style="margin:0;">Enter this code to choose a new password:</p>\n'
                    + CODE
                    + "          <p>It holds for {{ minutes }} minutes. Never tell it to anybody.</p>",
                    footer="You asked for no new password? Then nothing is to be done; your old one still holds.",
                ),
                "text": "Your code for a new password: {{ code }}\n\n"
                "It holds for {{ minutes }} minutes. Never tell it to anybody.\n",
            },
            chinese={
                "subject": "重置密码的验证码",
                "preheader": "{{ minutes }} 分钟内有效",
                "html": letter(
                    lang="zh-Hans",
                    sender="帐号安全",
                    body='          <p style="margin:0;">请输入以下验证码来设置新密码：</p>\n'
                    + CODE
                    + "          <p>验证码 {{ minutes }} 分钟内有效，请勿告诉任何人。</p>",
                    footer="如果不是您本人操作，请忽略本邮件，原密码仍然有效。",
                ),
                "text": "重置密码的验证码：{{ code }}\n\n{{ minutes }} 分钟内有效，请勿告诉任何人。\n",
            },
        ),
    },
)
