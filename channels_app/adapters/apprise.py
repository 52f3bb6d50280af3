"""Over a hundred further services through the library Apprise, which is an optional extra: ``pushcenter[apprise]``.

An account is one URL of Apprise's. With ``{to}`` in it, the address of each message goes there; without, it is one
place, such as a room, and messages ask for it by the account's group. The library says no more than yes or no; the
status in its log tells the reason, and how long to wait is not told at all.
"""

import asyncio
import logging
import re
import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import quote

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from channels_app import http
from channels_app.channels import GroupField, group_of
from channels_app.contract import (
    Adapter,
    Address,
    Capabilities,
    Misconfigured,
    Outgoing,
    Refused,
    SecretField,
    Sent,
    Specimen,
    Temporary,
    Throttled,
)

IS_INSTALLED = find_spec("apprise") is not None
TO = "{to}"
#: They reach the machine itself, or a mail server that their URL names in passing.
CLOSED = frozenset({
    "blink1", "dbus", "gio", "glib", "gnome", "kde", "macosx", "mailto", "mailtos", "qt", "syslog", "windows"
})  # fmt: skip
STATUS = re.compile(r"error=(\d{3})\b")
THREADS = 4
TIMEOUT_S = 30.0
STATUSES: Mapping[int, http.Meaning] = {429: partial(Throttled, retry_after=60.0)}
#: Without an address in the URL, the place that it names is the account's.
OF_A_PLACE = {**STATUSES, 404: Misconfigured, 410: Misconfigured}


def apprise_url(value: str) -> None:
    """Form validator."""
    if not IS_INSTALLED:
        raise ValidationError(_("The package apprise is not installed. Install pushcenter[apprise]."))
    if target(value.replace(TO, "1")) is None:
        raise ValidationError(_("Apprise cannot read this URL."))
    if value.partition(":")[0].lower() in CLOSED:
        raise ValidationError(_("Such a URL reaches this machine, or a mail server. It is not taken."))


@cache
def library() -> Any:
    """Imported when it is needed: with its plug-ins that takes a second, and some warn of Python's own modules."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        apprise = import_module("apprise")
        apprise.Apprise.instantiate("json://localhost")
    logging.getLogger("apprise").propagate = False  # it writes URLs, which are secret here, into its log
    return apprise


def target(url: str) -> Any:
    """What the library makes of a URL; None where that is nothing. A web page that it does not know gets JSON."""
    # What a redirect leads to would not be checked.
    url += ("&" if "?" in url else "?") + "redirect=no"
    make = library().Apprise.instantiate
    return make(url) or make(re.sub(r"^http(s?):", r"json\1:", url))


class AppriseAdapter(Adapter):
    name = "apprise"
    label = _("Apprise")
    channel = None
    capabilities = Capabilities(timeout=TIMEOUT_S + 15, concurrency=THREADS)
    specimen = Specimen(
        config={"url": "{base_url}/apprise", "group": "ops"},
        address="group:ops",
        content={"title": "Order 42", "text": "Paid."},
        answers={"": b"ok"},
        concessions={
            "429, Retry-After in seconds": "Apprise does not tell",
            "429, Retry-After as a date": "Apprise does not tell",
            "No connection": "Apprise does not tell",
        },
    )

    class Config(forms.Form):
        url = SecretField(
            validators=[apprise_url],
            label=_("Apprise URL"),
            help_text=_(
                "As Apprise's documentation describes it for each service, such as discord://ID/TOKEN; any "
                "other web address gets JSON. With {to} in it, the address of each message goes there."
            ),
        )
        group = GroupField()
        group.required = False

        def clean(self) -> dict[str, Any]:
            cleaned = super().clean() or {}
            if not self.errors and (TO in cleaned.get("url", "")) == bool(cleaned.get("group")):
                self.add_error(
                    "group", ValidationError(_("Either the URL has {to} in it, or it has a group."))
                )
            return cleaned

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="apprise")

    def takes(self, address: Address) -> bool:
        group = group_of(address)
        return not group if TO in self.config["url"] else group == self.config.get("group")

    async def send(self, message: Outgoing) -> Sent:
        if not IS_INSTALLED:
            raise Misconfigured("the package apprise is not installed", code="not_installed")
        text, title, form = words(message.content)
        url = self.config["url"].replace(TO, quote(message.address.value, safe=""))
        loop = asyncio.get_running_loop()
        service = await loop.run_in_executor(self._pool, target, url)
        if service is None:
            raise Refused("Apprise cannot make a URL of this address", code="url")
        await check(service)
        log = await loop.run_in_executor(self._pool, notify, service, text, title, form)
        self._judge(log)
        return Sent()

    def _judge(self, log: list[str] | None) -> None:
        if log is None:
            return
        found = next((match for match in map(STATUS.search, reversed(log)) if match), None)
        if found is None:
            raise Temporary("Apprise could not hand it over", code="apprise", maybe_sent=True)
        reply = http.Reply(status=int(found[1]), headers={}, body=b"")
        http.raise_for_status(reply, STATUSES if TO in self.config["url"] else OF_A_PLACE)

    async def close(self) -> None:
        """Waits for the messages under way."""
        await asyncio.to_thread(self._pool.shutdown)


async def check(service: Any) -> None:
    """The guard against private networks, for services that one runs oneself; raises ``Refused``."""
    if not any("{host}" in each for each in service.templates):
        return
    await http.check_destination(f"http{'s' * service.secure}://{service.host}")


def notify(service: Any, text: str, title: str, form: str) -> list[str] | None:
    """None where it went well, else what the library wrote into its log."""
    log: list[str] = []
    sender = library().Apprise()
    sender.add(service)
    done = sender.notify(
        body=text,
        title=title,
        body_format=form,
        timeout=TIMEOUT_S,
        log_callback=lambda entry, _service: log.append(str(entry.message)),
    )
    return None if done else log


def words(content: Mapping[str, Any]) -> tuple[str, str, str]:
    """Text, title and form of the text, whatever channel the content is for; raises :class:`Refused`."""
    title = str(content.get("title") or content.get("subject") or content.get("event") or "")
    text = str(content.get("text") or content.get("body") or "")
    if text:
        return text, title, "markdown" if content.get("format") in {"markdown", "card"} else "text"
    if html := content.get("html"):
        return str(html), title, "html"
    raise Refused("the variant has no text", code="content")
