"""Mail through the API of a provider, by django-anymail: every provider that it supports in full.

Anymail blocks, so an account has a few threads, which share its connections. The settings come from the account and not
from Django's. Facts: https://anymail.dev/en/stable/esps/
"""

import asyncio
import base64
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import policy
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailRequestsAPIError,
    AnymailUnsupportedFeature,
    AnymailWebhookValidationFailure,
)
from django import forms
from django.core.exceptions import ValidationError
from django.core.handlers.wsgi import WSGIRequest
from django.core.mail import EmailMultiAlternatives
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from channels_app import http, standard_webhooks
from channels_app.channels import EMAIL, http_url
from channels_app.codes import Meaning, error_for
from channels_app.contract import (
    Adapter,
    Callback,
    Capabilities,
    ChannelError,
    ForgedCallback,
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
from channels_app.mime import Mailbox, is_dead, one_line, plain_text, unsubscribe_headers, with_preheader

#: The path of a value in a provider's call, and some of what it can be.
Words = tuple[str, frozenset[str]]
CONNECT_S, READ_S = 5.0, 15.0
ONE_LINE = policy.compat32.clone(max_line_length=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Esp:
    """An email service provider: ``options`` are the arguments of Anymail's backend, by the account's settings."""

    label: str
    options: Mapping[str, str]
    view: str = ""
    #: Settings that it cannot do without.
    needs: tuple[str, ...] = ("api_key",)
    #: Arguments of Anymail's webhook view, likewise.
    verified_by: Mapping[str, str] = field(default_factory=dict)
    #: Does Svix sign its calls? Anymail needs a package for that, which brings its own HTTP client along.
    svix: bool = False
    #: Where its calls say that an address is dead, and in which words.
    dead: Words = ("", frozenset())
    #: Does it give back what a mail had attached for it?
    metadata: bool = True
    #: Does it count opens and clicks of a mail when it is asked to, and only then?
    tracks: bool = False


def says(path: str, *values: str) -> Words:
    return path, frozenset(values)


KEY = {"api_key": "api_key"}
TOKEN = {"api_token": "api_key"}
SIGNED = {"signing_secret": "signing_secret"}
ESPS: Mapping[str, Esp] = {
    "amazon_ses": Esp(
        label="Amazon SES",
        options={},
        view="AmazonSES",
        needs=("region",),
        dead=says("bounce.bounceType", "Permanent"),
    ),
    "brevo": Esp(
        label="Brevo", options=KEY, view="Brevo", dead=says("event", "hard_bounce", "invalid_email")
    ),
    "mailersend": Esp(
        label="MailerSend",
        options=TOKEN,
        view="MailerSend",
        verified_by=SIGNED,
        metadata=False,
        dead=says("data.type", "hard_bounced"),
        tracks=True,
    ),
    "mailgun": Esp(
        label="Mailgun",
        options=KEY | {"sender_domain": "sender_domain"},
        view="Mailgun",
        verified_by={"webhook_signing_key": "signing_secret"},
        dead=says("event-data.reason", "bounce", "suppress-bounce"),
        tracks=True,
    ),
    "mailjet": Esp(
        label="Mailjet",
        options=KEY | {"secret_key": "secret_key"},
        view="Mailjet",
        needs=("api_key", "secret_key"),
        dead=says("hard_bounce", "True"),
        tracks=True,
    ),
    "mailtrap": Esp(
        label="Mailtrap",
        options=TOKEN,
        view="Mailtrap",
        verified_by=SIGNED,
        dead=says("event", "bounce"),
    ),
    "postmark": Esp(
        label="Postmark",
        options={"server_token": "api_key", "message_stream": "message_stream"},
        view="Postmark",
        dead=says("Type", "HardBounce", "BadEmailAddress"),
        tracks=True,
    ),
    "resend": Esp(
        label="Resend",
        options=KEY,
        view="Resend",
        svix=True,
        dead=says("data.bounce.type", "Permanent"),
    ),
    "scaleway": Esp(
        label="Scaleway",
        options={"secret_key": "api_key", "project_id": "project_id", "region": "region"},
        needs=("api_key", "project_id"),
    ),
    "sparkpost": Esp(
        label="SparkPost",
        options=KEY,
        view="SparkPost",
        # 10 invalid recipient, 30 no such recipient
        dead=says("msys.message_event.bounce_class", "10", "30"),
        tracks=True,
    ),
    "unisender_go": Esp(
        label="Unisender Go",
        options=KEY,
        view="UnisenderGo",
        needs=("api_key", "base_url"),
        verified_by=KEY,
        dead=says(
            "delivery_info.delivery_status",
            "err_user_unknown",
            "err_user_inactive",
            "err_mailbox_discarded",
            "err_domain_inactive",
        ),
        tracks=True,
    ),
}
#: A mail API names no addressee in its path.
STATUSES: Mapping[int, Meaning] = {404: Refused, 410: Refused}
#: Those of Amazon SES, which Anymail leaves in the error of boto3: https://docs.aws.amazon.com/ses/latest/APIReference-V2
CODES: Mapping[str, Meaning] = {
    "MessageRejected": Refused,  # the content, or an address that is not verified
    "BadRequestException": Refused,
    "ValidationException": Refused,
    "MailFromDomainNotVerifiedException": partial(Misconfigured, scope=Scope.SENDER),
    "NotFoundException": Misconfigured,  # there is no such configuration set
    "SendingPausedException": Misconfigured,
    "AccountSuspendedException": Misconfigured,
    "AccessDeniedException": Misconfigured,
    "UnrecognizedClientException": Misconfigured,  # no such key
    "InvalidClientTokenId": Misconfigured,  # no such key
    "InvalidSignatureException": Misconfigured,  # wrong secret
    "SignatureDoesNotMatch": Misconfigured,  # wrong secret
    "ExpiredTokenException": Misconfigured,
    "Throttling": Throttled,
    "ThrottlingException": Throttled,
    "TooManyRequestsException": Throttled,
    "LimitExceededException": partial(Throttled, retry_after=3600.0),  # the quota of 24 hours
    "InternalFailure": Temporary,
    "InternalServiceErrorException": Temporary,
    "ServiceUnavailable": Temporary,
}
#: How Amazon words a MessageRejected that speaks of us.
NOT_VERIFIED = re.compile(r"not verified", re.IGNORECASE)
NEVER_CONNECTED = (NewConnectionError, ConnectTimeoutError)
#: Errors of botocore by name, because it is there for Amazon SES alone.
NO_CREDENTIALS = frozenset({"NoCredentialsError", "PartialCredentialsError"})
NO_CONNECTION = frozenset({"EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError"})
#: Anymail's words; one that is not here, such as deferred, changes nothing.
OUTCOMES: Mapping[str, Outcome] = {
    "sent": Outcome.SENT,
    "rejected": Outcome.UNDELIVERED,
    "failed": Outcome.UNDELIVERED,
    "bounced": Outcome.UNDELIVERED,
    "delivered": Outcome.DELIVERED,
    "opened": Outcome.OPENED,
    "clicked": Outcome.CLICKED,
    "complained": Outcome.COMPLAINED,
    "unsubscribed": Outcome.OPTED_OUT,
    "subscribed": Outcome.OPTED_IN,
}
#: Why something was rejected can say more of the person than that.
REASONS: Mapping[str, Outcome] = {"unsubscribed": Outcome.OPTED_OUT, "spam": Outcome.COMPLAINED}


def mailbox(value: str) -> None:
    """Form validator."""
    try:
        Mailbox.parse(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def url(value: str) -> None:
    """Form validator."""
    try:
        http_url(value)
    except ValueError as error:
        raise ValidationError(str(error)) from None


def is_svix_secret(value: str) -> bool:
    """Is it one, or not given? Without one, mails go out and receipts are refused."""
    try:
        return not value or bool(standard_webhooks.key_of(value))
    except ValueError:
        return False


def user_and_password(value: str) -> None:
    """Form validator."""
    if not all(value.partition(":")):
        raise ValidationError(_("Write the user name, a colon, and the password."))


def sample_receipt(config: Mapping[str, Any], provider_id: str) -> Callback:
    """A call of Postmark's about a delivered mail."""
    body = (
        b'{"RecordType": "Delivery", "MessageID": "%s", "Recipient": "ann@example.org", '
        b'"DeliveredAt": "2026-09-21T14:13:20Z"}' % provider_id.encode()
    )
    auth = base64.b64encode(config["webhook_auth"].encode()).decode()
    return Callback(
        headers={"authorization": f"Basic {auth}"},
        query={},
        body=body,
        url="https://push.example.com/callbacks/1/2",
    )


class AnymailAdapter(Adapter):
    name = "anymail"
    label = _("Mail provider (Anymail)")
    channel = EMAIL
    capabilities = Capabilities(receipts=True, timeout=CONNECT_S + READ_S + 10)
    specimen = Specimen(
        config={
            "esp": "postmark",
            "api_key": "token",
            "webhook_auth": "shop:sesame",
            "from_address": "Shop <shop@example.com>",
        },
        address="ann@example.org",
        content={"subject": "Order 42", "text": "Paid."},
        answers={"/email": {"To": "ann@example.org", "MessageID": "m-1", "ErrorCode": 0, "Message": "OK"}},
        refusal={"To": "ann@example.org", "ErrorCode": 300, "Message": "Invalid"},
        receipt=sample_receipt,
    )

    class Config(forms.Form):
        esp = forms.ChoiceField(
            choices=[(name, esp.label) for name, esp in ESPS.items()], label=_("Mail provider")
        )
        from_address = forms.CharField(
            max_length=320,
            validators=[mailbox],
            label=pgettext_lazy("sender", "From"),
            help_text=_("Such as Shop <shop@example.com>. The provider has to know the domain."),
        )
        reply_to = forms.CharField(required=False, max_length=320, validators=[mailbox], label=_("Reply to"))
        api_key = SecretField(
            required=False,
            label=_("API key"),
            help_text=_("Postmark: the server token. Amazon SES and Scaleway: the secret access key."),
        )
        secret_key = SecretField(required=False, label=_("Secret key"), help_text=_("Mailjet alone."))
        access_key_id = forms.CharField(
            required=False,
            max_length=128,
            label=_("Access key ID"),
            help_text=_("Amazon SES alone. Without one, the role of this machine is used."),
        )
        region = forms.CharField(
            required=False,
            max_length=40,
            label=_("Region"),
            help_text=_("Amazon SES, such as eu-central-1, and Scaleway."),
        )
        project_id = forms.CharField(
            required=False, max_length=60, label=_("Project ID"), help_text=_("Scaleway alone.")
        )
        sender_domain = forms.CharField(
            required=False,
            max_length=253,
            label=_("Sender's domain"),
            help_text=_("Mailgun alone, where it is not the domain of From."),
        )
        message_stream = forms.CharField(
            required=False, max_length=60, label=_("Message stream"), help_text=_("Postmark alone.")
        )
        signing_secret = SecretField(
            required=False,
            label=_("Signing secret of webhooks"),
            help_text=_("MailerSend, Mailgun, Mailtrap and Resend (whsec_…) sign their calls with it."),
        )
        webhook_auth = SecretField(
            required=False,
            validators=[user_and_password],
            label=_("User name and password of webhooks"),
            help_text=_(
                "For providers that do not sign: write shop:sesame here, and give them the address for receipts "
                "as https://shop:sesame@…"
            ),
        )
        base_url = forms.CharField(
            required=False,
            max_length=500,
            validators=[url],
            label=_("Base URL"),
            help_text=_(
                "Of the provider's API, where it is not the usual one: a region, a proxy, a test server."
            ),
        )
        connections = forms.IntegerField(
            min_value=1,
            max_value=32,
            initial=8,
            label=_("Connections"),
            help_text=_("How many mails each worker process hands over at the same time."),
        )

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean() or {}
            esp = ESPS.get(cleaned.get("esp") or "")
            for name in esp.needs if esp else ():
                if not cleaned.get(name) and name not in self.errors:
                    self.add_error(name, ValidationError(_("This provider needs it.")))
            if esp and esp.svix and not is_svix_secret(cleaned.get("signing_secret") or ""):
                self.add_error("signing_secret", ValidationError(_("Write whsec_ and then Base64.")))
            if cleaned.get("esp") == "amazon_ses" and find_spec("boto3") is None:
                self.add_error("esp", ValidationError(_("The package boto3 is not installed.")))
            return cleaned

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._esp = ESPS[config["esp"]]
        self._pool = ThreadPoolExecutor(max_workers=self.concurrency, thread_name_prefix="anymail")
        self._lock = threading.Lock()
        self._opened: Any = None

    @property
    def concurrency(self) -> int:
        return self.config.get("connections") or 8

    async def send(self, message: Outgoing) -> Sent:
        if self.guard:
            await http.check_destination(self.base_url)
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._deliver, message)

    async def close(self) -> None:
        """Waits for the mails under way."""
        await asyncio.to_thread(self._shut)

    def _shut(self) -> None:
        self._pool.shutdown(wait=True)
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    # The next three run in the threads.

    def _deliver(self, message: Outgoing) -> Sent:
        mail = letter(message, self.config)
        try:
            self._backend().send_messages([mail])
        except (AnymailError, AnymailConfigurationError) as error:
            raise meaning(error, message.address.value) from None
        status = next(iter(mail.anymail_status.recipients.values()), None)
        if status is None or status.status == "failed":
            raise Temporary("the provider could not send it", code="failed")
        return Sent(provider_id=str(status.message_id or ""), note=str(status.status or ""))

    def _backend(self) -> Any:
        with self._lock:  # boto3 takes a second to begin
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def _open(self) -> Any:
        kind = import_string(f"anymail.backends.{self.config['esp']}.EmailBackend")
        backend = kind(**self._options())
        backend.open()
        if session := getattr(backend, "session", None):
            session.trust_env = False
            session.mount("https://", HTTPAdapter(pool_maxsize=self.concurrency))
            # What a redirect leads to would not be checked.
            session.request = partial(session.request, allow_redirects=False)
        return backend

    def _options(self) -> dict[str, Any]:
        if self.config["esp"] == "amazon_ses":
            endpoint = {"endpoint_url": self.base_url} if self.base_url else {}
            return {"client_params": {**self._boto_params(), **endpoint}}
        options = {name: self.config[key] for name, key in self._esp.options.items() if self.config.get(key)}
        if self.base_url:
            options["api_url"] = self.base_url
        return {**options, "timeout": (CONNECT_S, READ_S)}

    def _boto_params(self) -> dict[str, Any]:
        config = self.config
        params = {
            "region_name": config.get("region"),
            "aws_access_key_id": config.get("access_key_id"),
            "aws_secret_access_key": config.get("access_key_id") and config.get("api_key"),
        }
        # Repeating is dispatch's business, which knows whether a mail may have been sent.
        once = {"connect_timeout": CONNECT_S, "read_timeout": READ_S, "retries": {"total_max_attempts": 1}}
        once["max_pool_connections"] = self.concurrency
        return {**{name: value for name, value in params.items() if value}, "config": once}

    def receipts(self, callback: Callback) -> Iterable[Receipt]:
        view = self._view()
        if self._esp.svix:
            standard_webhooks.verify(self.config["signing_secret"], callback, headers="svix")
        request = as_django(callback)
        try:
            view.run_validators(request)
        except AnymailWebhookValidationFailure as error:
            raise ForgedCallback(str(error)[:200]) from None
        # Amazon wants its subscription confirmed, which Anymail does for a call that brought a secret: the path is one.
        view.basic_auth = view.basic_auth or ["the secret path"]
        for event in view.parse_events(request):
            yield from reports(event, self._esp)

    def _view(self) -> Any:
        """Anymail's own view of this provider's calls, with the account's secrets."""
        esp = self._esp
        options: dict[str, Any] = {name: self.config.get(key) for name, key in esp.verified_by.items()}
        if not esp.view:
            raise ForgedCallback(f"{esp.label} does not report receipts")
        if not all(options.values()) or (esp.svix and not self.config.get("signing_secret")):
            raise ForgedCallback("the account has no signing secret")
        kind = import_string(f"anymail.webhooks.{self.config['esp']}.{esp.view}TrackingWebhookView")
        if self.config["esp"] == "amazon_ses":
            options["client_params"] = self._boto_params()
        auth = self.config.get("webhook_auth")
        return type(kind.__name__, (Quiet, kind), {})(webhook_secret=[auth] if auth else [], **options)


class Quiet:
    """The address for receipts is secret, so that a call without a password is none to warn of."""

    warn_if_no_basic_auth = property(lambda _self: False, lambda _self, _value: None)


class Mail(EmailMultiAlternatives):
    """With headers on one line each."""

    metadata: dict[str, str]
    track_opens: bool
    track_clicks: bool
    anymail_status: Any

    def message(self, *args: Any, **kwargs: Any) -> Any:
        made = super().message(*args, **kwargs)
        made.policy = ONE_LINE
        return made


def letter(message: Outgoing, config: Mapping[str, Any]) -> Mail:
    content, html = message.content, message.content.get("html") or ""
    mail = Mail(
        subject=one_line(content.get("subject") or ""),
        body=content.get("text") or plain_text(html),
        from_email=config["from_address"],
        to=[message.address.value],
        reply_to=[config["reply_to"]] if config.get("reply_to") else None,
        headers=unsubscribe_headers(message),
    )
    if html:
        mail.attach_alternative(with_preheader(html, content.get("preheader") or ""), "text/html")
    if ESPS[config["esp"]].metadata:
        mail.metadata = {"delivery": message.id}  # comes back in receipts
    if ESPS[config["esp"]].tracks:
        mail.track_opens = mail.track_clicks = message.is_tracked
    return mail


def meaning(error: Exception, address: str) -> ChannelError:
    """What an error of Anymail's stands for."""
    match error:
        case AnymailInvalidAddress():
            return Unreachable("this is no address for mail", code="malformed")
        case AnymailRecipientsRefused():
            return refusal(error)
        case AnymailUnsupportedFeature():
            return Misconfigured(str(error)[:300], code="unsupported", scope=Scope.TEMPLATE)
        case AnymailRequestsAPIError():
            return of_requests(error, address)
        case AnymailAPIError():
            return of_boto(error.__cause__, address)
        case AnymailConfigurationError():
            return Misconfigured(str(error)[:300], code="configuration")
    return Refused(type(error).__name__, code="anymail")


def refusal(error: AnymailRecipientsRefused) -> Unreachable:
    """Invalid, or on the provider's own list of those who get nothing."""
    words = error.email_message.anymail_status.status or set()
    return Unreachable("the provider refuses the address", code=",".join(sorted(filter(None, words))))


def of_requests(error: Any, address: str) -> ChannelError:
    if error.status_code is None:
        never = any(isinstance(each, NEVER_CONNECTED) for each in chain(error))
        code = "connect" if never else "connection_lost"
        return Temporary(f"no answer: {type(error.__cause__).__name__}", code=code, maybe_sent=not never)
    answer = error.response
    lowered = {name.lower(): value for name, value in answer.headers.items()}
    pause = http.parse_retry_after(lowered.get("retry-after", ""), now=datetime.now(UTC))
    reply = http.Reply(status=answer.status_code, headers=lowered, body=b"", retry_after=pause)
    try:
        http.raise_for_status(reply, STATUSES, detail=redacted(answer.text, address))
    except ChannelError as found:
        return found
    # A success that says no, or that is no JSON.
    if answer.text.lstrip().startswith("{"):
        return Refused(redacted(answer.text, address), code=str(answer.status_code))
    return Temporary("the provider's answer is not JSON", code="not_json", maybe_sent=True)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The errors behind an error; requests hides urllib3's among its arguments, and urllib3 its own as a reason."""
    while error is not None:
        yield error
        for each in (*error.args, getattr(error, "reason", None)):
            if isinstance(each, BaseException):
                yield from chain(each)
        error = error.__cause__


def of_boto(cause: BaseException | None, address: str) -> ChannelError:
    found = getattr(cause, "response", {}).get("Error", {})
    code, text = found.get("Code", ""), redacted(found.get("Message", ""), address)
    if code == "MessageRejected" and NOT_VERIFIED.search(text):
        return Misconfigured(text, code=code, scope=Scope.SENDER)
    if code:
        status = cause.response["ResponseMetadata"].get("HTTPStatusCode", 400)  # type: ignore[union-attr]
        return error_for(code, CODES, default=Temporary if status >= 500 else Refused, detail=text)
    name = type(cause).__name__
    if name in NO_CREDENTIALS:
        return Misconfigured("there are no credentials for Amazon", code=name)
    return Temporary(f"no answer: {name}", code=name, maybe_sent=name not in NO_CONNECTION)


def redacted(text: str, address: str) -> str:
    return re.sub(re.escape(address), "<recipient>", " ".join(text.split()), flags=re.IGNORECASE)[:300]


def as_django(callback: Callback) -> WSGIRequest:
    """The call as Anymail's views want it."""
    parts = urlsplit(callback.url)
    environ = {
        "REQUEST_METHOD": callback.method,
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "SERVER_NAME": parts.hostname or "localhost",
        "SERVER_PORT": str(parts.port or 443),
        "wsgi.url_scheme": parts.scheme or "https",
        "wsgi.input": BytesIO(callback.body),
        "CONTENT_LENGTH": str(len(callback.body)),
        "CONTENT_TYPE": callback.headers.get("content-type", ""),
    }
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in callback.headers.items()}
    return WSGIRequest({**named, **environ})


def reports(event: Any, esp: Esp) -> Iterator[Receipt]:
    """What an event of Anymail's says, in one receipt or two."""
    word, why = event.event_type or "", event.reject_reason or ""
    outcomes = [OUTCOMES.get(word, Outcome.UNKNOWN)]
    if why in REASONS and REASONS[why] not in outcomes:
        outcomes.append(REASONS[why])
    elif outcomes == [Outcome.UNDELIVERED] and says_dead(event, esp):
        outcomes.append(Outcome.UNREACHABLE)
    for outcome in outcomes:
        yield Receipt(
            provider_id=str(event.message_id or ""),
            delivery_id=str((event.metadata or {}).get("delivery", "")),
            outcome=outcome,
            at=event.timestamp,
            code=why or word,
            reason=event.mta_response or event.description or "",
            event_id=f"{event.event_id}:{outcome}" if event.event_id else "",
        )


def says_dead(event: Any, esp: Esp) -> bool:
    """Is the address dead? The code of the server that refused it knows best; to Anymail full mailboxes bounce, too."""
    by_code = is_dead(event.mta_response or "")
    if by_code is not None:
        return by_code
    path, words = esp.dead
    found: Any = event.esp_event
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return isinstance(found, str | bool) and str(found) in words
