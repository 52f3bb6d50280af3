"""Template and subscription messages of a WeChat Official Account, to its followers.

The token is the stable one: whoever asks within its life gets the same. What became of a message comes as an event,
signed, and in safe mode encrypted, too.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from channels_app.channels import WECHAT
from channels_app.china import throttled_until
from channels_app.codes import STALE_TOKEN, Meaning, with_token
from channels_app.contract import (
    Adapter,
    BaseURLField,
    Callback,
    Capabilities,
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
from channels_app.weixin import (
    Envelope,
    encoding_aes_key,
    encrypted_in,
    event_in,
    same,
    signature,
    speaks,
    to_xml,
    verdict,
)

of_template = partial(Misconfigured, scope=Scope.TEMPLATE)

#: https://developers.weixin.qq.com/doc/service/guide/dev/api/errcode.html
CODES: Mapping[str, Meaning] = {
    "-1": Temporary,  # busy
    "40003": Unreachable,  # no such openid
    "43004": Unreachable,  # the person does not follow the account
    "50005": Unreachable,  # the person does not follow the account
    # Refused for one template only, or subscribed once and used up: other templates still reach the person.
    "43101": Refused,
    "43019": partial(Unreachable, opted_out=True),  # the person has blocked the account
    "48002": partial(Unreachable, opted_out=True),  # the person takes no messages of the account
    "45009": throttled_until(0),  # the quota of the day is used up
    "45011": partial(Throttled, retry_after=60),  # too many in this minute
    "43108": partial(Throttled, retry_after=5, scope=Scope.ADDRESS),  # another is on its way to this person
    "40001": STALE_TOKEN,
    "40014": STALE_TOKEN,
    "42001": STALE_TOKEN,
    "40013": Misconfigured,  # no such AppID
    "40125": Misconfigured,  # a wrong AppSecret
    "40164": Misconfigured,  # our IP address is not on the list
    "48001": Misconfigured,  # the account has no right to this interface
    "48004": Misconfigured,  # the interface was taken away from the account
    "50001": Misconfigured,
    "50002": Misconfigured,  # the account is restricted
    "40037": of_template,  # no such template
    "41030": of_template,  # no such page in the mini program
    "47003": Refused,  # a keyword is missing or has a wrong form; the sentence names it
    "45002": Refused,  # too long
    "47001": Refused,  # not readable as JSON
}
TEMPLATE, SUBSCRIPTION = "/cgi-bin/message/template/send", "/cgi-bin/message/subscribe/bizsend"
#: Events about what people want, and what a receipt calls it.
WISHES = {"subscribe": Outcome.OPTED_IN, "unsubscribe": Outcome.OPTED_OUT}


def sample_event(config: Mapping[str, Any], provider_id: str) -> Callback:
    event = {
        "ToUserName": "gh_1",
        "FromUserName": "oABC-d_1",
        "CreateTime": "1764057600",
        "MsgType": "event",
        "Event": "TEMPLATESENDJOBFINISH",
        "MsgID": provider_id,
        "Status": "success",
    }
    envelope = Envelope(token=config["token"], aes_key=config["aes_key"], receiver=config["appid"])
    query, encrypted = envelope.seal(to_xml(event), timestamp="1764057600", nonce="n-1")
    plain = signature(config["token"], "1764057600", "n-1")
    return Callback(
        headers={},
        query={**query, "signature": plain, "encrypt_type": "aes"},
        body=to_xml({"ToUserName": "gh_1", "Encrypt": encrypted}).encode(),
        url="",
    )


class WechatOfficialAdapter(Adapter):
    name = "wechat_official"
    label = _("WeChat Official Account")
    channel = WECHAT
    capabilities = Capabilities(receipts=True, check=True, template_field="template_id", only_templates=True)
    api = JsonApi(
        verdict=verdict,
        speaks=speaks,
        codes=CODES,
        statuses={404: Misconfigured, 410: Misconfigured},
        timeout=10,
    )
    specimen = Specimen(
        config={"appid": "wx1", "secret": "s-1", "token": "t-1", "aes_key": "a" * 43},
        address="oABC-d_1",
        content={"kind": "template", "template_id": "T-1", "data": {"thing1": "Book"}},
        answers={
            "stable_token": {"access_token": "token-1", "expires_in": 7200},
            "": {"errcode": 0, "errmsg": "ok", "msgid": 200228332},
        },
        refusal={"errcode": 47003, "errmsg": "argument invalid! data.thing1.value invalid"},
        receipt=sample_event,
    )

    class Config(forms.Form):
        appid = forms.CharField(
            max_length=60,
            label=_("AppID"),
            help_text=_("In the console of the account, under Settings and development > Basic settings."),
        )
        secret = SecretField(
            label=_("AppSecret"),
            help_text=_(
                "On the same page. The address of this server has to be on its list of IP addresses."
            ),
        )
        token = SecretField(
            required=False,
            label=_("Token for events"),
            help_text=_(
                "On the same page, under Server settings: the token that you chose there. For receipts."
            ),
        )
        aes_key = SecretField(
            required=False,
            validators=[encoding_aes_key],
            label=_("EncodingAESKey"),
            help_text=_("On the same page, for the safe mode. Where it is set, plain events are not taken."),
        )
        base_url = BaseURLField("https://api.weixin.qq.com")

    async def send(self, message: Outgoing) -> Sent:
        path, body = _request(message)
        return await with_token(self.tokens, "access", self._fetch, partial(self._send, path, body))

    async def _fetch(self) -> Token:
        answer = await self.api.post(
            f"{self.base_url}/cgi-bin/stable_token",
            {
                "grant_type": "client_credential",
                "appid": self.config["appid"],
                "secret": self.config["secret"],
                "force_refresh": False,
            },
            guard=self.guard,
        )
        return token_in(answer, "access_token", "expires_in")

    async def _send(self, path: str, body: Mapping[str, Any], token: str) -> Sent:
        answer = await self.api.post(
            self.base_url + path, body, query={"access_token": token}, guard=self.guard
        )
        return Sent(provider_id=text_at(answer.data, "msgid"))

    async def check(self) -> str:
        await self._fetch()
        return str(_("WeChat gives a token for this AppID."))

    def receipts(self, callback: Callback) -> Iterable[Receipt]:
        xml = self._opened(callback)
        if callback.method == "GET":
            return
        event = event_in(xml)
        yield from _receipts(event)

    def _opened(self, callback: Callback) -> str | bytes:
        query, token = callback.query, self.config.get("token") or ""
        expected = signature(token, query.get("timestamp", ""), query.get("nonce", ""))
        if not token or not same(expected, query.get("signature", "")):
            raise ForgedCallback("the signature does not fit")
        if callback.method == "GET" or not self.config.get("aes_key"):
            return callback.body
        # The plain signature does not cover the body, so that only the encrypted part can be believed.
        envelope = Envelope(token=token, aes_key=self.config["aes_key"], receiver=self.config["appid"])
        return envelope.open(query, encrypted_in(callback.body))

    def reply(self, callback: Callback) -> HttpReply:
        challenge = callback.query.get("echostr", "") if callback.method == "GET" else ""
        return HttpReply(body=challenge.encode() or b"success")


def _request(message: Outgoing) -> tuple[str, dict[str, Any]]:
    content = message.content
    keywords = content.get("data")
    if not isinstance(keywords, dict):
        raise Refused("the keywords have to be a JSON object", code="content")
    body: dict[str, Any] = {
        "touser": message.address.value,
        "template_id": content.get("template_id") or "",
        "data": {name: _keyword(value) for name, value in keywords.items()},
    }
    if content.get("miniprogram_appid"):
        page = content.get("miniprogram_path") or ""
        body["miniprogram"] = {"appid": content["miniprogram_appid"], "pagepath": page}
    if content.get("kind") == "subscription":
        return SUBSCRIPTION, body | ({"page": content["url"]} if content.get("url") else {})
    # WeChat sends one message for an id and a person within ten minutes.
    body["client_msg_id"] = message.id
    return TEMPLATE, body | ({"url": content["url"]} if content.get("url") else {})


def _keyword(value: Any) -> dict[str, Any]:
    if isinstance(value, dict) and "value" in value:
        return value
    return {"value": value if isinstance(value, str) else str(value)}


def _receipts(event: Mapping[str, Any]) -> Iterable[Receipt]:
    kind = text_at(event, "Event").lower()
    if kind == "templatesendjobfinish":
        yield from _finished(event)
    elif kind.startswith("subscribe_msg_"):
        yield from _subscription(event)
    elif kind in WISHES:
        yield Receipt(
            address=text_at(event, "FromUserName"),
            outcome=WISHES[kind],
            at=_moment(event),
            code=kind,
            event_id=_event_id(event, kind),
        )


def _finished(event: Mapping[str, Any]) -> Iterable[Receipt]:
    status, message_id = text_at(event, "Status"), text_at(event, "MsgID")
    yield Receipt(
        provider_id=message_id,
        outcome=Outcome.DELIVERED if status == "success" else Outcome.UNDELIVERED,
        at=_moment(event),
        code=status,
        event_id=_event_id(event, message_id),
    )
    if "block" in status:  # "failed:user block"
        yield Receipt(
            address=text_at(event, "FromUserName"),
            outcome=Outcome.OPTED_OUT,
            at=_moment(event),
            code=status,
            event_id=_event_id(event, message_id, "opted_out"),
        )


def _subscription(event: Mapping[str, Any]) -> Iterable[Receipt]:
    """What people chose for single templates, which closes no address; and how sending to a subscription ended."""
    for each in _listed(event):
        template, message_id = text_at(each, "TemplateId"), text_at(each, "MsgID")
        if message_id:
            code = text_at(each, "ErrorCode")
            yield Receipt(
                provider_id=message_id,
                outcome=Outcome.DELIVERED if code == "0" else Outcome.UNDELIVERED,
                at=_moment(event),
                code=code,
                reason=text_at(each, "ErrorStatus"),
                event_id=_event_id(event, message_id),
            )
        else:
            choice = text_at(each, "SubscribeStatusString")
            yield Receipt(
                address=text_at(event, "FromUserName"),
                outcome=Outcome.UNKNOWN,
                at=_moment(event),
                code=choice,
                reason=f"template {template}",
                event_id=_event_id(event, template, choice),
            )


def _listed(event: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The entries of ``SubscribeMsgSentEvent/List`` and its sisters: one or several."""
    found: list[Mapping[str, Any]] = []
    for value in event.values():
        entries = value.get("List") if isinstance(value, dict) else None
        several = entries if isinstance(entries, list) else [entries]
        found.extend(each for each in several if isinstance(each, dict))
    return found


def _moment(event: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(text_at(event, "CreateTime")), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _event_id(event: Mapping[str, Any], *rest: str) -> str:
    """WeChat repeats an event up to three times; a person, a moment and what it is about make it out."""
    return ":".join((text_at(event, "FromUserName"), text_at(event, "CreateTime"), *rest))
