"""Variables: declared, used, spelt alike in both places; and the samples with which they are tried."""

import re
from collections.abc import Iterator

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from templates_app import shape
from templates_app.lint.examples import TEXT, draft, on
from templates_app.lint.lost import in_fields, in_parts
from templates_app.lint.problem import Severity
from templates_app.lint.reading import Reading
from templates_app.lint.rule import Finding, at, rule
from templates_app.lint.text import Text
from templates_app.uses import EACH, written
from templates_app.variables import PROVIDED, Check

USED = on("sms", text="Order {{ order_no }} is paid.")
ORDER = {"order": {"type": "object", "properties": {"no": TEXT, "total": TEXT}}}
PAID = on("sms", text="Order {{ order.no }} of {{ order.total }} is paid.")
#: Whole words of a name that say that its value is nobody's business.
SECRETS = re.compile(
    r"(?:^|_)(?:password|passwd|passphrase|secret|token|api_?key|private_key|pin|cvv|cvc|card_number|ssn)(?:$|_)"
)


@rule(
    code="variable-undeclared",
    severity=Severity.ERROR,
    title=_("A variable is not declared"),
    why=_(
        "Calling systems are refused when they give what is not declared, so that the place would stay empty."
    ),
    todo=_("Declare the variable, or take it out of the text."),
    bad=draft(USED),
    good=draft(USED, declared={"order_no": TEXT}),
)
def undeclared(reading: Reading) -> Iterator[Finding]:
    for text, use, found in in_fields(reading):
        if not found.near:
            message = gettext("The variable “%(name)s” is not declared.") % {"name": found.name}
            yield at(text, message, line=use.line, severity=found.severity)
    for text, code, found in in_parts(reading):
        message = gettext("“%(part)s” uses the variable “%(name)s”, which is not declared.") % {
            "part": code,
            "name": found.name,
        }
        yield at(text, message, severity=Severity.WARNING)


@rule(
    code="variable-misspelt",
    severity=Severity.ERROR,
    title=_("A variable is spelt in another way than it is declared"),
    why=_("The place would stay empty: the engine knows a variable by its exact name alone."),
    todo=_("Write the name as it is declared."),
    bad=draft(on("sms", text="Order {{ ordr_no }} is paid."), declared={"order_no": TEXT}),
    good=draft(USED, declared={"order_no": TEXT}),
)
def misspelt(reading: Reading) -> Iterator[Finding]:
    for text, use, found in in_fields(reading):
        if found.near:
            message = gettext("The variable “%(name)s” is not declared. Did you mean “%(near)s”?") % {
                "name": found.name,
                "near": found.near,
            }
            yield at(text, message, line=use.line, severity=found.severity)


@rule(
    code="variable-unused",
    severity=Severity.HINT,
    title=_("A variable is declared and never used"),
    why=_(
        "Calling systems take the trouble to give it; where it is required, they have to, and nobody reads it."
    ),
    todo=_("Use the variable, or remove it from the variables."),
    bad=draft(on("sms", text="Your order is paid."), declared={"order_no": TEXT}),
    good=draft(USED, declared={"order_no": TEXT}),
)
def unused(reading: Reading) -> Iterator[Finding]:
    is_readable = not reading.schema_errors and not any(text.errors for text in reading.texts)
    if not is_readable or not reading.draft.is_sendable:
        return
    used = [use for text in reading.texts for use in text.uses]
    used += [use for text in reading.texts for _code, use in text.uses_of_parts]
    required = set(reading.draft.schema.get("required", ()))
    for path in shape.unused(reading.draft.schema, used):
        name = written(path)
        if name in required:
            message = gettext("The variable “%(name)s” is required, and no variant uses it.") % {"name": name}
            yield Finding(message=message, severity=Severity.WARNING)
        else:
            message = gettext("The variable “%(name)s” is not used by any variant.") % {"name": name}
            yield Finding(message=message)


@rule(
    code="variable-kind",
    severity=Severity.WARNING,
    title=_("A variable is used as what it is not"),
    why=_(
        "What is declared as a text has no parts, and what is declared as an object is no list: nothing would show."
    ),
    todo=_("Declare the variable as what the text makes of it, or use it as what it is declared."),
    bad=draft(PAID, declared={"order": TEXT}),
    good=draft(PAID, declared=ORDER),
)
def kind(reading: Reading) -> Iterator[Finding]:
    if reading.schema_errors:
        return
    for text in reading.texts:
        for path, (wanted, line) in _wanted(text).items():
            declared = shape.types(shape.at(reading.draft.schema, path))
            if path[0] not in PROVIDED and declared and not declared & wanted:
                message = gettext("“%(name)s” is used as %(wanted)s, and declared as %(declared)s.") % {
                    "name": written(path),
                    "wanted": " / ".join(sorted(wanted)),
                    "declared": " / ".join(sorted(declared)),
                }
                yield at(text, message, line=line)


def _wanted(text: Text) -> dict[tuple[str, ...], tuple[frozenset[str], int]]:
    """The types that fit the way in which each path is gone on from; the first place that wants them."""
    found: dict[tuple[str, ...], tuple[frozenset[str], int]] = {}
    for use in text.uses:
        for place, step in enumerate(use.path[1:], 1):
            wanted = frozenset({"array", "string"} if step == EACH else {"object"})
            found.setdefault(use.path[:place], (wanted, use.line))
    return found


@rule(
    code="schema",
    severity=Severity.ERROR,
    title=_("The variables cannot be declared so"),
    why=_("The parameters of every message are held against this schema, so that it has to be a sound one."),
    todo=_("Mend the schema of the variables."),
    bad=draft(USED, schema={"type": "objekt"}),
    good=draft(USED, declared={"order_no": TEXT}),
)
def schema(reading: Reading) -> Iterator[Finding]:
    for message in reading.schema_errors:
        yield Finding(message=message)


@rule(
    code="sample-invalid",
    severity=Severity.WARNING,
    title=_("A sample does not hold to the variables"),
    why=_("Such a message would be refused, so that what the sample shows is nothing that anybody gets."),
    todo=_("Mend the sample, or the variables."),
    bad=draft(USED, declared={"order_no": TEXT}, samples=(("usual", {"order_no": 1}),)),
    good=draft(USED, declared={"order_no": TEXT}, samples=(("usual", {"order_no": "SO-1"}),)),
)
def sample_invalid(reading: Reading) -> Iterator[Finding]:
    if reading.schema_errors:
        return
    check = Check(reading.draft.schema)
    for name, params in reading.draft.samples:
        for fault in check.faults(params):
            where = fault.pointer.removeprefix("/params")
            said = (
                gettext("Sample “%(sample)s”, %(where)s: %(fault)s")
                if where
                else (gettext("Sample “%(sample)s”: %(fault)s"))
            )
            yield Finding(message=said % {"sample": name, "where": where, "fault": fault.detail})


@rule(
    code="sample-missing",
    severity=Severity.HINT,
    title=_("There is no sample"),
    why=_("Without a sample nothing can be tried: neither that each variant renders nor how long it gets."),
    todo=_("Add a sample with parameters as the calling system gives them; best the longest ones."),
    bad=draft(USED, declared={"order_no": TEXT}),
    good=draft(USED, declared={"order_no": TEXT}, samples=(("usual", {"order_no": "SO-1"}),)),
)
def sample_missing(reading: Reading) -> Iterator[Finding]:
    if not reading.draft.samples and shape.properties(reading.draft.schema):
        yield Finding(message=gettext("There is no sample to try the variants with."))


@rule(
    code="variable-secret",
    severity=Severity.WARNING,
    title=_("A variable seems to be a secret"),
    why=_(
        "Messages are stored, forwarded and read over shoulders. Passwords and keys do not belong into them; a code "
        "that is good once belongs into a mandatory category, such as security."
    ),
    todo=_("Send a link with which people set or see it themselves."),
    bad=draft(on("sms", text="Your password: {{ password }}"), declared={"password": TEXT}),
    good=draft(on("sms", text="Set your password: {{ link }}"), declared={"link": TEXT}),
)
def secret(reading: Reading) -> Iterator[Finding]:
    if not reading.draft.can_be_left:
        return
    for text in reading.texts:
        names = {use.name: use.line for use in reversed(text.uses)}
        for name, line in names.items():
            if SECRETS.search(name.rpartition(".")[2].lower()):
                message = gettext("“%(name)s” seems to be a secret.") % {"name": name}
                yield at(text, message, line=line)


RULES = (undeclared, misspelt, unused, kind, schema, sample_invalid, sample_missing, secret)
