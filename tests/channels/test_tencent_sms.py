"""Tencent Cloud SMS: the signature held against the official SDK, codes of calls and of numbers, reports."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from channels_app.adapters.tencent_sms import CODES, authorization
from channels_app.contract import Callback, ChannelError, Outcome, Receipt, Sent
from tests.channels import provider
from tests.channels.meanings import meaning
from tests.channels.provider import Answer, Request, outgoing

CONFIG = {
    "key_id": "AKIDz8krbsJ5yKB",
    "secret_key": "Gu5t9xGAR",
    "sdk_app_id": "1400006666",
    "sign_name": "腾讯云",
}
CONTENT = {"template_code": "449739", "params": {"code": "1234", "minutes": 5}}
MESSAGE = outgoing("phone", "+8613800138000", CONTENT)

MEANINGS = [
    ("InvalidParameterValue.IncorrectPhoneNumber", "Unreachable"),
    ("FailedOperation.PhoneNumberParseFail", "Unreachable"),
    ("FailedOperation.PhoneNumberInBlacklist", "Unreachable opted_out"),
    ("LimitExceeded.PhoneNumberThirtySecondLimit", "Throttled 30 address"),
    ("LimitExceeded.PhoneNumberOneHourLimit", "Throttled 3600 address"),
    ("LimitExceeded.PhoneNumberDailyLimit", "Throttled until 0:00 address"),
    ("LimitExceeded.PhoneNumberSameContentDailyLimit", "Throttled until 0:00 address"),
    ("LimitExceeded.DeliveryFrequencyLimit", "Throttled 60 address"),
    ("LimitExceeded.AppDailyLimit", "Throttled until 0:00"),
    ("LimitExceeded.DailyLimit", "Throttled until 0:00"),
    ("LimitExceeded.GlobalSmsSendingRateLimit", "Throttled 2"),
    ("RequestLimitExceeded", "Throttled 2"),
    ("RequestLimitExceeded.UinLimitExceeded", "Throttled 2"),
    ("LimitExceeded.AppGlobalDailyLimit", "Throttled 60"),
    ("FailedOperation.MarketingSendTimeConstraint", "Throttled until 8:00"),
    ("InternalError.Timeout", "Temporary maybe_sent"),
    ("InternalError.SendAndRecvFail", "Temporary maybe_sent"),
    ("InternalError.OtherError", "Temporary"),
    ("InternalError.SomethingNew", "Temporary"),
    ("AuthFailure.SecretIdNotFound", "Misconfigured"),
    ("AuthFailure.SignatureFailure", "Misconfigured"),
    ("AuthFailure.SignatureExpire", "Misconfigured"),
    ("UnauthorizedOperation.SmsSdkAppIdVerifyFail", "Misconfigured"),
    ("UnauthorizedOperation.SdkAppIdIsDisabled", "Misconfigured"),
    ("UnauthorizedOperation.ServiceSuspendDueToArrears", "Misconfigured"),
    ("UnauthorizedOperation.RequestIpNotInWhitelist", "Misconfigured"),
    ("FailedOperation.InsufficientBalanceInSmsPackage", "Misconfigured"),
    ("FailedOperation.SignatureIncorrectOrUnapproved", "Misconfigured sender"),
    ("FailedOperation.TemplateIncorrectOrUnapproved", "Misconfigured template"),
    ("FailedOperation.TemplateUnapprovedOrNotExist", "Misconfigured template"),
    ("FailedOperation.TemplateParamSetNotMatchApprovedTemplate", "Misconfigured template"),
    ("UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber", "Refused"),
    ("FailedOperation.ContainSensitiveWord", "Refused"),
    ("InvalidParameterValue.ContentLengthLimit", "Refused"),
    ("InvalidParameterValue.TemplateParameterLengthLimit", "Refused"),
    ("SomethingNew", "Refused"),
]


def statuses(*each: tuple[str, str, str]) -> dict[str, Any]:
    """The documented answer: a status for each number, given as number, code and serial."""
    return {
        "Response": {
            "SendStatusSet": [
                {
                    "SerialNo": serial,
                    "PhoneNumber": number,
                    "Fee": 1,
                    "SessionContext": "",
                    "Code": code,
                    "Message": f"about {code}",
                    "IsoCode": "CN",
                }
                for number, code, serial in each
            ],
            "RequestId": "a0aabda6-cf91-4f3e-a81f-9198114a2279",
        }
    }


OK = statuses(("+8613800138000", "Ok", "5000:104571"))


def send(body: Any, message: Any = MESSAGE) -> tuple[Sent | ChannelError, list[Request]]:
    return provider.send("tencent_sms", CONFIG, message, {"": Answer(body=body)})


def test_a_message_is_handed_over_with_its_values_in_order() -> None:
    sent, (request,) = send(OK)
    assert sent == Sent(provider_id="5000:104571")
    assert request.json == {
        "PhoneNumberSet": ["+8613800138000"],
        "SmsSdkAppId": "1400006666",
        "SignName": "腾讯云",
        "TemplateId": "449739",
        "TemplateParamSet": ["1234", "5"],
        "SessionContext": "d-1",
    }
    assert request.headers["x-tc-action"] == "SendSms"
    assert request.headers["x-tc-version"] == "2021-01-11"
    assert request.headers["x-tc-region"] == "ap-guangzhou"


@pytest.mark.parametrize("written", ["+8613800138000", "8613800138000", "13800138000"])
def test_a_number_is_known_however_the_answer_writes_it(written: str) -> None:
    assert send(statuses((written, "Ok", "s-1")))[0] == Sent(provider_id="s-1")


@pytest.mark.parametrize(("code", "expected"), MEANINGS)
@pytest.mark.parametrize("whole", [False, True], ids=["of a number", "of the call"])
def test_a_code_means(code: str, expected: str, *, whole: bool) -> None:
    error = {"Response": {"Error": {"Code": code, "Message": f"about {code}"}, "RequestId": "R-1"}}
    result, _requests = send(error if whole else statuses(("+8613800138000", code, "")))
    assert meaning(result) == expected
    assert isinstance(result, ChannelError)
    assert (result.code, result.detail) == (code, f"about {code}")


def test_every_code_of_the_table_has_a_row() -> None:
    assert {code for code, _expected in MEANINGS} >= set(CODES)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"<html>slow down</html>", "Temporary maybe_sent"),
        ({}, "Temporary maybe_sent"),
        ({"Response": {"SendStatusSet": []}}, "Temporary maybe_sent"),
        ({"Response": {"SendStatusSet": "no"}}, "Temporary maybe_sent"),
        ({"Response": []}, "Temporary maybe_sent"),
    ],
)
def test_an_answer_that_leaves_the_number_out_leaves_doubt(body: Any, expected: str) -> None:
    assert meaning(send(body)[0]) == expected


@pytest.mark.parametrize(
    "content",
    [{"text": "Paid."}, {"template_code": "aliyun_sms=SMS_1"}, {"template_code": "1", "params": "x"}],
)
def test_content_that_this_provider_cannot_send_is_refused(content: dict[str, Any]) -> None:
    result, requests = send(OK, outgoing("phone", "+8613800138000", content))
    assert meaning(result) == "Refused"
    assert requests == []


def test_the_official_library_signs_the_same_request_in_the_same_way() -> None:
    """Its client sends to our server, and our signature of what arrived is the one that it came with."""
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile
    from tencentcloud.sms.v20210111 import models, sms_client

    def work(base_url: str) -> Any:
        profile = HttpProfile(protocol="http", endpoint=base_url.removeprefix("http://"))
        credential = Credential(CONFIG["key_id"], CONFIG["secret_key"])
        client = sms_client.SmsClient(credential, "ap-guangzhou", ClientProfile(httpProfile=profile))
        request = models.SendSmsRequest()
        request.from_json_string(
            json.dumps(
                {"PhoneNumberSet": ["+8613800138000"], "SignName": "腾讯云", "TemplateParamSet": ["a&b"]}
            )
        )
        return asyncio.to_thread(client.SendSms, request)

    answer, (request,) = provider.play({"": Answer(body=OK)}, work)
    assert answer.SendStatusSet[0].SerialNo == "5000:104571"
    ours = authorization(
        CONFIG["key_id"],
        CONFIG["secret_key"],
        host=request.headers["host"],
        timestamp=int(request.headers["x-tc-timestamp"]),
        body=request.body,
    )
    assert ours == request.headers["authorization"]


def test_our_own_request_carries_that_signature() -> None:
    _sent, (request,) = send(OK)
    timestamp = int(request.headers["x-tc-timestamp"])
    assert abs(datetime.now(UTC).timestamp() - timestamp) < 60
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == authorization(
        CONFIG["key_id"],
        CONFIG["secret_key"],
        host=request.headers["host"],
        timestamp=timestamp,
        body=request.body,
    )


def test_numbers_of_mainland_china_and_others_are_never_in_one_call() -> None:
    numbers = ["+8613800138000", "+85290001234", "+8613800138001", "+12025550142"]
    messages = [outgoing("phone", number, CONTENT) for number in numbers]
    body = statuses(
        *((number, "Ok", f"s-{number}") for number in numbers[:3]),
        ("+12025550142", "LimitExceeded.PhoneNumberDailyLimit", ""),
    )

    async def work(base_url: str) -> list[Sent | ChannelError]:
        return await provider.adapter("tencent_sms", CONFIG, base_url).send_many(messages)

    results, requests = provider.play({"": Answer(body=body)}, work)
    assert [each.json["PhoneNumberSet"] for each in requests] == [
        ["+8613800138000", "+8613800138001"],
        ["+85290001234", "+12025550142"],
    ]
    assert [meaning(each) for each in results] == ["Sent", "Sent", "Sent", "Throttled until 0:00 address"]
    assert results[2] == Sent(provider_id="s-+8613800138001")


def receipts(body: Any) -> list[Receipt]:
    callback = Callback(headers={}, query={}, body=json.dumps(body).encode(), url="")
    return list(provider.adapter("tencent_sms", CONFIG).receipts(callback))


REPORT = {
    "user_receive_time": "2015-10-17 08:03:04",
    "nationcode": "86",
    "mobile": "13800138000",
    "report_status": "SUCCESS",
    "errmsg": "DELIVRD",
    "description": "用户短信送达成功",
    "sid": "5000:104571",
}


def test_a_report_is_read() -> None:
    (receipt,) = receipts([REPORT])
    assert receipt == Receipt(
        provider_id="5000:104571",
        address="+8613800138000",
        outcome=Outcome.DELIVERED,
        at=datetime(2015, 10, 17, 0, 3, 4, tzinfo=UTC),
        code="DELIVRD",
        reason="用户短信送达成功",
        event_id="5000:104571:DELIVRD",
    )


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"report_status": "FAIL", "errmsg": "MK:0001"}, Outcome.UNDELIVERED),
        ({"report_status": "SOMETHING_NEW"}, Outcome.UNDELIVERED),
        ({"ext": "0190f3a0-0000-7000-8000-000000000000"}, Outcome.DELIVERED),
    ],
)
def test_a_report_can_say_more(change: dict[str, str], outcome: Outcome) -> None:
    (receipt,) = receipts([{**REPORT, **change}])
    assert receipt.outcome is outcome
    assert receipt.delivery_id == change.get("ext", "")


def test_an_answer_of_stop_is_an_opt_out_of_the_number() -> None:
    answer = {"mobile": "13800138000", "nationcode": "86", "sign": "腾讯云", "time": 1457336869}
    (receipt,) = receipts({**answer, "text": "退订"})
    assert (receipt.address, receipt.outcome) == ("+8613800138000", Outcome.OPTED_OUT)
    assert receipts({**answer, "text": "谢谢"}) == []
    assert receipts([7, None]) == []


def test_the_provider_is_answered_as_it_wants() -> None:
    reply = provider.adapter("tencent_sms", CONFIG).reply(Callback(headers={}, query={}, body=b"", url=""))
    assert json.loads(reply.body) == {"result": 0, "errmsg": "OK"}


def test_the_credentials_can_be_tried() -> None:
    async def work(base_url: str) -> str:
        return await provider.adapter("tencent_sms", CONFIG, base_url).check()

    said, (request,) = provider.play({"": Answer(body={"Response": {"RequestId": "R-1"}})}, work)
    assert said
    assert request.headers["x-tc-action"] == "SmsPackagesStatistics"
    assert request.json == {"SmsSdkAppId": "1400006666", "Limit": 1, "Offset": 0}
