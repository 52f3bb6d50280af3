"""Messages of an app in WeCom, to members of the enterprise.

A success can hold failures: the members that could not be reached are listed, in lower case. What goes beyond 30 a
minute to one member is dropped without a word.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from channels_app.bulk import Results, only, send_alike
from channels_app.channels import WECOM, group_of
from channels_app.chat_text import cut, markdown, own_message, part, plain
from channels_app.codes import STALE_TOKEN, Meaning, with_token
from channels_app.contract import (
    Adapter,
    Address,
    BaseURLField,
    Callback,
    Capabilities,
    ChannelError,
    ForgedCallback,
    HttpReply,
    Misconfigured,
    Outcome,
    Outgoing,
    Receipt,
    Refused,
    Scope,
    SecretField,
    Sent,
    Specimen,
    Temporary,
    Throttled,
    Unreachable,
)
from channels_app.json_api import JsonApi, text_at, token_in
from channels_app.tokens import Token
from channels_app.wecom import heading
from channels_app.weixin import (
    Envelope,
    encoding_aes_key,
    encrypted_in,
    event_in,
    speaks,
    to_xml,
    verdict,
)

#: In bytes of UTF-8 (text, Markdown) and in characters (cards).
TEXT_BYTES, MARKDOWN_BYTES = 2048, 2048
CARD_TITLE, CARD_TEXT, CARD_BUTTON = 128, 512, 4
BATCH = 1000
#: Of letters, digits and a few signs: anything else, such as @all or a|b, would reach other people.
MEMBER = re.compile(r"[A-Za-z0-9][\w.@-]{0,63}", re.ASCII)
FOLLOWING = {"subscribe": Outcome.OPTED_IN, "unsubscribe": Outcome.OPTED_OUT}

#: https://developer.work.weixin.qq.com/document/path/90313
CODES: Mapping[str, Meaning] = {
    "-1": Temporary,  # busy
    "81013": Unreachable,  # none of them is a member whom the app may see
    "82001": Unreachable,
    "60111": Unreachable,  # no such member
    "40003": Unreachable,  # no such member
    "40031": Unreachable,  # a list of members that is none
    "45009": partial(Throttled, retry_after=60),  # too many calls
    "45033": partial(Throttled, retry_after=5),  # too many calls at once
    "40014": STALE_TOKEN,
    "42001": STALE_TOKEN,
    "40001": Misconfigured,  # a wrong secret
    "40013": Misconfigured,  # no such corpid
    "40056": Misconfigured,  # no such agentid
    "48002": Misconfigured,  # no right to this interface
    "60011": Misconfigured,  # no right to this member, department or app
    "60020": Misconfigured,  # our IP address is not on the list
    "301002": Misconfigured,  # no right to this app
    "40008": Refused,  # no such type of message
    "40058": Refused,  # a field is wrong
    "44004": Refused,  # nothing in it
    "45002": Refused,  # too long
}
not_licensed = partial(Misconfigured, code="unlicenseduser", scope=Scope.ADDRESS)


def sample_event(config: Mapping[str, Any], provider_id: str) -> Callback:
    event = {
        "ToUserName": config["corpid"],
        "FromUserName": "zhangsan",
        "CreateTime": "1764057600",
        "MsgType": "event",
        "Event": "template_card_event",
        "EventKey": "confirm",
        "TaskId": provider_id,
        "AgentID": "1000002",
    }
    envelope = Envelope(token=config["token"], aes_key=config["aes_key"], receiver=config["corpid"])
    query, encrypted = envelope.seal(to_xml(event), timestamp="1764057600", nonce="n-1")
    body = to_xml({"ToUserName": config["corpid"], "Encrypt": encrypted})
    return Callback(headers={}, query=query, body=body.encode(), url="")


class WecomAppAdapter(Adapter):
    name = "wecom_app"
    label = _("WeCom app")
    channel = WECOM
    # More than 30 messages in a minute to one member are dropped without a word.
    capabilities = Capabilities(receipts=True, check=True, batch_size=BATCH, address_rate=30)
    api = JsonApi(
        verdict=verdict,
        speaks=speaks,
        codes=CODES,
        statuses={404: Misconfigured, 410: Misconfigured},
        timeout=10,
    )
    specimen = Specimen(
        config={
            "corpid": "ww1",
            "secret": "s-1",
            "agentid": 1000002,
            "token": "t-1",
            "aes_key": "a" * 43,
            "duplicate_window_s": 300,
        },
        address="zhangsan",
        content={"format": "text", "title": "Paid", "text": "Order 7 is paid."},
        answers={
            "gettoken": {"errcode": 0, "errmsg": "ok", "access_token": "token-1", "expires_in": 7200},
            "": {"errcode": 0, "errmsg": "ok", "msgid": "m-1"},
        },
        refusal={"errcode": 44004, "errmsg": "text content is empty"},
        receipt=sample_event,
    )

    class Config(forms.Form):
        corpid = forms.CharField(
            max_length=60,
            label=_("Corp ID"),
            help_text=_("In the admin console of WeCom, at the end of the page My Company."),
        )
        agentid = forms.IntegerField(
            min_value=0, label=_("AgentId"), help_text=_("Under App Management, on the page of the app.")
        )
        secret = SecretField(
            label=_("Secret"),
            help_text=_(
                "On the same page. The address of this server has to be among its trusted IP addresses."
            ),
        )
        duplicate_window_s = forms.IntegerField(
            min_value=0,
            max_value=14_400,
            initial=300,
            label=_("Drop duplicates within"),
            help_text=_(
                "Seconds within which WeCom drops a message that is the same in every letter, so that a repeated "
                "attempt reaches nobody twice. 0 switches it off."
            ),
        )
        token = SecretField(
            required=False,
            label=_("Token for events"),
            help_text=_("On the page of the app, under Receive messages > API. For clicks on cards."),
        )
        aes_key = SecretField(
            required=False,
            validators=[encoding_aes_key],
            label=_("EncodingAESKey"),
            help_text=_("On the same page as the token; both are needed."),
        )
        base_url = BaseURLField("https://qyapi.weixin.qq.com")

    def takes(self, address: Address) -> bool:
        return not group_of(address)

    async def send(self, message: Outgoing) -> Sent:
        return only(await self.send_many([message]))

    async def send_many(self, messages: Sequence[Outgoing]) -> list[Sent | ChannelError]:
        return await send_alike(messages, alike=_kind, size=BATCH, call=self._call)

    async def _call(self, group: Sequence[Outgoing]) -> Results:
        if not all(MEMBER.fullmatch(each.address.value) for each in group):
            raise Unreachable("this is no id of a member", code="malformed")
        body = {**self._body(group[0]), "touser": "|".join(each.address.value for each in group)}
        return await with_token(self.tokens, "access", self._fetch, partial(self._send, group, body))

    def _body(self, message: Outgoing) -> dict[str, Any]:
        window = self.config.get("duplicate_window_s") or 0
        body: dict[str, Any] = {**_message(message), "agentid": self.config["agentid"]}
        if window:
            body |= {"enable_duplicate_check": 1, "duplicate_check_interval": window}
        return body

    async def _fetch(self) -> Token:
        answer = await self.api.get(
            f"{self.base_url}/cgi-bin/gettoken",
            query={"corpid": self.config["corpid"], "corpsecret": self.config["secret"]},
            guard=self.guard,
        )
        return token_in(answer, "access_token", "expires_in")

    async def _send(self, group: Sequence[Outgoing], body: Mapping[str, Any], token: str) -> Results:
        answer = await self.api.post(
            f"{self.base_url}/cgi-bin/message/send", body, query={"access_token": token}, guard=self.guard
        )
        invalid, unlicensed = _members(answer.data, "invaliduser"), _members(answer.data, "unlicenseduser")
        return [_result(each, answer.data, invalid, unlicensed) for each in group]

    async def check(self) -> str:
        await self._fetch()
        return str(_("WeCom gives a token for this app."))

    @property
    def _envelope(self) -> Envelope:
        token, aes_key = self.config.get("token"), self.config.get("aes_key")
        if not token or not aes_key:
            raise ForgedCallback("this account takes no events: token and EncodingAESKey are not set")
        return Envelope(token=token, aes_key=aes_key, receiver=self.config["corpid"])

    def receipts(self, callback: Callback) -> Iterable[Receipt]:
        if callback.method == "GET":
            self._challenge(callback)
            return
        event = event_in(self._envelope.open(callback.query, encrypted_in(callback.body)))
        yield from _receipts(event)

    def reply(self, callback: Callback) -> HttpReply:
        try:
            return HttpReply(body=self._challenge(callback).encode())
        except ForgedCallback:
            return HttpReply(status=401)

    def _challenge(self, callback: Callback) -> str:
        """What the console wants to read back; empty where it is an event."""
        if callback.method != "GET":
            return ""
        return self._envelope.open(callback.query, callback.query.get("echostr", ""))


def _kind(message: Outgoing) -> str:
    own = message.content.get("payload") and message.id  # may hold an id that is the delivery's alone
    return json.dumps([dict(message.content), own], sort_keys=True, default=str)


def _members(answer: Mapping[str, Any], name: str) -> set[str]:
    return {each for each in text_at(answer, name).lower().split("|") if each}


def _result(
    message: Outgoing, answer: Mapping[str, Any], invalid: set[str], unlicensed: set[str]
) -> Sent | ChannelError:
    member = message.address.value.lower()
    if member in invalid:
        return Unreachable("no such member, or none whom the app may see", code="invaliduser")
    if member in unlicensed:
        return not_licensed("the member has no licence for this interface")
    return Sent(provider_id=text_at(answer, "msgid"))


def _message(message: Outgoing) -> dict[str, Any]:
    content = message.content
    own = own_message(content)
    if own is not None:
        return _with_task(own, message.id)
    if content.get("format") == "card" and content.get("link"):
        return {"msgtype": "textcard", "textcard": _card(content)}
    if content.get("format") in {"card", "markdown"}:
        text = markdown(content, max_bytes=MARKDOWN_BYTES, title=heading(content))
        return {"msgtype": "markdown", "markdown": {"content": text}}
    return {"msgtype": "text", "text": {"content": plain(content, max_bytes=TEXT_BYTES)}}


def _with_task(own: dict[str, Any], message_id: str) -> dict[str, Any]:
    """A card with buttons is known by its task: clicks then find their way to the delivery."""
    card = own.get("template_card")
    if isinstance(card, dict):
        return {**own, "template_card": {"task_id": message_id, **card}}
    return own


def _card(content: Mapping[str, Any]) -> dict[str, str]:
    card = {
        "title": cut(part(content, "title"), max_chars=CARD_TITLE),
        "description": cut(part(content, "text"), max_chars=CARD_TEXT),
        "url": part(content, "link"),
    }
    label = part(content, "link_label")
    return card | ({"btntxt": cut(label, max_chars=CARD_BUTTON)} if label else {})


def _receipts(event: Mapping[str, Any]) -> Iterable[Receipt]:
    kind, member = text_at(event, "Event"), text_at(event, "FromUserName")
    event_id = f"{member}:{text_at(event, 'CreateTime')}:{kind}:{text_at(event, 'TaskId')}"
    if kind == "template_card_event":
        task = text_at(event, "TaskId")
        yield Receipt(
            delivery_id=task,
            outcome=Outcome.CLICKED,
            code=text_at(event, "EventKey"),
            event_id=event_id,
        )
    elif kind in FOLLOWING:
        yield Receipt(address=member, outcome=FOLLOWING[kind], code=kind, event_id=event_id)
