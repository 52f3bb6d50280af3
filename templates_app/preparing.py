"""From the sources of a variant to what the engine is given: checked, with their parts, each in its own stage.

1. They are templates, and not too large (``bounds.check_size`` and the engine's parser).
2. The parts that they name are there (``parts.reached``).
3. They do nothing that fuel does not bound (``bounds.bounded``).
4. MJML is compiled (``mjml``), and style sheets are put in (``styles``): with layouts and snippets in their places.
5. Variables within links are escaped for their place (``links``).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from minijinja import Environment, TemplateError

from templates_app import bounds, links, mjml, parts, styles
from templates_app.flat import TOKEN, Flat, Line, flat
from templates_app.markup import elements
from templates_app.source import SourceError

#: How the engine says that an error comes from within a part, and where.
CAUSE = re.compile(r"caused by: (.*) \(in (.+):(\d+)\)$", re.MULTILINE)
PLACE = re.compile(r" \(in [^()]*:\d+\)$")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the engine is given, by its names; ``lines`` tells where a text comes from that was made of others."""

    sources: Mapping[str, str]
    #: All sources, in the order in which ``bounds`` numbers them.
    origins: Sequence[str]
    lines: Mapping[str, Sequence[Line]] = field(default_factory=dict)


#: Signs < of HTML; a mail has a few hundred.
MAX_SIGNS = 5_000


def check(source: str, name: str = "") -> None:
    """Is it a template? Raises :class:`SourceError`."""
    bounds.check_size(source, name)
    if name.endswith(".html") and source.count("<") > MAX_SIGNS:
        raise SourceError(f"this has more than {MAX_SIGNS:,} tags of HTML", line=1, source=name)
    try:
        Environment(debug=False).add_template(name, source)
    except TemplateError as error:
        message = PLACE.sub("", error.message)
        raise SourceError(message, line=error.line or 0, source=name) from None


def prepared(
    own: Mapping[str, str], given: Mapping[str, str], link_fields: Mapping[str, links.Links]
) -> Prepared:
    """The sources of a variant and of the parts that they need; raises :class:`SourceError`.

    ``given`` are the parts that there are, ``link_fields`` the sources that are links as a whole.
    """
    for name, source in own.items():
        check(source, name)
    found = parts.reached(own, given)
    for name, source in found.items():
        if name not in own:
            check(source, name)
    sources = bounds.bounded(found)
    lines: dict[str, Sequence[Line]] = {}
    for name in own:
        if name.endswith(".html"):
            sources[name], lines[name] = _page(name, sources)
    if all(lines.values()):  # what they need is within them now
        sources = {name: each for name, each in sources.items() if name in own or not name.endswith(".html")}
    safe = {name: _with_safe_links(name, each, link_fields) for name, each in sources.items()}
    return Prepared(safe, tuple(found), {name: each for name, each in lines.items() if each})


def _page(name: str, sources: Mapping[str, str]) -> tuple[str, Sequence[Line]]:
    """An HTML field, compiled where it is MJML or has style sheets; no lines where it is what it was."""
    reached = [each for each in sources if each.endswith(".html")]
    if any("<mj" in sources[each] for each in reached):
        page = flat(
            name, {each: mjml.as_page(sources[each]) if each == name else sources[each] for each in sources}
        )
        if mjml.is_mjml(TOKEN.sub("", page.text)):
            return page.restored(mjml.compiled(page))
        _refuse_mjml(page)
    if any(styles.has_styles(sources[each]) for each in reached):
        page = flat(name, sources)
        return page.restored(styles.inlined(page)) if styles.has_styles(page.text) else (sources[name], ())
    return sources[name], ()


def _refuse_mjml(page: Flat) -> None:
    for element in elements(page.text):
        if element.name.startswith("mj-"):
            name, line = page.at(element.start)
            raise SourceError(f"<{element.name}> stands within <mjml> alone", line=line, source=name)


def _with_safe_links(name: str, source: str, link_fields: Mapping[str, links.Links]) -> str:
    try:
        if name.endswith(".html"):
            return links.marked_html(source)
        return links.marked_link(source, link_fields[name]) if name in link_fields else source
    except links.LinkError as error:
        error.source = name
        raise


def origin(lines: Sequence[Line], line: int) -> Line:
    """Where a line comes from; of what nobody wrote, the last that somebody wrote before."""
    return lines[min(line, len(lines)) - 1] if lines and line else ("", line)
