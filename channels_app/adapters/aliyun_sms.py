"""Text messages through Alibaba Cloud (Dysmsapi 2017-05-25), by templates and signatures that it has approved.

Requests are signed with ACS3-HMAC-SHA256. The provider knows no idempotency. Its reports are not signed: only the
secret path of the account's callback address protects them.
"""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

from django import forms
from django.utils.translation import gettext_lazy as _

from channels_app.bulk import Results, only, send_alike
from channels_app.channels import SMS, of_adapter
from channels_app.china import BEIJING, MAINLAND, e164, is_mainland, moment, says_stop, throttled_until
from channels_app.codes import Meaning
from channels_app.contract import (
    Adapter,
    BaseURLField,
    Callback,
    Capabilities,
    ChannelError,
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

VERSION = "2017-05-25"
EMPTY_BODY = hashlib.sha256(b"").hexdigest()
#: The provider takes a thousand; the numbers stand in the URL, and no proxy is to find it too long.
BATCH = 200
#: A number that got more in one day than stands on so many pages is not looked up to the end.
LOOK_UP_PAGES = 4
LOOK_UP_DAYS = 7
#: https://help.aliyun.com/document_detail/419277.html: 1 waits for the report.
ENDED: Mapping[str, Outcome] = {"2": Outcome.UNDELIVERED, "3": Outcome.DELIVERED}
#: In the sentence that comes with isv.BUSINESS_LIMIT_CONTROL, and the seconds to wait.
BUSINESS_LIMITS = {"分钟": 60.0, "小时": 3600.0}

of_template = partial(Misconfigured, scope=Scope.TEMPLATE)
of_sender = partial(Misconfigured, scope=Scope.SENDER)
of_number_today = throttled_until(0, scope=Scope.ADDRESS)


def business_limit(detail: str = "", *, code: str = "") -> Throttled:
    """The number has had too many in a minute, an hour or a day; only the sentence says which."""
    for word, seconds in BUSINESS_LIMITS.items():
        if word in detail:
            return Throttled(detail, code=code, retry_after=seconds, scope=Scope.ADDRESS)
    return of_number_today(detail, code=code)


#: https://help.aliyun.com/zh/sms/developer-reference/api-error-codes
CODES: Mapping[str, Meaning] = {
    "isv.MOBILE_NUMBER_ILLEGAL": Unreachable,  # no such number
    "isv.BUSINESS_LIMIT_CONTROL": business_limit,
    "isv.DAY_LIMIT_CONTROL": throttled_until(0),  # the limit that the console sets for a day
    "isv.MONTH_LIMIT_CONTROL": throttled_until(0),  # the same for a month: looked at again tomorrow
    "Throttling": partial(Throttled, retry_after=2),
    "Throttling.User": partial(Throttled, retry_after=2),
    "Throttling.Api": partial(Throttled, retry_after=2),
    "isp.SYSTEM_ERROR": Temporary,
    "isp.GATEWAY_ERROR": Temporary,
    "ServiceUnavailable": Temporary,
    "InvalidAccessKeyId": Misconfigured,
    "InvalidAccessKeyId.NotFound": Misconfigured,
    "InvalidAccessKeyId.Inactive": Misconfigured,
    "SignatureDoesNotMatch": Misconfigured,  # a wrong secret
    "isp.RAM_PERMISSION_DENY": Misconfigured,  # the key has no right to send
    "isv.OUT_OF_SERVICE": Misconfigured,  # no money
    "isv.AMOUNT_NOT_ENOUGH": Misconfigured,  # no money
    "isv.ACCOUNT_ABNORMAL": Misconfigured,
    "isv.SMS_SIGNATURE_ILLEGAL": of_sender,  # the signature is not approved
    "isv.SMS_TEMPLATE_ILLEGAL": of_template,  # the template is not approved
    "isv.TEMPLATE_MISSING_PARAMETERS": of_template,
    "isv.PARAM_LENGTH_LIMIT": Refused,
    "isv.BLACK_KEY_CONTROL_LIMIT": Refused,  # forbidden words
    "isv.INVALID_JSON_PARAM": Refused,
    "isv.PARAM_NOT_SUPPORT_URL": Refused,
}
#: Here 404 speaks of an access key or of a wrong base URL, never of a number.
STATUSES: Mapping[int, Meaning] = {404: Misconfigured, 410: Misconfigured}


def verdict(answer: Mapping[str, Any]) -> tuple[str, str]:
    code = text_at(answer, "Code")
    return ("" if code == "OK" else code), text_at(answer, "Message")


def canonical_query(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe='~')}={quote(query[name], safe='~')}" for name in sorted(query))


def authorization(key_id: str, secret: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """ACS3-HMAC-SHA256 of a POST to ``/`` with an empty body; all ``headers``, in lower case, are signed."""
    names = sorted(headers)
    canonical = "".join(f"{name}:{headers[name]}\n" for name in names)
    request = f"POST\n/\n{canonical_query(query)}\n{canonical}\n{';'.join(names)}\n{EMPTY_BODY}"
    to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(request.encode()).hexdigest()}"
    signed = hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={';'.join(names)},Signature={signed}"


def sample_report(_config: Mapping[str, Any], provider_id: str) -> Callback:
    report = {
        "phone_number": "13800138000",
        "report_time": "2026-11-25 08:03:04",
        "success": True,
        "err_code": "DELIVERED",
        "biz_id": provider_id,
    }
    return Callback(headers={}, query={}, body=json.dumps([report]).encode(), url="")


class AliyunSmsAdapter(Adapter):
    name = "aliyun_sms"
    label = _("Alibaba Cloud SMS")
    channel = SMS
    capabilities = Capabilities(
        receipts=True,
        check=True,
        lookup=True,
        batch_size=BATCH,
        template_field="template_code",
        only_templates=True,
    )
    api = JsonApi(verdict=verdict, codes=CODES, statuses=STATUSES, speaks=lambda answer: "Code" in answer)
    specimen = Specimen(
        config={"access_key_id": "LTAI-1", "access_key_secret": "s-1", "sign_name": "Shop"},
        address="+8613800138000",
        content={"template_code": "SMS_1", "params": {"code": "1234"}},
        answers={"": {"Code": "OK", "Message": "OK", "BizId": "900619746936498440^0", "RequestId": "R-1"}},
        refusal={"Code": "isv.PARAM_LENGTH_LIMIT", "Message": "too long", "RequestId": "R-1"},
        receipt=sample_report,
        signed=False,
    )

    class Config(forms.Form):
        access_key_id = forms.CharField(
            max_length=128,
            label=_("AccessKey ID"),
            help_text=_(
                "In the RAM console, under Users: of a user who may do no more than send text messages."
            ),
        )
        access_key_secret = SecretField(
            label=_("AccessKey secret"), help_text=_("Shown once, when the AccessKey is made.")
        )
        sign_name = forms.CharField(
            max_length=60,
            label=_("Signature"),
            help_text=_("In the SMS console, under Signatures: an approved one, without the brackets."),
        )
        base_url = BaseURLField("https://dysmsapi.aliyuncs.com")

    async def send(self, message: Outgoing) -> Sent:
        return only(await self.send_many([message]))

    async def send_many(self, messages: Sequence[Outgoing]) -> list[Sent | ChannelError]:
        return await send_alike(messages, alike=self._kind, size=BATCH, call=self._call)

    def _kind(self, message: Outgoing) -> str:
        mainland = is_mainland(message.address.value)
        return json.dumps([mainland, message.content], sort_keys=True, default=str)

    async def _call(self, group: Sequence[Outgoing]) -> Results:
        numbers = [each.address.value.removeprefix(MAINLAND).removeprefix("+") for each in group]
        query = {"PhoneNumbers": ",".join(numbers), **self._content(group[0])}
        if len(group) == 1:  # the reports of a group share it, so that it would name no delivery
            query["OutId"] = group[0].id
        answer = await self._ask("SendSms", query)
        return [Sent(provider_id=answer)] * len(group)

    def _content(self, message: Outgoing) -> dict[str, str]:
        template = of_adapter(message.content.get("template_code") or "", self.name)
        if not template:
            raise Refused(
                "this provider sends approved templates, and the variant names none", code="no_template"
            )
        params = message.content.get("params") or {}
        if not isinstance(params, dict):
            raise Refused("the values for the template have to be a JSON object", code="content")
        signature = of_adapter(message.content.get("signature") or "", self.name)
        texts = {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in params.items()
        }
        return {
            "SignName": signature or self.config["sign_name"],
            "TemplateCode": template,
            "TemplateParam": json.dumps(texts, ensure_ascii=False),
        }

    async def lookup(self, message: Outgoing) -> Sent | None:
        """Goes through what the number got since. Only what was sent by itself bears our id."""
        today = datetime.now(BEIJING).date()
        began = message.tried_at.astimezone(BEIJING).date() if message.tried_at else today
        days = (today - began).days
        if days > LOOK_UP_DAYS:
            raise Temporary("that is too long ago", code="too_old")
        for day in range(days + 1):
            found = await self._on(f"{began + timedelta(days=day):%Y%m%d}", message)
            if found is not None:
                return found
        return None

    async def _on(self, day: str, message: Outgoing) -> Sent | None:
        number = message.address.value.removeprefix(MAINLAND).removeprefix("+")
        template = of_adapter(message.content.get("template_code") or "", self.name)
        seen = 0
        for page in range(1, LOOK_UP_PAGES + 1):
            query = {"PhoneNumber": number, "SendDate": day, "PageSize": "50", "CurrentPage": str(page)}
            answer = await self._request("QuerySendDetails", query)
            details = _details(answer)
            for each in details:
                if text_at(each, "OutId") == message.id:
                    return _looked_up(each, message)
            if any(
                not text_at(each, "OutId") and text_at(each, "TemplateCode") == template for each in details
            ):
                raise Temporary("it may be one of those that went out as a group", code="ambiguous")
            seen += len(details)
            total = text_at(answer, "TotalCount")
            if total.isdecimal() and seen >= int(total):
                return None
            if not details:
                break
        raise Temporary("the provider does not show all that the number got", code="incomplete")

    async def _ask(self, action: str, query: Mapping[str, str]) -> str:
        return text_at(await self._request(action, query), "BizId")

    async def _request(self, action: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        headers = {
            "host": urlsplit(self.base_url).netloc,
            "x-acs-action": action,
            "x-acs-content-sha256": EMPTY_BODY,
            "x-acs-date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": secrets.token_hex(16),
            "x-acs-version": VERSION,
        }
        signed = authorization(self.config["access_key_id"], self.config["access_key_secret"], query, headers)
        answer = await self.api.send(
            "POST",
            f"{self.base_url}/?{canonical_query(query)}",
            body=b"",
            headers={**headers, "authorization": signed},
            guard=self.guard,
        )
        return answer.data

    async def check(self) -> str:
        """Reads the state of the signature, which needs the right to do so."""
        await self._ask("QuerySmsSign", {"SignName": self.config["sign_name"]})
        return str(_("The AccessKey is good, and the signature is known."))

    def receipts(self, callback: Callback) -> Iterable[Receipt]:
        reports = json.loads(callback.body)
        for report in reports if isinstance(reports, list) else [reports]:
            if isinstance(report, dict):
                yield from _receipt(report)

    def reply(self, callback: Callback) -> HttpReply:
        return HttpReply(body=b'{"code":0,"msg":"ok"}', content_type="application/json")


def _details(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    listed = answer.get("SmsSendDetailDTOs")
    found = listed.get("SmsSendDetailDTO") if isinstance(listed, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _looked_up(detail: Mapping[str, Any], message: Outgoing) -> Sent:
    """The provider gives no id of its own here; its reports bear ours."""
    status, code = text_at(detail, "SendStatus"), text_at(detail, "ErrCode")
    if status not in ENDED:
        return Sent(note="found by our id")
    receipt = Receipt(
        delivery_id=message.id,
        outcome=ENDED[status],
        at=moment(detail.get("ReceiveDate")),
        code=code,
        event_id=f"looked up:{message.id}:{code}",
    )
    return Sent(note="found by our id", receipts=[receipt])


def _receipt(report: Mapping[str, Any]) -> Iterable[Receipt]:
    phone = e164(re.sub(r"[^\d+]", "", text_at(report, "phone_number")))
    if "success" not in report:
        yield from _answer(report, phone)
        return
    provider_id, code = text_at(report, "biz_id"), text_at(report, "err_code")
    yield Receipt(
        provider_id=provider_id,
        delivery_id=text_at(report, "out_id"),
        address=phone,
        outcome=Outcome.DELIVERED if report["success"] is True else Outcome.UNDELIVERED,
        at=moment(report.get("report_time")),
        code=code,
        reason=text_at(report, "err_msg"),
        event_id=f"{provider_id}:{phone}:{code}",
    )


def _answer(report: Mapping[str, Any], phone: str) -> Iterable[Receipt]:
    """What somebody wrote back (SmsUp)."""
    if says_stop(text_at(report, "content")):
        yield Receipt(
            address=phone,
            outcome=Outcome.OPTED_OUT,
            at=moment(report.get("send_time")),
            code="stop",
            reason=text_at(report, "content")[:20],
            event_id=f"answer:{phone}:{text_at(report, 'sequence_id')}",
        )
