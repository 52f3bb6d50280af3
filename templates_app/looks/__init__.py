"""Rendered content as its recipient sees it: a fragment of HTML for each kind of channel.

One function, :func:`look`, for whoever shows content: the editor, previews, differences, rehearsals. What a template
says is never trusted: it is escaped, and the HTML of a mail stands in a frame that runs and loads nothing. A channel
that has no look of its own, such as one of a plug-in, shows its fields with their labels.
"""

from collections.abc import Callable, Mapping
from secrets import token_hex
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from templates_app.looks import cards, chats, fields, mails, phones
from templates_app.looks.scene import Scene

PAINTERS: Mapping[str, Callable[[str, Mapping[str, Any]], Scene]] = {
    "email": mails.mail,
    "sms": phones.sms,
    "push": phones.push,
    "whatsapp": phones.whatsapp,
    "wechat": cards.wechat,
    "inbox": cards.inbox,
    "webhook": cards.webhook,
    "wecom": chats.chat,
    "dingtalk": chats.chat,
    "feishu": chats.chat,
    "slack": chats.chat,
    "teams": chats.chat,
    # The two forms of a layout or a snippet.
    "html": mails.part,
    "text": fields.part,
}


def look(channel: str, content: Mapping[str, Any], *, sender: str = "") -> SafeString:
    """What somebody sees of this rendered content; ``sender`` is the name that it comes from, where it is known."""
    scene = PAINTERS.get(channel, fields.labelled)(channel, content)
    # Switches of several looks on one page are apart from each other by this name.
    context = {"channel": channel, "sender": sender, "key": token_hex(4), **scene.context}
    return render_to_string(scene.template, context)
