"""What workers store is English: why something waits, what an alert says. Here readers get it in their language.

The marked sentences below are those that the code writes, with a name for each part that changes. A stored text that
fits one is told by its translation; what fits none, such as a provider's own words, is shown as it is.
"""

import re
from functools import cache, lru_cache

from django.conf import settings
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

#: Written by the flow: reasons of deliveries, details of attempts, notes on batches.
FLOW = (
    _("a first slice is watched before the rest goes out"),
    _("%(number)s go first, the rest in %(seconds)s s or later"),
    _("%(number)s of %(total)s deliveries met with a complaint (%(share)s, at most %(limit)s)"),
    _(
        "%(number)s of %(total)s deliveries failed, bounced or met with a complaint (%(share)s, at most %(limit)s)"
    ),
    _("%(number)s of %(total)s deliveries failed"),
    _("the daily quota is used up"),
    _("not sent before its expiry"),
    _("not sent before its expiry, and the provider may have it"),
    _("closed by an operator"),
    _("cancelled by request"),
    _("cancelled by request, and the provider may have it"),
    _("its batch was cancelled"),
    _("its batch was cancelled, and the provider may have it"),
    _("the time of its step was up, and the next channel has started"),
    _("the time of its step was up, and the next channel has started, and the provider may have it"),
    _("its address had its turn"),
    _("no answer within %(seconds)s s"),
    _("its account or its address is no longer known"),
    _("the provider did not take it, and no retry is left"),
    _("the call was broken off"),
    _("the account had no place for it while it was claimed"),
    _("it was paused or cancelled before the call"),
    _("the address has been erased"),
    _("%(number)s taken back, %(others)s too late"),
    _("taken back after it went out"),
    _("no time left for another attempt after: %(why)s"),
    _("the only account that takes such an address is out of order for the moment"),
    _("not sent within %(span)s"),
    _("not known to be delivered within %(span)s"),
    _("not known to be read within %(span)s"),
    _("%(channel)s succeeded after all"),
    _("its settings do not suit its adapter (%(why)s)"),
    _("its worker was lost during the call"),
    _("its worker was lost; the provider is asked"),
    _("its worker was lost during the call, or could not record the answer"),
    _("there is no variant for the channel %(channel)s"),
    _("the channel %(channel)s is not installed"),
    _("the template says nothing"),
    _("muted %(category)s"),
    _("left %(category)s"),
    _("left %(category)s, and the provider may have it"),
    _("by %(name)s"),
    _("by %(name)s: %(why)s"),
)
#: What alerts say.
ALERTS = (
    _("No worker was at work from %(since)s to %(until)s."),
    _("No worker has been at work for %(span)s: nothing is sent."),
    _("The lane %(lane)s is behind: its oldest due delivery has waited for %(span)s."),
    _("%(number)s deliveries are in doubt: nobody knows whether they were sent."),
    _("The account %(name)s is paused: %(why)s"),
    _("The batch %(name)s stopped itself: %(why)s."),
    _("The broadcast %(name)s stopped itself: %(why)s."),
    _(
        "Nothing goes out through the account %(name)s: its provider fails, and no other account can take over."
    ),
    _("Nothing goes out through the account %(name)s: its provider fails, so other accounts take over."),
    _("The ledger of %(day)s does not balance: %(what)s."),
)
#: Said by the calls to providers, and by adapters.
CALLS = (
    _("unexpected %(name)s"),
    _("HTTP status %(number)s"),
    _("no answer in time"),
    _("no answer: %(name)s"),
    _("no connection"),
    _("no connection: %(name)s"),
    _("no connection in time"),
    _("connection lost at %(step)s: %(name)s"),
    _("the call broke off: %(name)s"),
    _("the host name was not resolved"),
    _("this destination is not permitted"),
    _("this is not an HTTP URL"),
    _("TLS could not be established"),
    _("the server's certificate: %(what)s"),
    _("the content has a value that JSON cannot hold"),
    _("the data has a value that JSON cannot hold"),
    _("the data for the app is not an object"),
    _("the field %(name)s is not a whole number"),
    _("the provider's answer has no token in it"),
    _("the provider's answer is not JSON"),
    _("the provider's answer says neither yes nor no"),
    _("another process is still fetching the token"),
    _("a stored secret cannot be read with the present FIELD_KEYS"),
    _("the provider's own message has to be a JSON object"),
    _("title and link alone take more than %(number)s bytes"),
    _("the mail is not addressed to a bounce address of ours"),
    _("no mail of ours is attached"),
    _("the signature does not fit"),
    _("the signature or the verify token does not fit"),
    _("the token does not fit"),
    _("the call is not signed"),
    _("the call was signed at another time"),
    _("it cannot be deciphered"),
    _("it is for somebody else"),
    _("it is not encrypted"),
    _("%(name)s does not report receipts"),
    _("the account has no signing secret"),
    _("this account takes no events: neither key nor token is set"),
    _("this provider sends approved templates, and the variant names none"),
    _("the values for the template have to be a JSON object"),
    _("the values for the template have to be an object or a list"),
    _("the values for the template are neither an object nor a list"),
    _("that is too long ago"),
    _("it may be one of those that went out as a group"),
    _("the provider does not show all that the number got"),
    _("found by our id"),
    _("the provider could not send it"),
    _("this is no address for mail"),
    _("the provider refuses the address"),
    _("there are no credentials for Amazon"),
    _("all device tokens are bad: perhaps they belong to the other environment"),
    _("Apple calls a new token expired: is this machine's clock right?"),
    _("this is not an answer of Apple"),
    _("Apple keeps the name aps for itself"),
    _("the notification takes more than %(number)s bytes"),
    _("notification and data take more than %(number)s bytes"),
    _("all tokens belong to apps of another project than the key does"),
    _("Firebase keeps names like from, google… and gcm… for itself"),
    _("the package apprise is not installed"),
    _("Apprise cannot make a URL of this address"),
    _("Apprise could not hand it over"),
    _("the variant has no text"),
    _("the variant has no text, and no template of Meta"),
    _("the variant has no text, and no template of Twilio"),
    _("the template's language is not known"),
    _("this is no userid"),
    _("this is no id of a member"),
    _("no such member, or none whom the app may see"),
    _("this account takes no events: token and EncodingAESKey are not set"),
    _("the keywords have to be a JSON object"),
    _("the message takes more than %(number)s bytes"),
    _("the subscription's key is no key"),
    _("the person has had this notice today"),
    _("the gateway's answer is not JSON"),
    _("the gateway said no"),
    _("the answer is not Slack's"),
    _("a message through a webhook cannot be taken back"),
    _("a message of Slack's own form is a JSON object"),
    _("a message of Teams' own form is a JSON object"),
    _("the webhook answers: %(what)s"),
    _("the account was closed"),
    _("a setting has characters that SMTP cannot carry"),
    _("the server cannot take addresses outside ASCII"),
    _("%(number)s bytes are too many; %(most)s fit"),
    _("the answer leaves this number out"),
    _("push services refuse the VAPID key or its signature"),
    _("this is not a browser's subscription"),
    _("%(name)s is not among the push services of this account"),
    _("from %(name)s"),
)
#: Why a template cannot be rendered: said by the engine, by its bounds, and by what puts layouts and snippets in.
ENGINE = (
    _("syntax error: %(why)s"),
    _("syntax error: unexpected %(token)s"),
    _("syntax error: unexpected %(token)s, expected %(wanted)s"),
    _("syntax error: unknown statement %(name)s"),
    _("syntax error: block %(name)s defined twice"),
    _("syntax error: invalid integer (too large)"),
    _("unknown filter: filter %(name)s is unknown"),
    _("unknown filter"),
    _("unknown function: %(name)s is unknown"),
    _("unknown test: test %(name)s is unknown"),
    _("unknown method: %(token)s has no method named %(name)s"),
    _("undefined value: %(name)s is undefined"),
    _("engine ran out of fuel"),
    _("missing argument"),
    _("bad string escape"),
    _("invalid operation"),
    _("invalid operation: %(why)s"),
    _("%(token)s is not iterable"),
    _("a call fails with %(name)s"),
    _("the result is longer than %(number)s characters"),
    _("the result is nested too deeply"),
    _("the result is not JSON: %(why)s"),
    _("a list cannot be added, multiplied or kept in a namespace; only text and numbers can"),
    _("lists are put into lists too often"),
    _("this is longer than %(number)s characters"),
    _("a tag is longer than %(number)s characters"),
    _("this has %(number)s tags or more"),
    _("more than %(number)s branches"),
    _("the macro %(name)s calls itself"),
    _("macros of other templates cannot be imported; include a snippet in their place"),
    _("a loop cannot call itself"),
    _("a call block takes no variables"),
    _("a block cannot be shown a second time; set a variable and show that"),
    _("the macro %(name)s can only be called: %(call)s"),
    _("only a function or a macro can be called"),
    _("there is no method %(name)s"),
    _("there is no function %(name)s"),
    _("caller takes no values"),
    _("the filter %(name)s takes constants alone here, none above %(number)s"),
    _("this filter cannot be mapped"),
    _("more than %(number)s values in the lists of one tag"),
    _("namespace can only be called: namespace(total=0)"),
    _("name what a namespace holds: namespace(total=0)"),
    _("set one attribute of a namespace at a time"),
    _("write the code of one layout or snippet: %(call)s"),
    _("layouts and snippets cannot stand within JSON"),
    _("layouts and snippets stand within each other more than %(number)s deep"),
    _("with its layouts and snippets this is too long"),
    _("this has more than %(number)s tags of HTML"),
    _("the engine cannot render this"),
    _("the parameters are nested too deeply"),
    _("“%(name)s” comes to include itself"),
    _("no block, layout or snippet can stand within %(where)s"),
    _("the layout or snippet “%(name)s” has no HTML form"),
    _("the layout or snippet “%(name)s” has no text form"),
    _("there is no published layout or snippet “%(name)s”"),
    _("outside of its blocks, what extends a layout can only set variables and have macros"),
    _("the word %(name)s cannot be used here"),
    _("the style sheet cannot be put in: %(why)s"),
    _("the style sheet is too large for this page"),
    _("more than %(number)s elements within each other"),
    _("the end of <mjml> is missing"),
    _("MJML cannot be compiled"),
    _("MJML cannot be compiled: %(why)s"),
    _("MJML has no place for %(what)s here; put it around whole elements, or into their text"),
    _("MJML has no element <%(name)s>"),
    _("include a snippet in place of <mj-include>"),
    _("write the value of %(name)s in quotes"),
    _("write &lt; for the sign <"),
    _("<%(name)s> is not closed"),
    _("</%(name)s> closes nothing"),
    _("<%(name)s> stands within <mjml> alone"),
)
#: Spans, as :func:`pushcenter.spans.words` writes them.
SPANS = (
    _("%(hours)s h %(minutes)s min"),
    _("%(minutes)s min %(seconds)s s"),
    _("%(seconds)s s"),
)
#: Marked where they are written; the first ones with their plurals.
LONGER = ("%(number)s hour", "%(number)s minute", "%(number)s second")
EXCESS = (
    "%(size)s characters are too many; %(limit)s fit.",
    "%(size)s bytes are too many; %(limit)s fit.",
    "It takes %(size)s text messages; at most %(limit)s are sent.",
)
#: The names of facts: what stands beside the sentences, in events and alerts.
NAMES = (
    _("account"),
    _("adapter"),
    _("after"),
    _("answer"),
    _("batch"),
    _("by"),
    _("category"),
    _("channel"),
    _("choice"),
    _("claim"),
    _("code"),
    _("currency"),
    _("day"),
    _("deliveries"),
    _("difference"),
    _("ended"),
    _("error"),
    _("event"),
    _("expires at"),
    _("failed"),
    _("from"),
    _("kind"),
    _("lane"),
    _("late"),
    _("limit"),
    _("maybe duplicate"),
    _("milliseconds"),
    _("number"),
    _("outcome"),
    _("provider id"),
    _("reason"),
    _("request id"),
    _("samples"),
    _("silent for"),
    _("since"),
    _("slice"),
    _("started"),
    _("system"),
    _("template"),
    _("test"),
    _("to"),
    _("until"),
    _("value"),
    _("version"),
    _("what"),
    _("why"),
    _("within"),
)
#: The tiers of the flow, and what routing and receipts say in one word or two.
WORDS = (
    _("access"),
    _("business"),
    _("service"),
    _("in route"),
    _("kept as fallback"),
    _("account paused"),
    _("paused"),
    _("not permitted"),
    _("no variant"),
    _("no address"),
    _("opted out"),
    _("suppressed"),
    _("no account"),
    _("delivered"),
    _("undelivered"),
    _("sent"),
    _("opened"),
    _("clicked"),
    _("complained"),
    _("bounced"),
    _("end of input"),
    _("end of variable block"),
    _("end of block"),
    _("end of string"),
    _("end of comment"),
    _("end of raw block"),
    _("identifier"),
    _("identifier or integer"),
    _("character"),
    _("a condition or loop"),
    _("a link"),
    _("a tag, outside of quotes,"),
    _("email"),
    _("sms"),
    _("push"),
    _("inbox"),
    _("phone"),
    _("push token"),
    _("wechat"),
    _("whatsapp"),
    _("wecom"),
    _("dingtalk"),
    _("feishu"),
    _("slack"),
    _("teams"),
    _("webhook"),
    _("url"),
)

#: What an audit found: a number, and its check's words.
NUMBERED = re.compile(r"([\d,]+) (\D.*)")
PART = re.compile(r"%\((\w+)\)s")
#: Parts that are numbers; any other is any text.
NUMBER, ANYTHING = r"[\d.,]+\+?", r".+?"
#: Parts that are what somebody called something.
CALLED = {"name", "channel", "category", "account", "call"}
NUMBERS = {"size", "hours", "minutes", "seconds", "number", "total", "others", "most"}


def retold(text: str) -> str:
    """A stored text in the reader's language, as far as it is one of ours."""
    language = get_language()
    return _retold(str(text), language) if text and language != settings.LANGUAGE_CODE else text


def named(key: str) -> str:
    """The name of a fact or the word for a code, such as ``expires_at``, in the reader's language."""
    return gettext(name) if (name := str(key).replace("_", " ").strip()) else ""


@lru_cache(maxsize=2048)
def _retold(text: str, language: str | None) -> str:
    for sentence, pattern in _patterns():
        if found := pattern.fullmatch(text):
            parts = found.groupdict().items()
            return gettext(sentence) % {
                name: part if name in CALLED else _retold(part, language) for name, part in parts
            }
    if "; " in text:
        return "; ".join(_retold(each, language) for each in text.split("; "))
    if found := NUMBERED.fullmatch(text):
        return gettext("%(number)s %(what)s") % {"number": found[1], "what": _retold(found[2], language)}
    code, colon, detail = text.partition(": ")
    return f"{code}{colon}{_retold(detail, language)}" if colon else gettext(text)


@cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Those with the most words of their own first, because they say the most."""
    sentences = sorted(
        (*FLOW, *ALERTS, *CALLS, *ENGINE, *SPANS, *EXCESS),
        key=lambda each: len(PART.sub("", each)),
        reverse=True,
    )
    longer = [(each, _pattern(each, "s?")) for each in LONGER]
    return [*((each, _pattern(each)) for each in sentences), *longer]


def _pattern(sentence: str, ending: str = "") -> re.Pattern[str]:
    pieces = PART.split(sentence)
    fixed = [re.escape(piece) for piece in pieces[::2]]
    parts = [f"(?P<{name}>{NUMBER if name in NUMBERS else ANYTHING})" for name in pieces[1::2]]
    whole = "".join(each for pair in zip(fixed, [*parts, ending], strict=True) for each in pair)
    return re.compile(whole, re.DOTALL)
