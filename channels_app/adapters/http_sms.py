"""Text messages through any gateway that is called over HTTP, as its documentation says and the account repeats.

The body is written as JSON, and placeholders stand inside its texts: so nothing that a message holds can change
what the request is. The same object is sent as a form where the gateway wants one.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from channels_app import http
from channels_app.channels import SMS, http_url
from channels_app.codes import Meaning, error_for
from channels_app.contract import (
    Adapter,
    Capabilities,
    Misconfigured,
    Outgoing,
    Refused,
    Scope,
    SecretField,
    Sent,
    Specimen,
    Temporary,
    Throttled,
    Unreachable,
)
from channels_app.json_api import to_json

PLACEHOLDER = re.compile(r"\{(\w+)\}")
HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n]*)")
#: How the account's table of errors names what a code means.
MEANINGS: Mapping[str, Meaning] = {
    "unreachable": Unreachable,
    "opted_out": partial(Unreachable, opted_out=True),
    "refused": Refused,
    "throttled": Throttled,
    "temporary": Temporary,
    "misconfigured": Misconfigured,
    "sender": partial(Misconfigured, scope=Scope.SENDER),
    "template": partial(Misconfigured, scope=Scope.TEMPLATE),
}
ROW = re.compile(rf"(?P<code>[^=]+?)\s*=\s*(?P<meaning>{'|'.join(MEANINGS)})(?:\s+(?P<seconds>\d{{1,5}}))?")
METHODS = [(name, name) for name in ("POST", "GET", "PUT")]
FORMATS = [("json", _("JSON")), ("form", _("Form")), ("none", _("No body"))]
CONTENT_TYPES = {"json": "application/json; charset=utf-8", "form": "application/x-www-form-urlencoded"}
#: The path holds what the operator wrote, so that a wrong one is the account's.
STATUSES: Mapping[int, Meaning] = dict.fromkeys((404, 410), Misconfigured)

Values = Mapping[str, str]


def values(message: Outgoing, config: Mapping[str, Any]) -> Values:
    """What the placeholders stand for."""
    content, to = message.content, message.address.value
    username, secret = config.get("username") or "", config.get("secret") or ""
    return {
        "to": to,
        "digits": to.removeprefix("+"),
        "national": national(to),
        "text": str(content.get("text") or ""),
        "template_code": str(content.get("template_code") or ""),
        "params": json.dumps(content.get("params") or {}, ensure_ascii=False),
        "signature": str(content.get("signature") or ""),
        "sender": config.get("sender") or "",
        "username": username,
        "secret": secret,
        "basic": base64.b64encode(f"{username}:{secret}".encode()).decode(),
        "id": message.id,
        "callback_url": message.callback_url,
        "timestamp": str(int(datetime.now(UTC).timestamp())),
    }


NAMES = frozenset(
    {"to", "digits", "national", "text", "template_code", "params", "signature", "sender", "username"}
    | {"secret", "basic", "id", "callback_url", "timestamp"}
)


def national(number: str) -> str:
    """The number as it is dialled within its country, as gateways of one country want it."""
    try:
        return str(phonenumbers.parse(number).national_number)
    except phonenumbers.NumberParseException:
        return number


def filled(template: Any, known: Values, *, written: Callable[[str], str] = str) -> Any:
    """The template with its placeholders filled, in one pass: what a value holds is never a placeholder."""
    if isinstance(template, dict):
        return {name: filled(each, known) for name, each in template.items()}
    if isinstance(template, list):
        return [filled(each, known) for each in template]
    if isinstance(template, str):
        return PLACEHOLDER.sub(lambda found: written(known.get(found[1], found[0])), template)
    return template


def at(value: Any, path: str) -> str:
    """The text at a path such as ``data.0.id``; empty where there is none."""
    for key in path.split("."):
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def table(text: str) -> dict[str, Meaning]:
    """The account's table of errors; raises ``ValueError`` with the line that cannot be read."""
    found: dict[str, Meaning] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        row = ROW.fullmatch(line)
        if row is None or (row["seconds"] and row["meaning"] != "throttled"):
            raise ValueError(line)
        meaning = MEANINGS[row["meaning"]]
        found[row["code"]] = (
            partial(meaning, retry_after=float(row["seconds"])) if row["seconds"] else meaning
        )
    return found


def headers_in(text: str) -> dict[str, str]:
    """``Name: value`` on each line; raises ``ValueError`` with the line that cannot be read."""
    found = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        row = HEADER.fullmatch(line)
        if row is None:
            raise ValueError(line)
        found[row[1].lower()] = row[2]
    return found


def valid(reads: Callable[[str], Any], sentence: Any) -> Callable[[str], None]:
    """A form validator: can this be read, and are its placeholders known?"""

    def validator(value: str) -> None:
        try:
            reads(value)
        except ValueError as error:
            raise ValidationError(sentence, params={"line": str(error)[:200]}) from None
        if unknown := set(PLACEHOLDER.findall(value)) - NAMES:
            raise ValidationError(_("There is no placeholder {%(name)s}."), params={"name": min(unknown)})

    return validator


def url_template(value: str) -> None:
    http_url(PLACEHOLDER.sub("x", value))
    if "{" in urlsplit(value).netloc:
        raise ValueError("A message cannot choose the server.")


def json_template(value: str) -> None:
    if not value.lstrip().startswith("{"):
        raise ValueError(value)
    json.loads(value)


class HttpSmsAdapter(Adapter):
    name = "http_sms"
    label = _("SMS gateway over HTTP")
    channel = SMS
    capabilities = Capabilities(timeout=35)
    specimen = Specimen(
        config={
            "method": "POST",
            "url": "{base_url}/send",
            "body_format": "json",
            "body": '{"to": "{to}", "text": "{text}"}',
            "success_path": "code",
            "success_value": "0",
            "id_path": "id",
            "timeout_s": 15,
        },
        address="+15005550009",
        content={"text": "Paid."},
        answers={"/send": {"code": 0, "id": "m-1"}},
        refusal={"code": 3},
    )

    class Config(forms.Form):
        method = forms.ChoiceField(choices=METHODS, initial="POST", label=_("Method"))
        url = forms.CharField(
            max_length=2000,
            validators=[valid(url_template, _("This is no URL: %(line)s"))],
            label=_("URL"),
            help_text=_(
                "Placeholders stand in it, in the headers and in the body: {to} (+8613800138000), {digits} "
                "(without +), {national} (without the country), {text}, {template_code}, {params} (JSON), "
                "{signature}, {sender}, {username}, {secret}, {basic} (for Authorization: Basic {basic}), "
                "{id}, {callback_url}, {timestamp}."
            ),
        )
        headers = forms.CharField(
            required=False,
            widget=forms.Textarea(attrs={"rows": 3}),
            validators=[valid(headers_in, _("This is no header: %(line)s"))],
            label=_("Headers"),
            help_text=_("One on each line, such as Authorization: Bearer {secret}."),
        )
        body_format = forms.ChoiceField(choices=FORMATS, initial="json", label=_("Form of the body"))
        body = forms.CharField(
            required=False,
            widget=forms.Textarea(attrs={"rows": 6}),
            validators=[valid(json_template, _("This is not a JSON object: %(line)s"))],
            label=_("Body"),
            help_text=_('A JSON object, for a form too: {"mobile": "{to}", "content": "{text}"}.'),
        )
        username = forms.CharField(required=False, max_length=200, label=_("User name"))
        secret = SecretField(
            required=False, label=_("Secret"), help_text=_("A password or key, for the placeholder {secret}.")
        )
        sender = forms.CharField(required=False, max_length=60, label=_("Sender"))
        success_path = forms.CharField(
            required=False,
            max_length=200,
            label=_("Where the answer says yes or no"),
            help_text=_(
                "A path in its JSON, such as code or data.0.status. Without one, the HTTP status decides."
            ),
        )
        success_value = forms.CharField(
            required=False,
            max_length=200,
            label=_("What stands there for yes"),
            help_text=_("Such as 0 or true. Without a path, the answer has to begin with it."),
        )
        id_path = forms.CharField(
            required=False,
            max_length=200,
            label=_("Where the message's id is"),
            help_text=_("A path, such as data.0.id."),
        )
        error_path = forms.CharField(
            required=False,
            max_length=200,
            label=_("Where the error's code is"),
            help_text=_("Where it is not where yes or no is."),
        )
        errors_table = forms.CharField(
            required=False,
            widget=forms.Textarea(attrs={"rows": 5}),
            validators=[valid(table, _("This line cannot be read: %(line)s"))],
            label=_("What the codes mean"),
            help_text=_(
                "One on each line: 1001 = unreachable, opted_out, refused, throttled, temporary, misconfigured, sender "
                "or template; with seconds to wait: 1002 = throttled 60. Others are refused."
            ),
        )
        timeout_s = forms.IntegerField(min_value=1, max_value=30, initial=15, label=_("Timeout"))

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean() or {}
            if cleaned.get("success_path") and not cleaned.get("success_value"):
                self.add_error("success_value", ValidationError(_("Say what stands there.")))
            return cleaned

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._headers = headers_in(config.get("headers") or "")
        self._body = json.loads(config.get("body") or "{}")
        self._codes = table(config.get("errors_table") or "")

    async def send(self, message: Outgoing) -> Sent:
        known = values(message, self.config)
        reply = await http.call(
            self.config["method"],
            filled(self.config["url"], known, written=partial(quote, safe="", errors="replace")),
            headers=self._filled_headers(known),
            body=self._filled_body(known),
            timeout=self.config.get("timeout_s") or 15,
        )
        return self._judge(reply)

    def _filled_headers(self, known: Values) -> dict[str, str]:
        kind = CONTENT_TYPES.get(self.config["body_format"])
        own = {"content-type": kind} if kind else {}
        return {**own, **filled(self._headers, {name: one_line(each) for name, each in known.items()})}

    def _filled_body(self, known: Values) -> bytes | None:
        content = filled(self._body, known)
        match self.config["body_format"]:
            case "json":
                return to_json(content)
            case "form":
                return urlencode(content, errors="replace").encode()
        return None

    def _judge(self, reply: http.Reply) -> Sent:
        answer, no = json_in(reply.body), self._no(reply)
        code = (
            at(answer, self.config.get("error_path") or self.config.get("success_path") or "") if no else ""
        )
        if code in self._codes:
            raise error_for(code, self._codes, retry_after=reply.retry_after)
        http.raise_for_status(reply, STATUSES, code=code)
        if no and answer is None and self.config.get("success_path"):
            raise Temporary("the gateway's answer is not JSON", code="not_json", maybe_sent=True)
        if no:
            raise error_for(code or "error", {}, detail="the gateway said no")
        return Sent(provider_id=at(answer, self.config.get("id_path") or ""))

    def _no(self, reply: http.Reply) -> bool:
        """Does the answer lack the account's word for yes?"""
        expected, path = self.config.get("success_value") or "", self.config.get("success_path")
        if path:
            return at(json_in(reply.body), path) != expected
        return not reply.body.decode("utf-8", "replace").lstrip().startswith(expected) or reply.status >= 300


def json_in(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def one_line(text: str) -> str:
    """A value for a header, which has one line."""
    return " ".join(text.split())
