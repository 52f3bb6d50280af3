"""Text messages and WhatsApp through Twilio: its library, over the HTTP session that all adapters share.

Facts: https://www.twilio.com/docs/messaging/api/message-resource, /docs/api/errors, /docs/usage/security
"""

import base64
import json
import logging
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from channels_app import http
from channels_app.channels import SMS, WHATSAPP, of_adapter
from channels_app.codes import Meaning
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
from channels_app.json_api import JsonApi, text_at
from channels_app.limits import Limit

TIMEOUT_S = 15.0
#: Twilio keeps an undelivered message for this many seconds at most.
MAX_VALIDITY_S = 36_000
MOST = Limit(max_chars=1600)
WHATSAPP_PREFIX = "whatsapp:"

of_sender = partial(Misconfigured, scope=Scope.SENDER)
opted_out = partial(Unreachable, opted_out=True)

#: Twilio splits codes up now and then: an unknown one means what its HTTP status means.
CODES: Mapping[str, Meaning] = {
    "21211": Unreachable,  # no such number
    "21217": Unreachable,  # not a valid number
    "21265": Unreachable,  # a short code takes no messages
    "21614": Unreachable,  # not a mobile number
    "21635": Unreachable,  # a landline
    "30005": Unreachable,  # unknown to its carrier
    "30006": Unreachable,  # a landline, or a carrier without messages
    "63003": Unreachable,  # not on WhatsApp
    "63024": Unreachable,  # WhatsApp does not take this recipient
    "21610": opted_out,  # wrote STOP to this sender or Messaging Service
    "20500": Temporary,  # a fault of Twilio
    "30003": Temporary,  # the phone is off or away
    "30008": Temporary,  # the carrier says no more than that it failed
    "30017": Temporary,  # the carrier's network is congested
    "20429": Throttled,  # too many calls at once; this one was not processed
    "14107": partial(Throttled, retry_after=60.0),  # too many messages of this sender
    "21611": partial(Throttled, retry_after=60.0, scope=Scope.SENDER),  # its queue is full
    "30001": partial(Throttled, retry_after=60.0, scope=Scope.SENDER),  # its queue overflowed
    "30022": partial(Throttled, retry_after=60.0, scope=Scope.SENDER),  # the carrier's limit for it
    "63018": partial(Throttled, retry_after=60.0, scope=Scope.SENDER),  # WhatsApp's limit for it
    "21602": Refused,  # no text
    "21617": Refused,  # too long
    "30004": Refused,  # blocked: by the phone, the person or the carrier, and which is not said
    "30007": Refused,  # filtered as spam
    "30019": Refused,  # too large for the carrier
    "63016": Refused,  # free text outside of WhatsApp's 24 hours
    "20003": Misconfigured,  # wrong credentials
    "20005": Misconfigured,  # the account is not active
    "20404": Misconfigured,  # no such account
    "30002": Misconfigured,  # the account is suspended
    "21408": of_sender,  # messages to that country are not enabled
    "21603": of_sender,  # no sender
    "21606": of_sender,  # the sender cannot send this
    "21612": of_sender,  # no way from this sender to that country
    "21659": of_sender,  # the sender is not a number of Twilio
    "21660": of_sender,  # the sender belongs to another account
    "30034": of_sender,  # the sender is not registered for the USA (A2P 10DLC)
}
#: One that is not here, such as ``queued``, changes nothing.
OUTCOMES: Mapping[str, tuple[Outcome, ...]] = {
    "sent": (Outcome.SENT,),
    "delivered": (Outcome.DELIVERED,),
    "read": (Outcome.DELIVERED, Outcome.OPENED),
    "undelivered": (Outcome.UNDELIVERED,),
    "failed": (Outcome.UNDELIVERED,),
    "canceled": (Outcome.UNDELIVERED,),
}
#: Words that Twilio itself acts upon when somebody answers with them.
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})


def verdict(answer: Mapping[str, Any]) -> tuple[str, str]:
    """Code and sentence; only errors have a ``code``."""
    return text_at(answer, "code"), text_at(answer, "message") or text_at(answer, "detail")


# The path holds the account and nothing of the addressee.
API = JsonApi(verdict=verdict, codes=CODES, statuses={404: Misconfigured})


class Transport(AsyncHttpClient):
    """Carries the library's requests, and judges the answers while their headers are at hand."""

    def __init__(self, *, base_url: str, guard: bool) -> None:
        super().__init__(logging.getLogger(__name__), is_async=True)
        self._base_url = base_url
        self._guard = guard

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        **_options: Any,
    ) -> Response:
        """Raises a ``ChannelError`` for everything that is no success."""
        sent = dict(headers or {})
        if auth:
            sent["Authorization"] = f"Basic {base64.b64encode(':'.join(auth).encode()).decode()}"
        query = f"?{urlencode(params)}" if params else ""
        reply = await http.call(
            method,
            f"{self._base_url}{urlsplit(url).path}{query}",
            headers=sent,
            body=urlencode(data, doseq=True).encode() if data else None,
            timeout=TIMEOUT_S,
            guard=self._guard,
        )
        API.judge(reply)
        return Response(reply.status, reply.body.decode(), reply.headers)


def sample_receipt(config: Mapping[str, Any], provider_id: str) -> Callback:
    """A call of Twilio's about a delivered message."""
    form = {"MessageSid": provider_id, "MessageStatus": "delivered", "AccountSid": config["account_sid"]}
    url = "https://push.example.com/callbacks/a/t"
    signature = RequestValidator(config["auth_token"]).compute_signature(url, form)
    return Callback(
        headers={"x-twilio-signature": signature}, query={}, body=urlencode(form).encode(), url=url
    )


CONFIG = {
    "account_sid": "AC" + "0" * 32,
    "auth_token": "3" * 32,
    "sender": "+15005550006",
    "key_sid": "",
    "key_secret": "",
}
SENDER = r"\+[0-9]{6,15}|MG[0-9a-fA-F]{32}"


class Twilio(Adapter):
    """What both channels have in common; ``_content`` is what they differ in."""

    capabilities = Capabilities(receipts=True, check=True, timeout=TIMEOUT_S + 5)
    #: Before telephone numbers, where it is not a telephone's network that delivers.
    prefix = ""

    class Config(forms.Form):
        account_sid = forms.CharField(
            validators=[RegexValidator(r"\AAC[0-9a-fA-F]{32}\Z", _("It begins with AC."))],
            label=_("Account SID"),
            help_text=_("On the first page of Twilio's console, under Account Info."),
        )
        auth_token = SecretField(
            label=_("Auth token"), help_text=_("Beside it. Twilio signs its calls to us with it.")
        )
        key_sid = forms.CharField(
            required=False,
            validators=[RegexValidator(r"\ASK[0-9a-fA-F]{32}\Z", _("It begins with SK."))],
            label=_("SID of an API key"),
            help_text=_("Under Account > API keys & tokens. Without one, the auth token opens the account."),
        )
        key_secret = SecretField(required=False, label=_("Secret of the API key"))
        sender = forms.CharField(
            validators=[RegexValidator(rf"\A(?:{SENDER}|[0-9]{{3,8}}|[A-Za-z0-9 ]{{1,11}})\Z")],
            label=_("Sender"),
            help_text=_(
                "A number such as +15005550006, a short code, a name, or the SID of a Messaging Service."
            ),
        )
        base_url = BaseURLField("https://api.twilio.com")

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean() or {}
            if not self.errors and bool(cleaned.get("key_sid")) != bool(cleaned.get("key_secret")):
                self.add_error("key_secret", ValidationError(_("An API key has a SID and a secret.")))
            return cleaned

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._client = Client(
            config.get("key_sid") or config["account_sid"],
            config.get("key_secret") or config["auth_token"],
            config["account_sid"],
            http_client=Transport(base_url=self.base_url, guard=self.guard),
        )

    @abstractmethod
    def _content(self, message: Outgoing) -> dict[str, Any]:
        """The part of the request that differs; raises :class:`Refused`."""

    async def send(self, message: Outgoing) -> Sent:
        created = await self._client.messages.create_async(
            to=self.prefix + message.address.value,
            **self._sender(),
            **self._content(message),
            **self._options(message),
        )
        return Sent(provider_id=created.sid or "", note=f"{created.status}, {created.num_segments} segments")

    def _sender(self) -> dict[str, str]:
        sender = self.config["sender"]
        if sender.startswith("MG"):
            return {"messaging_service_sid": sender}
        return {"from_": self.prefix + sender}

    def _options(self, message: Outgoing) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if message.callback_url:  # with our own id, for receipts that overtake the answer
            options["status_callback"] = f"{message.callback_url}?{urlencode({'delivery': message.id})}"
        if message.expires_at:
            left = int((message.expires_at - datetime.now(UTC)).total_seconds())
            options["validity_period"] = min(max(left, 1), MAX_VALIDITY_S)
        return options

    async def check(self) -> str:
        account = await self._client.api.v2010.accounts(self.config["account_sid"]).fetch_async()
        return f"{account.friendly_name}: {account.status}"

    def receipts(self, callback: Callback) -> Iterable[Receipt]:
        form = dict(parse_qsl(callback.body.decode("utf-8", "replace"), keep_blank_values=True))
        signature = callback.headers.get("x-twilio-signature", "")
        if not RequestValidator(self.config["auth_token"]).validate(callback.url, form, signature):
            raise ForgedCallback("the signature does not fit")
        if "MessageStatus" in form:
            return reports(form, delivery_id=callback.query.get("delivery", ""))
        return answers(form)

    def reply(self, callback: Callback) -> HttpReply:
        """An empty TwiML: any other text would go out as our answer to what somebody wrote."""
        return HttpReply(body=b"<Response/>", content_type="text/xml")


def reports(form: Mapping[str, str], *, delivery_id: str) -> list[Receipt]:
    """What has become of a message. Twilio says nothing of its first status, and keeps to no order."""
    status, code = form.get("MessageStatus", ""), form.get("ErrorCode", "")
    outcomes = OUTCOMES.get(status, (Outcome.UNKNOWN,))
    if CODES.get(code) is opted_out:
        outcomes += (Outcome.OPTED_OUT,)
    elif CODES.get(code) is Unreachable:
        outcomes += (Outcome.UNREACHABLE,)
    return [
        Receipt(
            provider_id=form.get("MessageSid", ""),
            delivery_id=delivery_id,
            outcome=outcome,
            code=code or status,
            reason=form.get("ChannelStatusMessage", "") or form.get("ErrorMessage", ""),
        )
        for outcome in outcomes
    ]


def answers(form: Mapping[str, str]) -> list[Receipt]:
    """What somebody wrote to us: STOP and START, or a word that stands for them in Twilio's settings."""
    word = (form.get("OptOutType") or form.get("Body", "")).strip().upper()
    outcome = Outcome.OPTED_OUT if word in STOP_WORDS else Outcome.OPTED_IN if word in START_WORDS else None
    sender = form.get("From", "").removeprefix(WHATSAPP_PREFIX)
    if outcome is None or not sender:
        return []
    return [Receipt(outcome=outcome, address=sender, code=word, event_id=form.get("MessageSid", ""))]


def template(message: Outgoing, name: str) -> dict[str, str]:
    """The request for a template of Twilio's, with its variables by name or in their order; empty for no template.

    Names of other providers' templates are none of ours: where only those are given, a text may be, too.
    """
    if not name.startswith("HX"):
        return {}
    params = message.content.get("params") or {}
    if isinstance(params, list):
        params = dict(enumerate(params, start=1))
    if not isinstance(params, dict):
        raise Refused("the values for the template are neither an object nor a list", code="content")
    variables = {str(key): str(value) for key, value in params.items()}
    return {"content_sid": name, "content_variables": json.dumps(variables, ensure_ascii=False)}


def text(message: Outgoing) -> dict[str, str]:
    """The request for a text, cut where another provider would have taken more; raises :class:`Refused`."""
    written = message.content.get("text")
    if not written:
        raise Refused("the variant has no text, and no template of Twilio", code="content")
    return {"body": MOST.cut(written)}


class TwilioAdapter(Twilio):
    name = "twilio"
    label = _("Twilio")
    channel = SMS
    specimen = Specimen(
        config=CONFIG,
        address="+15005550009",
        content={"text": "Paid."},
        answers={"/Messages.json": {"sid": "SM1", "status": "queued", "num_segments": "1"}},
        receipt=sample_receipt,
    )

    def _content(self, message: Outgoing) -> dict[str, Any]:
        name = of_adapter(message.content.get("template_code") or "", self.name)
        return template(message, name) or text(message)


class TwilioWhatsappAdapter(Twilio):
    name = "twilio_whatsapp"
    label = _("WhatsApp through Twilio")
    channel = WHATSAPP
    capabilities = replace(Twilio.capabilities, template_field="template")
    prefix = WHATSAPP_PREFIX
    specimen = Specimen(
        config=CONFIG,
        address="+15005550009",
        content={"template": "HX" + "0" * 32, "params": {"1": "Ann"}},
        answers={"/Messages.json": {"sid": "SM1", "status": "queued", "num_segments": "1"}},
        receipt=sample_receipt,
    )

    class Config(Twilio.Config):
        sender = forms.CharField(
            validators=[RegexValidator(rf"\A(?:{SENDER})\Z")],
            label=_("Sender"),
            help_text=_("The number of the WhatsApp sender, or the SID of a Messaging Service."),
        )

    def _content(self, message: Outgoing) -> dict[str, Any]:
        name, media = message.content.get("template") or "", message.content.get("media_url")
        attached = {"media_url": [media]} if media else {}
        return template(message, of_adapter(name, self.name)) or {**text(message), **attached}
