"""Links: that they lead somewhere, safely, and where they say."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from templates_app.links import NOWHERE
from templates_app.lint.examples import mail
from templates_app.lint.page import STATEMENT, VALUE, Element, protected
from templates_app.lint.problem import Severity
from templates_app.lint.reading import Reading
from templates_app.lint.rule import Finding, at, rule
from templates_app.lint.text import Text

UNSAFE = frozenset({"javascript", "vbscript", "data", "file", "blob"})
#: Without a host after them.
WITHOUT_HOST = frozenset({"mailto", "tel", "sms", "cid"})
#: The attributes that hold an address; behind ``src`` is a picture, and bytes that are written into it do no harm.
ATTRIBUTES = ("href", "src", "action")
ELEMENTS = frozenset(
    {
        "a", "area", "form", "img", "source", "mj-button", "mj-navbar-link", "mj-image", "mj-carousel-image",
        "mj-social-element",
    }
)  # fmt: skip
SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
HOST_LIKE = re.compile(
    r"(?:www\.|[\w-]+(?:\.[\w-]+)*\.(?:com|cn|net|org|io|de|eu|hk|tw|jp)\b)", re.IGNORECASE
)
IN_TEXT = re.compile(r"\b(?:https?|hxxps?)://[^\s<>\"'，。；、（）]+", re.IGNORECASE)
MARKDOWN = re.compile(r"\]\(([^()\n]*(?:\([^()\n]*\)[^()\n]*)*)\)")
PAIRS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One address as it is written; a value of the template stands in it as one character."""

    text: Text
    line: int
    url: str
    element: Element | None = None
    is_picture: bool = False

    @property
    def scheme(self) -> str:
        # Browsers leave out what stands between these letters, and before them.
        found = SCHEME.match(re.sub(r"[\x00-\x20]", "", self.url))
        return found.group(1).lower() if found else ""

    @property
    def shown(self) -> str:
        """As the editor wrote it, near enough."""
        return self.url.replace(VALUE, "{{…}}").strip()[:80]


def links(reading: Reading) -> Iterator[Link]:
    """Every address in every field."""
    for text in reading.texts:
        if text.errors:
            continue
        if text.is_html:
            yield from _in_page(text)
        elif text.declared.link:
            yield Link(text=text, line=1, url=_plain(text.source).strip())
        elif text.is_plain:
            yield from _in_words(text)


def _in_page(text: Text) -> Iterator[Link]:
    for element in text.page.all(*ELEMENTS):
        for attribute in ATTRIBUTES:
            if attribute in element.attributes:
                yield Link(
                    text=text,
                    line=element.line,
                    url=element.attributes[attribute],
                    element=element,
                    is_picture=attribute == "src",
                )


def _in_words(text: Text) -> Iterator[Link]:
    for number, line in enumerate(_plain(text.source).splitlines(), 1):
        targets = [found.group(1) for found in MARKDOWN.finditer(line)] if "](" in line else []
        rest = MARKDOWN.sub(" ", line)
        urls = [_without_the_end(found.group()) for found in IN_TEXT.finditer(rest)]
        for url in (*targets, *urls):
            yield Link(text=text, line=number, url=url)


def _without_the_end(url: str) -> str:
    """Without the signs that belong to the sentence around it."""
    url = url.rstrip(".,;:!?")
    return url[:-1].rstrip(".,;:!?") if url.endswith(")") and not _is_balanced(url) else url


def _plain(source: str) -> str:
    return protected(source).replace(STATEMENT, "")


@rule(
    code="unsafe-link",
    severity=Severity.ERROR,
    title=_("A link runs something"),
    why=_(
        "Such an address runs a script or opens what is written into it; mail programs block the whole mail for it."
    ),
    todo=_("Link to a page that begins with https://."),
    bad=mail('<a href="javascript:alert(1)">Open</a>'),
    good=mail('<a href="https://example.com/orders">Open</a>'),
)
def unsafe(reading: Reading) -> Iterator[Finding]:
    for link in links(reading):
        if link.scheme in UNSAFE and not (link.is_picture and link.scheme == "data"):
            message = gettext("The link “%(link)s” is not safe.") % {"link": link.shown}
            yield at(link.text, message, line=link.line)
    for text, sample, value in reading.rendered():
        if text.is_html and NOWHERE in str(value):
            message = gettext("With the sample “%(sample)s” a link is not safe, and is left out.") % {
                "sample": sample
            }
            yield at(text, message, severity=Severity.WARNING)


@rule(
    code="broken-link",
    severity=Severity.ERROR,
    title=_("A link leads nowhere"),
    why=_(
        "Whoever follows it sees an error, or nothing happens. In a mail there is no page that it could begin from."
    ),
    todo=_("Write the whole address: https://, the host, the path; without blanks."),
    bad=mail('<a href="www.example.com/orders">Open</a>'),
    good=mail('<a href="https://www.example.com/orders">Open</a>'),
)
def broken(reading: Reading) -> Iterator[Finding]:
    for link in links(reading):
        if link.scheme not in UNSAFE and (fault := _fault(link)):
            yield at(link.text, fault, line=link.line)


def _fault(link: Link) -> str:
    url = link.url.strip()
    if not url or url == "#":
        return gettext("A link is empty.")
    if re.search(r"\s", url) and link.scheme not in WITHOUT_HOST:
        return gettext("The link “%(link)s” has a blank in it.") % {"link": link.shown}
    if not _is_balanced(url):
        return gettext(
            "The link “%(link)s” opens a bracket that it does not close, or the other way round."
        ) % {"link": link.shown}
    if url[0] in {VALUE, "#"}:  # the whole address, or its beginning, is given by the calling system
        return ""
    if link.text.declared.link == "app" and url.startswith("/"):  # a page of one's own
        return ""
    if not link.scheme or _is_host_with_port(url):
        return gettext("The link “%(link)s” does not begin with https://.") % {"link": link.shown}
    return _fault_of_host(link, url)


def _fault_of_host(link: Link, url: str) -> str:
    if link.scheme in WITHOUT_HOST:
        return "" if url.partition(":")[2] else gettext("A link is empty.")
    if link.scheme in {"http", "https"}:
        try:
            is_sound = bool(urlsplit(url.replace(VALUE, "x")).hostname) and url[
                len(link.scheme) :
            ].startswith("://")
        except ValueError:
            is_sound = False
        return "" if is_sound else gettext("The link “%(link)s” names no host.") % {"link": link.shown}
    if link.scheme in {
        "htp",
        "htps",
        "hhtp",
        "hhtps",
        "httpss",
        "htttp",
        "htttps",
        "ttps",
        "ttp",
        "hxxp",
        "hxxps",
    }:
        return gettext("The link “%(link)s” does not begin with https://.") % {"link": link.shown}
    return ""


def _is_host_with_port(url: str) -> bool:
    """``example.com:8080`` looks like a scheme."""
    return bool(re.match(r"[\w-]+(?:\.[\w-]+)+:\d", url)) or url.startswith("localhost:")


def _is_balanced(url: str) -> bool:
    waited: list[str] = []
    for each in url:
        if each in PAIRS:
            waited.append(PAIRS[each])
        elif each in PAIRS.values() and (not waited or waited.pop() != each):
            return False
    return not waited


@rule(
    code="http-link",
    severity=Severity.WARNING,
    title=_("A link is not encrypted"),
    why=_(
        "Anybody on the way can read and change what such a page shows; browsers and mail programs warn of it."
    ),
    todo=_("Write https:// where the site has it; nearly all do."),
    bad=mail('<a href="http://example.com/orders">Open</a>'),
    good=mail('<a href="https://example.com/orders">Open</a>'),
)
def http(reading: Reading) -> Iterator[Finding]:
    for link in links(reading):
        if link.scheme == "http":
            message = gettext("The link “%(link)s” begins with http://.") % {"link": link.shown}
            yield at(link.text, message, line=link.line)


@rule(
    code="misleading-link",
    severity=Severity.WARNING,
    title=_("A link leads elsewhere than it says"),
    why=_("An address that is shown, with another behind it, is how phishing works; filters look for it."),
    todo=_("Show words instead of an address, or the address that it leads to."),
    bad=mail('<a href="https://example.org/x">www.example.com</a>'),
    good=mail('<a href="https://www.example.com/x">www.example.com</a>'),
)
def misleading(reading: Reading) -> Iterator[Finding]:
    for link in links(reading):
        words = link.element.said if link.element is not None else ""
        if " " in words or VALUE in words + link.url.partition("://")[2].partition("/")[0]:
            continue
        said, meant = _host(words), _host(link.url)
        if said and meant and not (f".{said}".endswith(f".{meant}") or f".{meant}".endswith(f".{said}")):
            message = gettext("The link shows “%(said)s” and leads to %(meant)s.") % {
                "said": said,
                "meant": meant,
            }
            yield at(link.text, message, line=link.line)


def _host(words: str) -> str:
    """The host of an address that is written out; empty where it is none."""
    if "://" not in words and not HOST_LIKE.match(words):
        return ""
    try:
        host = urlsplit(words if "://" in words else f"https://{words}").hostname
    except ValueError:
        return ""
    return (host or "").removeprefix("www.")


@rule(
    code="nameless-link",
    severity=Severity.HINT,
    title=_("A link does not say where it leads"),
    why=_("Programs that read aloud list the links of a page by their words; “here” says nothing there."),
    todo=_("Let the words of the link say what is behind it, such as “Look at the order”."),
    bad=mail('Click <a href="https://example.com/orders">here</a>'),
    good=mail('<a href="https://example.com/orders">Look at the order</a>'),
)
def nameless(reading: Reading) -> Iterator[Finding]:
    for link in links(reading):
        words = link.element.said if link.element is not None else ""
        if words.lower().strip(" .!>»→") in NOTHING_SAID:
            message = gettext("The link says “%(words)s” alone.") % {"words": words}
            yield at(link.text, message, line=link.line)


NOTHING_SAID = frozenset(
    {"here", "click here", "click", "link", "this link", "点击", "点这里", "点击这里", "此处", "这里"}
)

RULES = (unsafe, broken, http, misleading, nameless)
