"""The pages of the demo receivers, and the same as JSON."""

import json
from typing import Any

from aiohttp import web

from pushcenter.demo import pages
from pushcenter.demo.shelf import KEPT
from pushcenter.demo.stores import Missing, Receiver, Sink

SHOWN = 50
LARGEST_CALL = 1024 * 1024

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
#: For the HTML of a mail, which anybody may have written: no scripts, no forms, an origin of its own.
LETTER_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data: {origin}; form-action 'none'; frame-ancestors 'self'"
)


class Views:
    def __init__(self, sink: Sink, receiver: Receiver, *, origin: str) -> None:
        self._sink, self._receiver = sink, receiver
        self._letter_policy = LETTER_POLICY.format(origin=origin)

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/", self.index),
            web.get("/style.css", self.style),
            web.get("/refresh.js", self.script),
            web.get(r"/mail/{number:\d{1,15}}", self.mail),
            web.get(r"/mail/{number:\d{1,15}}/html", self.letter),
            web.get(r"/mail/{number:\d{1,15}}.eml", self.download),
            web.post("/webhook", self._receiver.receive),
            web.get(r"/webhook/{number:\d{1,15}}", self.webhook),
            web.get("/api/mails", self.mails_json),
            web.get("/api/webhooks", self.webhooks_json),
        ]

    async def index(self, _request: web.Request) -> web.Response:
        mails, webhooks = self._sink.newest(), self._receiver.newest()
        return html_page(
            "index",
            "Received",
            refreshes=True,
            mails=mails[:SHOWN],
            mail_count=len(mails),
            webhooks=webhooks[:SHOWN],
            webhook_count=len(webhooks),
        )

    async def style(self, _request: web.Request) -> web.Response:
        return web.Response(text=pages.asset("style.css"), content_type="text/css")

    async def script(self, _request: web.Request) -> web.Response:
        return web.Response(text=pages.asset("refresh.js"), content_type="text/javascript")

    async def mail(self, request: web.Request) -> web.Response:
        mail = self._sink.mail(number_in(request))
        return html_page("mail", mail.subject or "Mail", mail=mail)

    async def letter(self, request: web.Request) -> web.Response:
        """The HTML part as it came; the policy, not our trust, keeps it harmless."""
        html = '<!doctype html><base target="_blank">' + self._sink.mail(number_in(request)).html
        headers = {"Content-Security-Policy": self._letter_policy}
        return web.Response(text=clean(html), content_type="text/html", headers=headers)

    async def download(self, request: web.Request) -> web.Response:
        number = number_in(request)
        headers = {"Content-Disposition": f'attachment; filename="{number}.eml"'}
        return web.Response(body=self._sink.raw(number), content_type="message/rfc822", headers=headers)

    async def webhook(self, request: web.Request) -> web.Response:
        call = self._receiver.call(number_in(request))
        payload = call.payload()
        body = call.body if payload is None else json.dumps(payload, ensure_ascii=False, indent=2)
        return html_page("webhook", call.event or "Webhook", call=call, body=body)

    async def mails_json(self, _request: web.Request) -> web.Response:
        return web.json_response({"mails": self._sink.newest()})

    async def webhooks_json(self, _request: web.Request) -> web.Response:
        return web.json_response({"webhooks": self._receiver.newest()})


def number_in(request: web.Request) -> int:
    return int(request.match_info["number"])


def html_page(name: str, title: str, *, status: int = 200, **values: Any) -> web.Response:
    return web.Response(
        text=clean(pages.page(name, title, **values)), content_type="text/html", status=status
    )


def clean(text: str) -> str:
    """Without halves of surrogate pairs, which no encoding can carry."""
    return text.encode(errors="replace").decode()


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"


@web.middleware
async def missing_page(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        response: web.StreamResponse = await handler(request)
    except (web.HTTPNotFound, Missing):
        return html_page("missing", "Nothing here", status=404, kept=KEPT)
    return response


def application(sink: Sink, receiver: Receiver, *, origin: str) -> web.Application:
    app = web.Application(client_max_size=LARGEST_CALL, middlewares=[missing_page])
    app.on_response_prepare.append(add_headers)
    app.add_routes(Views(sink, receiver, origin=origin).routes())
    return app
