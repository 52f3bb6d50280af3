"""Work notices of an app in DingTalk, to employees.

Sending is asynchronous: a success means that DingTalk has queued it, so that the result is asked for later. A text that
a person has already had on that day is dropped without a word, which is why each notice carries a short reference.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from channels_app.channels import DINGTALK, group_of
from channels_app.chat_text import markdown, own_message, part, plain
from channels_app.china import throttled_until
from channels_app.codes import STALE_TOKEN, Meaning, with_token
from channels_app.contract import (
    Adapter,
    Address,
    BaseURLField,
    Capabilities,
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
from channels_app.json_api import Answer, JsonApi, text_at, to_json, token_in
from channels_app.tokens import Token

SEND = "/topapi/message/corpconversation/asyncsend_v2"
RESULT = "/topapi/message/corpconversation/getsendresult"
#: For the whole message, with the JSON around the text.
MAX_BYTES = 2048
#: The results can be asked for within a day.
POLL_AFTER = (10.0, 60.0, 600.0, 7200.0)
#: The person has had this notice today: the attempt before this one arrived.
ALREADY = frozenset({"143106", "143206"})
of_person_today = throttled_until(0, scope=Scope.ADDRESS)
pause = partial(Throttled, retry_after=60)
#: Whoever calls too often from one IP address gets a page in HTML for five minutes.
banned = partial(Throttled, code="ip_limit", retry_after=300)

#: https://open.dingtalk.com/document/orgapp/error-code
CODES: Mapping[str, Meaning] = {
    "33012": Unreachable,  # no such userid
    "60121": Unreachable,  # no such employee
    "90002": partial(Throttled, retry_after=20),  # this interface, all callers together
    "90018": partial(Throttled, retry_after=5),  # this app in this second
    "90019": partial(Throttled, retry_after=5),
    "143103": pause,  # recipients in this minute, of this app
    "143104": pause,  # of this enterprise
    "143203": pause,
    "143204": pause,
    "1430003": pause,  # the system protects itself
    "143105": of_person_today,  # this person has had 500 today
    "143205": of_person_today,
    "40014": STALE_TOKEN,
    "42001": STALE_TOKEN,
    "88": Misconfigured,  # not authorised, without saying why
    "40001": Misconfigured,
    "40078": Misconfigured,
    "40089": Misconfigured,  # a wrong AppKey or AppSecret
    "60011": Misconfigured,  # no right to this interface
    "60020": Misconfigured,  # our IP address is not on the list
    "90020": Misconfigured,  # the calls of this month are used up
    "1430002": Refused,  # forbidden words
    "-1": Temporary,  # busy
}


def verdict(answer: Mapping[str, Any]) -> tuple[str, str]:
    """Of a failed authorisation (88) the reason is in the sub code."""
    code, detail = text_at(answer, "errcode"), text_at(answer, "errmsg")
    if code == "88" and text_at(answer, "sub_code"):
        return text_at(answer, "sub_code"), text_at(answer, "sub_msg") or detail
    return ("" if code == "0" or code in ALREADY else code), detail


class DingtalkNoticeAdapter(Adapter):
    name = "dingtalk_notice"
    label = _("DingTalk work notice")
    channel = DINGTALK
    # With the reference in it, a repeated attempt is the text that the person has had already.
    # 40 calls in a second for each app in an organisation; who is too fast is banned for five minutes.
    capabilities = Capabilities(idempotent=True, check=True, poll_after=POLL_AFTER, rate=40)
    api = JsonApi(
        verdict=verdict,
        speaks=lambda answer: "errcode" in answer,
        codes=CODES,
        statuses={403: banned, 404: Misconfigured, 410: Misconfigured},
        not_json=lambda detail="", **_fields: banned(detail),
        timeout=10,
    )
    specimen = Specimen(
        config={"app_key": "ding1", "app_secret": "s-1", "agent_id": 123456},
        address="manager4220",
        content={"format": "text", "title": "Paid", "text": "Order 7 is paid."},
        answers={
            "gettoken": {"errcode": 0, "errmsg": "ok", "access_token": "token-1", "expires_in": 7200},
            "": {"errcode": 0, "errmsg": "ok", "task_id": 256271667526},
        },
        refusal={"errcode": 1430002, "errmsg": "forbidden words"},
    )

    class Config(forms.Form):
        app_key = forms.CharField(
            max_length=100,
            label=_("AppKey (Client ID)"),
            help_text=_("In the developer console of DingTalk, on the page Credentials of the app."),
        )
        app_secret = SecretField(label=_("AppSecret (Client Secret)"), help_text=_("On the same page."))
        agent_id = forms.IntegerField(
            min_value=1, label=_("AgentId"), help_text=_("On the same page; a number of the app's own.")
        )
        base_url = BaseURLField("https://oapi.dingtalk.com")

    def takes(self, address: Address) -> bool:
        return not group_of(address)

    async def send(self, message: Outgoing) -> Sent:
        if "," in message.address.value:
            raise Unreachable("this is no userid", code="malformed")
        answer = await self._call(
            SEND,
            {
                "agent_id": self.config["agent_id"],
                "userid_list": message.address.value,
                "msg": _message(message),
            },
        )
        if text_at(answer.data, "errcode") in ALREADY:
            return Sent(final=True, note="the person has had this notice today")
        return Sent(provider_id=text_at(answer.data, "task_id"))

    async def _call(self, path: str, body: Mapping[str, Any]) -> Answer:
        async def work(token: str) -> Answer:
            return await self.api.post(
                self.base_url + path, body, query={"access_token": token}, guard=self.guard
            )

        return await with_token(self.tokens, "access", self._fetch, work)

    async def _fetch(self) -> Token:
        answer = await self.api.get(
            f"{self.base_url}/gettoken",
            query={"appkey": self.config["app_key"], "appsecret": self.config["app_secret"]},
            guard=self.guard,
        )
        return token_in(answer, "access_token", "expires_in")

    async def check(self) -> str:
        await self._fetch()
        return str(_("DingTalk gives a token for this app."))

    async def poll(self, provider_id: str) -> Sequence[Receipt]:
        number = int(provider_id) if provider_id.isdigit() else provider_id
        answer = await self._call(RESULT, {"agent_id": self.config["agent_id"], "task_id": number})
        result = answer.data.get("send_result")
        return _receipts(provider_id, result) if isinstance(result, dict) else ()


def _message(message: Outgoing) -> dict[str, Any]:
    own = own_message(message.content)
    if own is not None:
        return own
    reference = f"[{message.id[-8:]}]"
    whole = _written(message.content, reference, max_bytes=MAX_BYTES)
    excess = len(to_json(whole)) - MAX_BYTES
    return _written(message.content, reference, max_bytes=MAX_BYTES - excess) if excess > 0 else whole


def _written(content: Mapping[str, Any], reference: str, *, max_bytes: int) -> dict[str, Any]:
    if content.get("format") not in {"card", "markdown"}:
        text = plain(content, max_bytes=max_bytes, tail=reference)
        return {"msgtype": "text", "text": {"content": text}}
    title = part(content, "title") or part(content, "text")[:20]
    if content.get("format") == "card" and content.get("link"):
        text = markdown({**content, "link": ""}, max_bytes=max_bytes, tail=reference)
        label = part(content, "link_label") or title
        card = {"title": title, "markdown": text, "single_title": label, "single_url": part(content, "link")}
        return {"msgtype": "action_card", "action_card": card}
    text = markdown(content, max_bytes=max_bytes, tail=reference)
    return {"msgtype": "markdown", "markdown": {"title": title, "text": text}}


#: Lists of people in a result, and what each list says.
LISTS: Mapping[str, Sequence[Outcome]] = {
    "invalid_user_id_list": (Outcome.UNDELIVERED,),
    "failed_user_id_list": (Outcome.UNDELIVERED,),
    "unread_user_id_list": (Outcome.DELIVERED,),
    "read_user_id_list": (Outcome.DELIVERED, Outcome.OPENED),
}


def _receipts(task: str, result: Mapping[str, Any]) -> list[Receipt]:
    found = [
        _receipt(task, str(person), outcome, name.removesuffix("_user_id_list"))
        for name, outcomes in LISTS.items()
        for person in _list(result, name)
        for outcome in outcomes
    ]
    reasons = {
        text_at(each, "userid"): text_at(each, "code")
        for each in _list(result, "forbidden_list")
        if isinstance(each, dict)
    }
    forbidden = {*map(str, _list(result, "forbidden_user_id_list")), *reasons}
    return found + [_forbidden(task, person, reasons.get(person, "")) for person in sorted(forbidden)]


def _list(result: Mapping[str, Any], name: str) -> list[Any]:
    """As a list, or as DingTalk also writes it, one object or a text with commas."""
    value = result.get(name) or []
    if isinstance(value, str):
        return [each for each in value.split(",") if each]
    return value if isinstance(value, list) else [value]


def _forbidden(task: str, person: str, code: str) -> Receipt:
    outcome = Outcome.DELIVERED if code in ALREADY else Outcome.UNDELIVERED
    return _receipt(task, person, outcome, code or "forbidden")


def _receipt(task: str, person: str, outcome: Outcome, code: str) -> Receipt:
    return Receipt(
        provider_id=task,
        address=person,
        outcome=outcome,
        code=code,
        event_id=f"{task}:{person}:{outcome.value}",
    )
