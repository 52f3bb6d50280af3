"""WhatsApp through Meta's Cloud API.

Facts: https://developers.facebook.com/docs/whatsapp/cloud-api (reference/messages, support/error-codes, webhooks)
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from channels_app.channels import WHATSAPP, of_adapter
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
from channels_app.json_api import JsonApi, json_object, text_at
from channels_app.limits import Limit

CAPTION = Limit(max_chars=1024)
IMAGES = (".jpg", ".jpeg", ".png")

of_template = partial(Misconfigured, scope=Scope.TEMPLATE)
opted_out = partial(Unreachable, opted_out=True)

CODES: Mapping[str, Meaning] = {
    "130429": Throttled,  # too many messages a second
    "131056": partial(Throttled, retry_after=6.0, scope=Scope.ADDRESS),  # too many to this person
    "4": partial(Throttled, retry_after=60.0),  # too many calls of the app
    "80007": partial(Throttled, retry_after=60.0),  # too many calls of the business account
    "131048": partial(Throttled, retry_after=600.0),  # too many were blocked or marked as spam
    "131057": partial(Throttled, retry_after=60.0),  # the account is being maintained
    "1": Temporary,  # a fault of Meta
    "2": Temporary,  # Meta is down or overloaded
    "131000": Temporary,  # a fault that nobody knows
    "131016": Temporary,  # a service is overloaded
    "131030": Unreachable,  # a test number may write to listed people alone
    "131050": opted_out,  # wants no more marketing from us
    # Not on WhatsApp, or an old app, or terms not agreed to: which is not said, so the address stays.
    "131026": Refused,
    "100": Refused,  # a parameter is wrong
    "131047": Refused,  # free text more than 24 hours after the person's last message
    "131049": Refused,  # Meta holds marketing back from this person
    "130472": Refused,  # the person is part of an experiment of Meta's
    # Templates: unknown, paused, rejected, too long, or with other parameters.
    **dict.fromkeys(map(str, range(132000, 132017)), of_template),
    "0": Misconfigured,  # the token is not taken
    "190": Misconfigured,  # the token has expired
    "10": Misconfigured,  # a permission is missing
    "200": Misconfigured,  # a permission is missing
    "33": Misconfigured,  # our number was deleted
    "368": Misconfigured,  # blocked for a breach of policy
    "131031": Misconfigured,  # the account is locked
    "131042": Misconfigured,  # nobody pays
}
#: One that is not here changes nothing.
OUTCOMES: Mapping[str, tuple[Outcome, ...]] = {
    "sent": (Outcome.SENT,),
    "delivered": (Outcome.DELIVERED,),
    "read": (Outcome.DELIVERED, Outcome.OPENED),
    "failed": (Outcome.UNDELIVERED,),
}
#: Words by which people leave and come back. Unlike with text messages, Meta does not act upon them itself.
WORDS: Mapping[str, Outcome] = {
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"), Outcome.OPTED_OUT),
    **dict.fromkeys(("START", "UNSTOP"), Outcome.OPTED_IN),
}
PREFERENCES = {"stop": Outcome.OPTED_OUT, "resume": Outcome.OPTED_IN}


def verdict(answer: Mapping[str, Any]) -> tuple[str, str]:
    """Code and sentence; a code is a number, and 0 is one, too."""
    detail = text_at(answer, "error", "error_data", "details") or text_at(answer, "error", "message")
    code = text_at(answer, "error", "code")
    return (code or "error") if "error" in answer else "", detail


def sign(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def sample_receipt(config: Mapping[str, Any], provider_id: str) -> Callback:
    """A call of Meta's about a delivered message."""
    status = {
        "id": provider_id,
        "status": "delivered",
        "timestamp": "1790000000",
        "recipient_id": "15005550009",
    }
    body = json.dumps({"entry": [{"changes": [{"value": {"statuses": [status]}}]}]}).encode()
    return Callback(
        headers={"x-hub-signature-256": sign(config["app_secret"], body)}, query={}, body=body, url=""
    )


class MetaWhatsappAdapter(Adapter):
    name = "meta_whatsapp"
    label = _("WhatsApp (Meta Cloud API)")
    channel = WHATSAPP
    # 80 messages in a second, until Meta grants more; one in six seconds to the same person.
    capabilities = Capabilities(
        receipts=True, check=True, timeout=20, rate=80, address_rate=10, template_field="template"
    )
    # The path holds our own number and nothing of the addressee.
    api = JsonApi(verdict=verdict, codes=CODES, statuses={404: Misconfigured})
    specimen = Specimen(
        config={
            "phone_number_id": "106540352242922",
            "access_token": "EAAJB",
            "app_secret": "5" * 32,
            "verify_token": "sesame",
            "version": "v23.0",
        },
        address="+15005550009",
        content={"template": "paid", "language": "en", "params": {"1": "Ann"}},
        answers={"/messages": {"messages": [{"id": "wamid.1"}]}},
        receipt=sample_receipt,
    )

    class Config(forms.Form):
        phone_number_id = forms.CharField(
            validators=[RegexValidator(r"\A[0-9]{1,32}\Z")],
            label=_("Phone number ID"),
            help_text=_("In Meta's console under WhatsApp > API Setup. It is not the number itself."),
        )
        access_token = SecretField(
            label=_("Access token"),
            help_text=_("Of a system user, with the permission whatsapp_business_messaging."),
        )
        app_secret = SecretField(
            label=_("App secret"), help_text=_("Under App settings > Basic. Meta signs receipts with it.")
        )
        verify_token = SecretField(
            label=_("Verify token"),
            help_text=_("A word of your choice. Write the same under WhatsApp > Configuration > Webhook."),
        )
        version = forms.CharField(
            initial="v23.0",
            validators=[RegexValidator(r"\Av[0-9]{1,3}\.[0-9]\Z")],
            label=_("Version of the Graph API"),
        )
        base_url = BaseURLField("https://graph.facebook.com")

    async def send(self, message: Outgoing) -> Sent:
        answer = await self.api.post(
            f"{self._number_url}/messages", body(message), headers=self._headers, guard=self.guard
        )
        messages = answer.data.get("messages")
        first = messages[0] if isinstance(messages, list) and messages else {}
        return Sent(provider_id=text_at(first, "id"), note=text_at(first, "message_status"))

    async def check(self) -> str:
        answer = await self.api.get(
            self._number_url,
            query={"fields": "display_phone_number,verified_name"},
            headers=self._headers,
            guard=self.guard,
        )
        return f"{text_at(answer.data, 'verified_name')}: {text_at(answer.data, 'display_phone_number')}"

    @property
    def _number_url(self) -> str:
        return f"{self.base_url}/{self.config['version']}/{self.config['phone_number_id']}"

    @property
    def _headers(self) -> Mapping[str, str]:
        return {"authorization": f"Bearer {self.config['access_token']}"}

    def receipts(self, callback: Callback) -> Iterable[Receipt]:
        if callback.method == "GET":
            expected, given = self.config["verify_token"], callback.query.get("hub.verify_token", "")
        else:
            expected = sign(self.config["app_secret"], callback.body)
            given = callback.headers.get("x-hub-signature-256", "")
        if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
            raise ForgedCallback("the signature or the verify token does not fit")
        for value in values(json_object(callback.body) or {}):
            yield from reports(value)
            yield from preferences(value)
            yield from answers(value)

    def reply(self, callback: Callback) -> HttpReply:
        """Meta tries the address out before it uses it, and wants its challenge back."""
        return HttpReply(body=callback.query.get("hub.challenge", "ok").encode("utf-8", "replace"))


def body(message: Outgoing) -> dict[str, Any]:
    """The request; raises :class:`Refused`. Our own id comes back with each status."""
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": message.address.value.removeprefix("+"),
        "biz_opaque_callback_data": message.id,
        **content(message),
    }


def content(message: Outgoing) -> dict[str, Any]:
    """A template where one is named, else an image or a document, else a text."""
    written, media = message.content.get("text") or "", message.content.get("media_url") or ""
    name = of_adapter(message.content.get("template") or "", MetaWhatsappAdapter.name)
    if name:
        return {"type": "template", "template": template(message, name, media)}
    if media:
        caption = {"caption": CAPTION.cut(written)} if written else {}
        return {"type": kind_of(media), kind_of(media): {"link": media, **caption}}
    if not written:
        raise Refused("the variant has no text, and no template of Meta", code="content")
    return {"type": "text", "text": {"body": written, "preview_url": False}}


def template(message: Outgoing, name: str, media: str) -> dict[str, Any]:
    language = message.content.get("language") or language_of(message.address.locale)
    if not language:
        raise Refused("the template's language is not known", code="content")
    components = []
    if media:
        header = {"type": kind_of(media), kind_of(media): {"link": media}}
        components.append({"type": "header", "parameters": [header]})
    if parameters := parameters_of(message.content.get("params") or {}):
        components.append({"type": "body", "parameters": parameters})
    return {"name": name, "language": {"code": language}, "components": components}


def parameters_of(params: Any) -> list[dict[str, str]]:
    """By position where the names are numbers or there are none, else by name."""
    if isinstance(params, list):
        return [{"type": "text", "text": str(each)} for each in params]
    if not isinstance(params, dict):
        raise Refused("the values for the template are neither an object nor a list", code="content")
    if all(name.isdecimal() for name in params):
        return [{"type": "text", "text": str(params[name])} for name in sorted(params, key=int)]
    return [{"type": "text", "parameter_name": name, "text": str(each)} for name, each in params.items()]


def language_of(locale: str) -> str:
    """``zh-cn`` as Meta writes it: ``zh_CN``."""
    language, _hyphen, region = locale.replace("_", "-").partition("-")
    return f"{language}_{region.upper()}" if region else language


def kind_of(media: str) -> str:
    return "image" if urlsplit(media).path.lower().endswith(IMAGES) else "document"


def values(call: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The part of each change that says something."""
    for entry in objects(call, "entry"):
        for change in objects(entry, "changes"):
            if isinstance(value := change.get("value"), dict):
                yield value


def objects(holder: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = holder.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def reports(value: Mapping[str, Any]) -> Iterator[Receipt]:
    """What has become of our messages."""
    for status in objects(value, "statuses"):
        word = text_at(status, "status")
        error = next(iter(objects(status, "errors")), {})
        code = text_at(error, "code")
        outcomes = OUTCOMES.get(word, (Outcome.UNKNOWN,))
        for outcome in (*outcomes, Outcome.OPTED_OUT) if CODES.get(code) is opted_out else outcomes:
            yield Receipt(
                provider_id=text_at(status, "id"),
                delivery_id=text_at(status, "biz_opaque_callback_data"),
                outcome=outcome,
                at=moment(status),
                code=code or word,
                reason=text_at(error, "error_data", "details") or text_at(error, "title"),
            )


def preferences(value: Mapping[str, Any]) -> Iterator[Receipt]:
    """Who set in WhatsApp that he or she wants no more marketing from us, or wants it again."""
    for each in objects(value, "user_preferences"):
        word = text_at(each, "value")
        if outcome := PREFERENCES.get(word):
            detail = text_at(each, "detail")
            yield Receipt(
                outcome=outcome, address=number(each, "wa_id"), at=moment(each), code=word, reason=detail
            )


def answers(value: Mapping[str, Any]) -> Iterator[Receipt]:
    """What people wrote to us, or the button that they pressed: STOP and START."""
    for each in objects(value, "messages"):
        word = (text_at(each, "text", "body") or text_at(each, "button", "text")).strip().upper()
        if outcome := WORDS.get(word):
            yield Receipt(
                outcome=outcome,
                address=number(each, "from"),
                at=moment(each),
                code=word,
                event_id=text_at(each, "id"),
            )


def number(holder: Mapping[str, Any], name: str) -> str:
    return "+" + text_at(holder, name).removeprefix("+")


def moment(holder: Mapping[str, Any]) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(text_at(holder, "timestamp")), UTC)
    except (ValueError, OverflowError, OSError):
        return None
