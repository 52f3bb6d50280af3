"""Alibaba Cloud SMS: the signature held against the official SDK, codes, reports."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from channels_app.adapters.aliyun_sms import CODES, authorization
from channels_app.china import BEIJING
from channels_app.contract import Callback, ChannelError, Outcome, Receipt, Sent, Throttled
from tests.channels import provider
from tests.channels.meanings import meaning
from tests.channels.provider import Answer, Request, outgoing

CONFIG = {"access_key_id": "LTAI5tKey", "access_key_secret": "s3cret", "sign_name": "阿里云"}
CONTENT = {"template_code": "SMS_71390007", "params": {"code": "1234", "minutes": 5}}
OK = {"Message": "OK", "RequestId": "873043AC", "Code": "OK", "BizId": "900619746936498440^0"}
MESSAGE = outgoing("phone", "+8613800138000", CONTENT)

#: Each code with the status that the provider gives it, its sentence, and what it means here.
MEANINGS = [
    (200, "isv.MOBILE_NUMBER_ILLEGAL", "invalid mobile number", "Unreachable"),
    (200, "isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1", "Throttled 60 address"),
    (200, "isv.BUSINESS_LIMIT_CONTROL", "触发小时级流控Permits:5", "Throttled 3600 address"),
    (200, "isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:10", "Throttled until 0:00 address"),
    (200, "isv.DAY_LIMIT_CONTROL", "触发日发送限额", "Throttled until 0:00"),
    (200, "isv.MONTH_LIMIT_CONTROL", "触发月发送限额", "Throttled until 0:00"),
    (400, "Throttling", "Request was denied due to request throttling.", "Throttled 2"),
    (400, "Throttling.User", "Request was denied due to user flow control.", "Throttled 2"),
    (400, "Throttling.Api", "Request was denied due to api flow control.", "Throttled 2"),
    (200, "isp.SYSTEM_ERROR", "system error", "Temporary"),
    (200, "isp.GATEWAY_ERROR", "gateway error", "Temporary"),
    (503, "ServiceUnavailable", "The request has failed due to a temporary failure.", "Temporary"),
    (400, "InvalidAccessKeyId", "Specified access key is not found.", "Misconfigured"),
    (404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.", "Misconfigured"),
    (403, "InvalidAccessKeyId.Inactive", "Specified access key is disabled.", "Misconfigured"),
    (400, "SignatureDoesNotMatch", "Specified signature does not match.", "Misconfigured"),
    (200, "isp.RAM_PERMISSION_DENY", "ram permission deny", "Misconfigured"),
    (200, "isv.OUT_OF_SERVICE", "business out of service", "Misconfigured"),
    (200, "isv.AMOUNT_NOT_ENOUGH", "amount not enough", "Misconfigured"),
    (200, "isv.ACCOUNT_ABNORMAL", "account abnormal", "Misconfigured"),
    (200, "isv.SMS_SIGNATURE_ILLEGAL", "sign not approved", "Misconfigured sender"),
    (200, "isv.SMS_TEMPLATE_ILLEGAL", "template not approved", "Misconfigured template"),
    (200, "isv.TEMPLATE_MISSING_PARAMETERS", "missing parameters", "Misconfigured template"),
    (200, "isv.PARAM_LENGTH_LIMIT", "too long", "Refused"),
    (200, "isv.BLACK_KEY_CONTROL_LIMIT", "black key", "Refused"),
    (200, "isv.INVALID_JSON_PARAM", "invalid json", "Refused"),
    (200, "isv.PARAM_NOT_SUPPORT_URL", "no url", "Refused"),
    (200, "isv.SOMETHING_NEW", "nobody knows", "Refused"),
    (404, "InvalidAction.NotFound", "no such action", "Misconfigured"),
]


def send(answer: Answer, message: Any = MESSAGE) -> tuple[Sent | ChannelError, list[Request]]:
    return provider.send("aliyun_sms", CONFIG, message, {"": answer})


def test_a_message_is_handed_over_by_its_template() -> None:
    sent, (request,) = send(Answer(body=OK))
    assert sent == Sent(provider_id="900619746936498440^0")
    assert (request.method, request.path, request.body) == ("POST", "/", b"")
    assert request.query == {
        "PhoneNumbers": "13800138000",
        "SignName": "阿里云",
        "TemplateCode": "SMS_71390007",
        "TemplateParam": '{"code": "1234", "minutes": "5"}',
        "OutId": "d-1",
    }
    assert request.headers["x-acs-action"] == "SendSms"
    assert request.headers["x-acs-version"] == "2017-05-25"
    sent_at = datetime.strptime(request.headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - sent_at).total_seconds()) < 60


def test_a_number_abroad_and_a_template_and_signature_of_this_provider() -> None:
    content = {
        "template_code": "tencent_sms=2, aliyun_sms=SMS_2",
        "signature": "aliyun_sms=Other",
        "params": {},
    }
    _sent, (request,) = send(Answer(body=OK), outgoing("phone", "+85290001234", content))
    assert request.query["PhoneNumbers"] == "85290001234"
    assert request.query["TemplateCode"] == "SMS_2"
    assert request.query["SignName"] == "Other"


@pytest.mark.parametrize(
    "content",
    [{"text": "Paid."}, {"template_code": "tencent_sms=2"}, {"template_code": "SMS_1", "params": [1]}],
)
def test_content_that_this_provider_cannot_send_is_refused(content: dict[str, Any]) -> None:
    result, requests = send(Answer(body=OK), outgoing("phone", "+8613800138000", content))
    assert meaning(result) == "Refused"
    assert requests == []


@pytest.mark.parametrize(("status", "code", "sentence", "expected"), MEANINGS)
def test_a_code_means(status: int, code: str, sentence: str, expected: str) -> None:
    body = {"RequestId": "R-1", "Code": code, "Message": sentence, "HostId": "dysmsapi.aliyuncs.com"}
    result, _requests = send(Answer(status=status, body=body))
    assert meaning(result) == expected
    assert isinstance(result, ChannelError)
    assert (result.code, result.detail) == (code, sentence)


def test_every_code_of_the_table_has_a_row() -> None:
    assert {code for _status, code, _sentence, _expected in MEANINGS} >= set(CODES)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(body=b"<html>slow down</html>"), "Temporary maybe_sent"),
        (Answer(body={}), "Temporary maybe_sent"),
        (Answer(status=504, body=b"<html>gateway</html>"), "Temporary maybe_sent"),
        (Answer(status=500, body=b""), "Temporary"),
    ],
)
def test_an_answer_that_says_nothing_leaves_doubt(answer: Answer, expected: str) -> None:
    assert meaning(send(answer)[0]) == expected


def test_the_official_library_signs_the_same_request_in_the_same_way() -> None:
    """Its client sends to our server, and our signature of what arrived is the one that it came with."""
    from alibabacloud_dysmsapi20170525 import models
    from alibabacloud_dysmsapi20170525.client import Client
    from alibabacloud_tea_openapi import models as open_api

    def work(base_url: str) -> Any:
        host = base_url.removeprefix("http://")
        client = Client(
            open_api.Config(
                access_key_id=CONFIG["access_key_id"],
                access_key_secret=CONFIG["access_key_secret"],
                endpoint=host,
                protocol="http",
                region_id="cn-hangzhou",
                signature_algorithm="ACS3-HMAC-SHA256",
            )
        )
        client._protocol = "http"
        request = models.SendSmsRequest(
            phone_numbers="13800138000",
            sign_name="阿里云 *~+",
            template_code="SMS_1",
            template_param='{"code":"a b/c&d=e"}',
            out_id="d-1",
        )
        return asyncio.to_thread(client.send_sms, request)

    answer, (request,) = provider.play({"": Answer(body=OK)}, work)
    assert answer.body.biz_id == OK["BizId"]
    given = request.headers["authorization"]
    signed = given.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    headers = {name: request.headers[name] for name in signed}
    ours = authorization(CONFIG["access_key_id"], CONFIG["access_key_secret"], request.query, headers)
    assert ours == given


def test_our_own_request_carries_the_signature_of_all_that_counts() -> None:
    _sent, (request,) = send(Answer(body=OK))
    given = request.headers["authorization"]
    signed = given.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert signed == [
        "host",
        "x-acs-action",
        "x-acs-content-sha256",
        "x-acs-date",
        "x-acs-signature-nonce",
        "x-acs-version",
    ]
    headers = {name: request.headers[name] for name in signed}
    assert given == authorization("LTAI5tKey", "s3cret", request.query, headers)


def test_the_same_text_to_many_is_one_call_and_each_report_names_its_number() -> None:
    messages = [
        outgoing("phone", number, CONTENT, id=f"d-{number}")
        for number in ("+8613800138000", "+8613800138001", "+85290001234")
    ]

    async def work(base_url: str) -> list[Sent | ChannelError]:
        return await provider.adapter("aliyun_sms", CONFIG, base_url).send_many(messages)

    results, requests = provider.play({"": Answer(body=OK)}, work)
    assert results == [Sent(provider_id=OK["BizId"])] * 3
    assert [each.query["PhoneNumbers"] for each in requests] == ["13800138000,13800138001", "85290001234"]
    assert "OutId" not in requests[0].query


def receipts(body: Any) -> list[Receipt]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    callback = Callback(headers={}, query={}, body=raw, url="")
    return list(provider.adapter("aliyun_sms", CONFIG).receipts(callback))


REPORT = {
    "phone_number": "13800138000",
    "send_time": "2017-01-01 00:00:00",
    "report_time": "2017-01-01 08:00:00",
    "success": True,
    "err_code": "DELIVERED",
    "err_msg": "用户接收成功",
    "sms_size": "1",
    "biz_id": "12345",
    "out_id": "67890",
}


def test_a_report_is_read() -> None:
    (receipt,) = receipts([REPORT])
    assert receipt == Receipt(
        provider_id="12345",
        delivery_id="67890",
        address="+8613800138000",
        outcome=Outcome.DELIVERED,
        at=datetime(2017, 1, 1, tzinfo=UTC),
        code="DELIVERED",
        reason="用户接收成功",
        event_id="12345:+8613800138000:DELIVERED",
    )


@pytest.mark.parametrize("code", ["MK:0001", "W-BLACK", "SOMETHING_NEW", ""])
def test_a_report_of_failure_keeps_the_carriers_code_whatever_it_is(code: str) -> None:
    (receipt,) = receipts([{**REPORT, "success": False, "err_code": code}])
    assert (receipt.outcome, receipt.code) == (Outcome.UNDELIVERED, code)


def test_one_call_has_several_reports_and_strange_ones_do_no_harm() -> None:
    found = receipts([REPORT, 7, None, {"biz_id": [1]}, {**REPORT, "phone_number": "13800138001"}])
    assert [each.address for each in found] == ["+8613800138000", "+8613800138001"]


def test_an_answer_of_stop_is_an_opt_out_of_the_number() -> None:
    answer = {"phone_number": "13800138000", "send_time": "2017-01-01 08:00:00", "sequence_id": 1234567890}
    (receipt,) = receipts([{**answer, "content": "TD"}, {**answer, "content": "谢谢"}])
    assert (receipt.address, receipt.outcome) == ("+8613800138000", Outcome.OPTED_OUT)
    assert receipt.provider_id == receipt.delivery_id == ""


def test_the_provider_is_answered_as_it_wants() -> None:
    reply = provider.adapter("aliyun_sms", CONFIG).reply(Callback(headers={}, query={}, body=b"", url=""))
    assert json.loads(reply.body) == {"code": 0, "msg": "ok"}


def test_the_credentials_can_be_tried() -> None:
    async def work(base_url: str) -> str:
        return await provider.adapter("aliyun_sms", CONFIG, base_url).check()

    said, (request,) = provider.play({"": Answer(body={"Code": "OK", "SignStatus": 1})}, work)
    assert said
    assert request.query == {"SignName": "阿里云"}
    assert request.headers["x-acs-action"] == "QuerySmsSign"


def test_there_is_no_idempotency_so_that_a_lost_answer_is_a_possible_duplicate() -> None:
    assert not provider.adapter("aliyun_sms", CONFIG).capabilities.idempotent


def test_the_provider_may_say_itself_how_long_to_wait() -> None:
    body = {"Code": "Throttling.User", "Message": "slow down"}
    result, _requests = send(Answer(status=429, body=body, headers={"retry-after": "7"}))
    assert isinstance(result, Throttled)
    assert result.retry_after == 7


def look_up(*answers: Answer, days: int = 0) -> Any:
    """What a look-up comes to so many days after the attempt, and what the provider was asked."""
    message = msgspec.structs.replace(MESSAGE, tried_at=datetime.now(UTC) - timedelta(days=days))

    async def work(base_url: str) -> Sent | ChannelError | None:
        try:
            return await provider.adapter("aliyun_sms", CONFIG, base_url).lookup(message)
        except ChannelError as error:
            return error

    return provider.play({"": list(answers)}, work)


def details(*found: dict[str, Any], total: int | None = None) -> Answer:
    number = str(len(found) if total is None else total)
    listed = {"SmsSendDetailDTO": list(found)}
    return Answer(body={"Code": "OK", "Message": "OK", "TotalCount": number, "SmsSendDetailDTOs": listed})


OTHER = {"OutId": "d-0", "SendStatus": 3, "TemplateCode": "SMS_71390007"}
OURS = {**OTHER, "OutId": "d-1", "SendStatus": 1}


def test_a_message_is_looked_up_by_our_id_among_all_that_the_number_got() -> None:
    found, (request,) = look_up(details(OTHER, OURS))
    assert found == Sent(note="found by our id")
    assert request.headers["x-acs-action"] == "QuerySendDetails"
    assert request.query == {
        "PhoneNumber": "13800138000",
        "SendDate": f"{datetime.now(BEIJING):%Y%m%d}",
        "PageSize": "50",
        "CurrentPage": "1",
    }


@pytest.mark.parametrize(("status", "outcome"), [(2, Outcome.UNDELIVERED), (3, Outcome.DELIVERED)])
def test_what_became_of_it_since_is_told_too(status: int, outcome: Outcome) -> None:
    ended = {**OURS, "SendStatus": status, "ErrCode": "X", "ReceiveDate": "2026-11-25 12:00:00"}
    found, _requests = look_up(details(ended))
    (receipt,) = found.receipts
    assert (receipt.delivery_id, receipt.outcome, receipt.code) == ("d-1", outcome, "X")
    assert receipt.at == datetime(2026, 11, 25, 4, tzinfo=UTC)


def test_what_is_not_among_them_was_not_taken() -> None:
    assert look_up(details())[0] is None
    assert look_up(details(OTHER))[0] is None


def test_all_pages_are_read() -> None:
    found, requests = look_up(details(*[OTHER] * 50, total=51), details(OURS, total=51))
    assert isinstance(found, Sent)
    assert [each.query["CurrentPage"] for each in requests] == ["1", "2"]


def test_all_days_since_then_are_asked_about_but_not_for_ever() -> None:
    found, requests = look_up(details(), days=2)
    assert found is None
    days = [datetime.now(BEIJING) - timedelta(days=back) for back in (2, 1, 0)]
    assert [each.query["SendDate"] for each in requests] == [f"{day:%Y%m%d}" for day in days]
    error, _requests = look_up(details(), days=8)
    assert error.code == "too_old"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (details({**OTHER, "OutId": ""}), "ambiguous"),  # it may have gone out in a group
        (details(total=2), "incomplete"),  # https://github.com/aliyun/alibabacloud-java-sdk/issues/42
        (Answer(body={"Code": "OK"}), "incomplete"),
        (Answer(body={"Code": "isp.RAM_PERMISSION_DENY", "Message": "no"}), "isp.RAM_PERMISSION_DENY"),
    ],
)
def test_what_is_not_certain_is_no_answer(answer: Answer, code: str) -> None:
    error, _requests = look_up(answer)
    assert isinstance(error, ChannelError)
    assert error.code == code
