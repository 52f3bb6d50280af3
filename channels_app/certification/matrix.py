"""``docs/channels.md``: all built-in channels and adapters, and what certification found."""

from collections.abc import Iterable, Mapping, Sequence

from channels_app import adapters as package
from channels_app import registry
from channels_app.certification.rules import Finding
from channels_app.contract import Adapter, Capabilities, TextSource

HEAD = """# Channels and adapters

This page is generated: `manage.py certify --matrix > docs/channels.md`. The tests compare it with the code.

* [Channels](#channels)
* [Adapters](#adapters)
* [What each guarantees](#what-each-guarantees)

"""
ADAPTERS = """
## Adapters

**Receipts** are verified by a signature, or come to a path that nobody can guess and from the networks that the
account names (*secret path*), or are asked for (*asked*). **Idempotent** means that the same message twice reaches the
person once. **Check** tries the credentials out without reaching anybody. **Templates** that the provider has approved
beforehand are all that it sends (*only*), or what begins a conversation (*first*).

"""
GUARANTEES = """
## What each guarantees

A provider on this machine misbehaves on purpose, over real HTTP; each cell says what the adapter made of it. *may have
been sent* goes by the template's policy for doubts; *again later* is tried again; *pause* holds the account or address
back for that time; *address is dead* suppresses it; *account is broken* pauses the account and takes the next; *content
is refused* takes the next channel. A dash: the rule does not apply.

"""


Found = Mapping[str, Sequence[Finding]]


def page(found: Found) -> str:
    """The whole page, with what certification found about the built-in adapters."""
    kinds = built_in()
    return "".join([HEAD, _channels(), ADAPTERS, _adapters(kinds), GUARANTEES, _guarantees(found)])


def built_in() -> dict[str, type[Adapter]]:
    """Those that no plug-in brings."""
    ours = f"{package.__name__}."
    return {name: kind for name, kind in registry.adapters().items() if kind.__module__.startswith(ours)}


def _channels() -> str:
    rows = [
        [
            f"`{channel.name}`",
            str(channel.label),
            f"`{channel.address_kind}`",
            ", ".join(f"`{name}`" for name in channel.content.base_fields),
            ", ".join(_limits(channel.content.base_fields)) or "–",
        ]
        for channel in registry.channels().values()
    ]
    titles = ("Channel", "Label", "Address", "Content", "Longest")
    return "## Channels\n\n" + _table(titles, rows)


def _limits(fields: Mapping[str, object]) -> Iterable[str]:
    for name, field in fields.items():
        if isinstance(field, TextSource):
            limit = field.limit
            units = (
                (limit.max_chars, "characters"),
                (limit.max_bytes, "bytes"),
                (limit.max_segments, "parts"),
            )
            sizes = " and ".join(f"{size:,} {unit}" for size, unit in units if size)
            if sizes:
                yield f"`{name}` {sizes} ({'cut' if field.too_long == 'cut' else 'else fails'})"


def _adapters(kinds: Mapping[str, type[Adapter]]) -> str:
    rows = [
        [
            f"`{name}`",
            str(kind.label),
            f"`{kind.channel.name}`" if kind.channel else "any",
            _receipts(kind),
            _templates(kind.capabilities),
            *_can(kind.capabilities),
            f"{kind.capabilities.timeout:g} s",
        ]
        for name, kind in sorted(kinds.items(), key=_by_channel)
    ]
    titles = (
        "Adapter", "Label", "Channel", "Receipts", "Templates", "Idempotent", "Check", "Look-up", "Recall", "Batch",
        "Longest call",
    )  # fmt: skip
    return _table(titles, rows)


def _by_channel(item: tuple[str, type[Adapter]]) -> tuple[int, str]:
    name, kind = item
    names = list(registry.channels())
    return (names.index(kind.channel.name) if kind.channel else len(names), name)


def _receipts(kind: type[Adapter]) -> str:
    if kind.capabilities.poll_after:
        return "asked"
    if not kind.capabilities.receipts:
        return "–"
    if kind.specimen is None:
        return "yes"
    return "signed" if kind.specimen.signed else "secret path"


def _templates(capabilities: Capabilities) -> str:
    if not capabilities.template_field:
        return "–"
    return "only" if capabilities.only_templates else "first"


def _can(capabilities: Capabilities) -> list[str]:
    able = (capabilities.idempotent, capabilities.check, capabilities.lookup, capabilities.recall)
    return [*("yes" if each else "–" for each in able), str(capabilities.batch_size)]


def _guarantees(found: Found) -> str:
    return "\n".join(
        f"### {channel.label}\n\n{_of_channel(found, name)}"
        for name, channel in registry.channels().items()
        if _certified(found, name)
    )


def _certified(found: Found, channel: str) -> list[str]:
    kinds = registry.adapters()
    return sorted(
        name for name in found if found[name] and getattr(kinds[name].channel, "name", "") == channel
    )


def _of_channel(found: Found, channel: str) -> str:
    names = _certified(found, channel)
    rules = [each.rule for each in found[names[0]]]
    rows = [[rule, *(_cell(found[name][index]) for name in names)] for index, rule in enumerate(rules)]
    return _table(("What happens", *(f"`{name}`" for name in names)), rows) + _concessions(found, names)


def _concessions(found: Found, names: Iterable[str]) -> str:
    lines = [
        f"`{name}`, *{each.rule}*: {each.concession}\n"
        for name in names
        for each in found[name]
        if each.concession
    ]
    return "\n" + "\n".join(lines) if lines else ""


def _cell(finding: Finding) -> str:
    if finding.concession:
        return f"{finding.said} (see below)"
    if finding.holds is None:
        return "–"
    return finding.said if finding.holds else f"**{finding.said}**"


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
