"""Text messages through Tencent Cloud (SMS 2021-01-11), by templates and signatures that it has approved.

Requests are signed with TC3-HMAC-SHA256, and a call says yes or no for each number. Its reports are not signed:
only the secret path of the account's callback address protects them.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.utils.translation import gettext_lazy as _

from channels_app.bulk import Results, only, send_alike
from channels_app.channels import SMS, of_adapter
from channels_app.china import e164, is_mainland, moment, says_stop, throttled_until
from channels_app.codes import Meaning, error_for
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
from channels_app.json_api import JsonApi, text_at, to_json

VERSION = "2021-01-11"
SERVICE = "sms"
JSON_TYPE = "application/json"
BATCH = 200
#: The provider sends marketing between 8 and 22 o'clock.
MARKETING_FROM = 8

of_template = partial(Misconfigured, scope=Scope.TEMPLATE)
of_number = partial(Throttled, scope=Scope.ADDRESS)
of_number_today = throttled_until(0, scope=Scope.ADDRESS)

#: https://cloud.tencent.com/document/product/382/55981
CODES: Mapping[str, Meaning] = {
    "InvalidParameterValue.IncorrectPhoneNumber": Unreachable,
    "FailedOperation.PhoneNumberParseFail": Unreachable,
    "FailedOperation.PhoneNumberInBlacklist": partial(Unreachable, opted_out=True),
    "LimitExceeded.PhoneNumberThirtySecondLimit": partial(of_number, retry_after=30),
    "LimitExceeded.PhoneNumberOneHourLimit": partial(of_number, retry_after=3600),
    "LimitExceeded.PhoneNumberDailyLimit": of_number_today,
    "LimitExceeded.PhoneNumberSameContentDailyLimit": of_number_today,
    "LimitExceeded.DeliveryFrequencyLimit": partial(of_number, retry_after=60),
    "LimitExceeded.AppDailyLimit": throttled_until(0),
    "LimitExceeded.DailyLimit": throttled_until(0),
    "LimitExceeded.GlobalSmsSendingRateLimit": partial(Throttled, retry_after=2),
    "RequestLimitExceeded": partial(Throttled, retry_after=2),
    "FailedOperation.MarketingSendTimeConstraint": throttled_until(MARKETING_FROM),
    "InternalError.Timeout": partial(Temporary, maybe_sent=True),
    "InternalError.SendAndRecvFail": partial(Temporary, maybe_sent=True),
    "InternalError.OtherError": Temporary,
    "UnauthorizedOperation.SmsSdkAppIdVerifyFail": Misconfigured,
    "UnauthorizedOperation.SdkAppIdIsDisabled": Misconfigured,
    "UnauthorizedOperation.ServiceSuspendDueToArrears": Misconfigured,  # no money
    "UnauthorizedOperation.RequestIpNotInWhitelist": Misconfigured,
    "FailedOperation.InsufficientBalanceInSmsPackage": Misconfigured,
    "FailedOperation.SignatureIncorrectOrUnapproved": partial(Misconfigured, scope=Scope.SENDER),
    "FailedOperation.TemplateIncorrectOrUnapproved": of_template,
    "FailedOperation.TemplateUnapprovedOrNotExist": of_template,
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": of_template,
    "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber": Refused,  # never: numbers are sorted
    "FailedOperation.ContainSensitiveWord": Refused,
    "InvalidParameterValue.ContentLengthLimit": Refused,
    "InvalidParameterValue.TemplateParameterLengthLimit": Refused,
}
#: For codes that are not listed: what stands before the point.
FAMILIES: Mapping[str, Meaning] = {
    "AuthFailure": Misconfigured,
    "UnauthorizedOperation": Misconfigured,
    "InternalError": Temporary,
    "LimitExceeded": partial(Throttled, retry_after=60),
    "RequestLimitExceeded": partial(Throttled, retry_after=2),
}


def by_family(detail: str = "", *, code: str = "") -> ChannelError:
    return FAMILIES.get(code.partition(".")[0], Refused)(detail, code=code)


def verdict(answer: Mapping[str, Any]) -> tuple[str, str]:
    """Of the call as a whole; each number has a code of its own."""
    return text_at(answer, "Response", "Error", "Code"), text_at(answer, "Response", "Error", "Message")


def authorization(key_id: str, secret: str, *, host: str, timestamp: int, body: bytes) -> str:
    """TC3-HMAC-SHA256 of a POST of JSON to ``/``."""
    date = datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")
    scope = f"{date}/{SERVICE}/tc3_request"
    headers = f"content-type:{JSON_TYPE}\nhost:{host}\n"
    request = f"POST\n/\n\n{headers}\ncontent-type;host\n{hashlib.sha256(body).hexdigest()}"
    to_sign = f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"TC3{secret}".encode()
    for step in (date, SERVICE, "tc3_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    signed = hmac.digest(key, to_sign.encode(), "sha256").hex()
    return f"TC3-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders=content-type;host, Signature={signed}"


def sample_report(_config: Mapping[str, Any], provider_id: str) -> Callback:
    report = {
        "user_receive_time": "2026-11-25 08:03:04",
        "nationcode": "86",
        "mobile": "13800138000",
        "report_status": "SUCCESS",
        "errmsg": "DELIVRD",
        "description": "delivered",
        "sid": provider_id,
    }
    return Callback(headers={}, query={}, body=json.dumps([report]).encode(), url="")


class TencentSmsAdapter(Adapter):
    name = "tencent_sms"
    label = _("Tencent Cloud SMS")
    channel = SMS
    capabilities = Capabilities(
        receipts=True, check=True, batch_size=BATCH, template_field="template_code", only_templates=True
    )
    api = JsonApi(
        verdict=verdict,
        codes=CODES,
        statuses={404: Misconfigured, 410: Misconfigured},
        default=by_family,
        speaks=lambda answer: "Response" in answer,
    )
    specimen = Specimen(
        config={"key_id": "AKID-1", "secret_key": "s-1", "sdk_app_id": "1400006666", "sign_name": "Shop"},
        address="+8613800138000",
        content={"template_code": "1234", "params": {"code": "1234"}},
        answers={
            "": {
                "Response": {
                    "SendStatusSet": [
                        {
                            "SerialNo": "5000:1045710669157053657849499619",
                            "PhoneNumber": "+8613800138000",
                            "Fee": 1,
                            "SessionContext": "",
                            "Code": "Ok",
                            "Message": "send success",
                            "IsoCode": "CN",
                        }
                    ],
                    "RequestId": "R-1",
                }
            }
        },
        refusal={"Response": {"Error": {"Code": "FailedOperation.ContainSensitiveWord", "Message": "no"}}},
        receipt=sample_report,
        signed=False,
    )

    class Config(forms.Form):
        key_id = forms.CharField(
            max_length=128,
            label=_("SecretId"),
            help_text=_("In the console, under Access Management > API keys: of a sub-user who may send."),
        )
        secret_key = SecretField(label=_("SecretKey"), help_text=_("Shown once, when the API key is made."))
        sdk_app_id = forms.CharField(
            max_length=40,
            label=_("SDKAppID"),
            help_text=_("In the SMS console, under Applications, such as 1400006666."),
        )
        sign_name = forms.CharField(
            max_length=60,
            required=False,
            label=_("Signature"),
            help_text=_(
                "In the SMS console, under Signatures: the text of an approved one. Mainland China needs it."
            ),
        )
        region = forms.CharField(
            max_length=40, initial="ap-guangzhou", label=_("Region"), help_text=_("Such as ap-guangzhou.")
        )
        base_url = BaseURLField("https://sms.tencentcloudapi.com")

    async def send(self, message: Outgoing) -> Sent:
        return only(await self.send_many([message]))

    async def send_many(self, messages: Sequence[Outgoing]) -> list[Sent | ChannelError]:
        return await send_alike(messages, alike=self._kind, size=BATCH, call=self._call)

    def _kind(self, message: Outgoing) -> str:
        """Numbers of mainland China and others never stand in one call: all of it would fail."""
        mainland = is_mainland(message.address.value)
        return json.dumps([mainland, message.content], default=str)

    async def _call(self, group: Sequence[Outgoing]) -> Results:
        request = {"PhoneNumberSet": [each.address.value for each in group], **self._content(group[0])}
        if len(group) == 1:
            request["SessionContext"] = group[0].id
        response = await self._ask("SendSms", request)
        found = response.get("SendStatusSet")
        said = {e164(text_at(each, "PhoneNumber")): each for each in found or [] if isinstance(each, dict)}
        return [_result(said.get(each.address.value)) for each in group]

    def _content(self, message: Outgoing) -> dict[str, Any]:
        template = of_adapter(message.content.get("template_code") or "", self.name)
        if not template:
            raise Refused(
                "this provider sends approved templates, and the variant names none", code="no_template"
            )
        params = message.content.get("params") or []
        if not isinstance(params, dict | list):
            raise Refused("the values for the template have to be an object or a list", code="content")
        values = params.values() if isinstance(params, dict) else params
        signature = of_adapter(message.content.get("signature") or "", self.name)
        return {
            "SmsSdkAppId": self.config["sdk_app_id"],
            "SignName": signature or self.config.get("sign_name") or "",
            "TemplateId": template,
            "TemplateParamSet": [each if isinstance(each, str) else json.dumps(each) for each in values],
        }

    async def _ask(self, action: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        body, timestamp, host = to_json(request), int(datetime.now(UTC).timestamp()), self._host
        signed = authorization(
            self.config["key_id"], self.config["secret_key"], host=host, timestamp=timestamp, body=body
        )
        answer = await self.api.send(
            "POST",
            f"{self.base_url}/",
            body=body,
            headers={
                "host": host,
                "content-type": JSON_TYPE,
                "authorization": signed,
                "x-tc-action": action,
                "x-tc-version": VERSION,
                "x-tc-timestamp": str(timestamp),
                "x-tc-region": self.config.get("region") or "ap-guangzhou",
            },
            guard=self.guard,
        )
        response = answer.data.get("Response")
        return response if isinstance(response, dict) else {}

    @property
    def _host(self) -> str:
        return urlsplit(self.base_url).netloc

    async def check(self) -> str:
        """Asks for the application's packages."""
        await self._ask(
            "SmsPackagesStatistics", {"SmsSdkAppId": self.config["sdk_app_id"], "Limit": 1, "Offset": 0}
        )
        return str(_("The key is good, and the application is known."))

    def receipts(self, callback: Callback) -> Iterable[Receipt]:
        reports = json.loads(callback.body)
        for report in reports if isinstance(reports, list) else [reports]:
            if isinstance(report, dict):
                yield from _receipt(report)

    def reply(self, callback: Callback) -> HttpReply:
        return HttpReply(body=b'{"result":0,"errmsg":"OK"}', content_type=JSON_TYPE)


def _result(status: Mapping[str, Any] | None) -> Sent | ChannelError:
    if status is None:
        return Temporary("the answer leaves this number out", code="no_status", maybe_sent=True)
    code = text_at(status, "Code")
    if code.lower() == "ok":
        return Sent(provider_id=text_at(status, "SerialNo"))
    return error_for(code, CODES, default=by_family, detail=text_at(status, "Message"))


def _receipt(report: Mapping[str, Any]) -> Iterable[Receipt]:
    phone = f"+{text_at(report, 'nationcode')}{text_at(report, 'mobile')}"
    if "report_status" not in report:
        yield from _answer(report, phone)
        return
    serial, code = text_at(report, "sid"), text_at(report, "errmsg")
    yield Receipt(
        provider_id=serial,
        delivery_id=text_at(report, "ext"),  # for accounts to which Tencent gives the session back
        address=phone,
        outcome=Outcome.DELIVERED if report["report_status"] == "SUCCESS" else Outcome.UNDELIVERED,
        at=moment(report.get("user_receive_time")),
        code=code,
        reason=text_at(report, "description"),
        event_id=f"{serial}:{code}",
    )


def _answer(report: Mapping[str, Any], phone: str) -> Iterable[Receipt]:
    """What somebody wrote back."""
    written = text_at(report, "text")
    if says_stop(written):
        yield Receipt(
            address=phone,
            outcome=Outcome.OPTED_OUT,
            code="stop",
            reason=written[:20],
            event_id=f"answer:{phone}:{text_at(report, 'time')}",
        )
