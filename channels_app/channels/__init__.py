"""The channels that are built in: the content that each takes, and the form of its addresses.

A channel of a third party comes with its adapter and looks the same.
"""

from channels_app.channels.addresses import email_address, http_url, opaque, phone_number
from channels_app.channels.chat import DINGTALK, FEISHU, SLACK, TEAMS, WECOM
from channels_app.channels.email import EMAIL
from channels_app.channels.groups import GroupField, WebhookField, group_of
from channels_app.channels.inbox import INBOX
from channels_app.channels.named import of_adapter
from channels_app.channels.notification import Notification, filled
from channels_app.channels.push import PUSH, push_token, subscription_of
from channels_app.channels.sms import SMS
from channels_app.channels.streak import Streak
from channels_app.channels.webhook import WEBHOOK
from channels_app.channels.wechat import WECHAT
from channels_app.channels.whatsapp import WHATSAPP

BUILT_IN = (
    INBOX, EMAIL, SMS, PUSH, WECHAT, WHATSAPP, WECOM, DINGTALK, FEISHU, SLACK, TEAMS, WEBHOOK
)  # fmt: skip

__all__ = [
    "BUILT_IN",
    "DINGTALK",
    "EMAIL",
    "FEISHU",
    "INBOX",
    "PUSH",
    "SLACK",
    "SMS",
    "TEAMS",
    "WEBHOOK",
    "WECHAT",
    "WECOM",
    "WHATSAPP",
    "GroupField",
    "Notification",
    "Streak",
    "WebhookField",
    "email_address",
    "filled",
    "group_of",
    "http_url",
    "of_adapter",
    "opaque",
    "phone_number",
    "push_token",
    "subscription_of",
]
