"""HTML that everybody can see and read."""

import math
from collections.abc import Iterator

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from templates_app.lint.colours import contrast, contrast_wanted, ground, ink
from templates_app.lint.examples import mail
from templates_app.lint.page import VALUE, Element, Page
from templates_app.lint.problem import Severity
from templates_app.lint.reading import Reading
from templates_app.lint.rule import Finding, at, rule
from templates_app.lint.text import Text

LOGO = "https://example.com/logo.png"
IMAGES = ("img", "mj-image", "mj-carousel-image")
UNREAD = frozenset({"style", "script", "title", "head"})


def _pages(reading: Reading) -> Iterator[tuple[Text, Page]]:
    return ((text, text.page) for text in reading.texts if text.is_html)


@rule(
    code="alt-text",
    severity=Severity.WARNING,
    title=_("An image has no alternative text"),
    why=_(
        "Many mail programs show no images at first, and some people cannot see them: they read this text."
    ),
    todo=_('Say in alt="…" what the image says; write alt="" for one that is mere decoration.'),
    bad=mail(f'<img src="{LOGO}" width="80" height="20">'),
    good=mail(f'<img src="{LOGO}" width="80" height="20" alt="Example">'),
)
def alt_text(reading: Reading) -> Iterator[Finding]:
    for text, page in _pages(reading):
        for image in page.all(*IMAGES):
            if "alt" not in image.attributes:
                yield at(text, gettext('The image has no alt="…".'), line=image.line)
            elif not image.attributes["alt"].strip() and _is_all_of_a_link(image):
                message = gettext("The image is all that a link shows, and its alternative text is empty.")
                yield at(text, message, line=image.line)


def _is_all_of_a_link(image: Element) -> bool:
    if image.tag in IMAGES[1:]:  # where the link is in the image, and not around it
        return "href" in image.attributes
    link = next((each for each in image.chain() if each.tag == "a"), None)
    return link is not None and not link.says


@rule(
    code="image-size",
    severity=Severity.WARNING,
    title=_("An image has no size"),
    why=_(
        "Until it has loaded, everything jumps; Outlook shows it as large as the file is, wider than the window."
    ),
    todo=_('Give it width="…" and height="…".'),
    bad=mail(f'<img src="{LOGO}" alt="Example">'),
    good=mail(f'<img src="{LOGO}" alt="Example" width="80" height="20">'),
)
def image_size(reading: Reading) -> Iterator[Finding]:
    for text, page in _pages(reading):
        for image in page.all("img"):
            if not (image.attributes.get("width") or image.style("width")):
                yield at(text, gettext("The image has no width."), line=image.line)


@rule(
    code="contrast",
    severity=Severity.WARNING,
    title=_("Text stands out too little from its background"),
    why=_(
        "People with weak eyes, and everybody in the sun, cannot read it. WCAG asks for 4.5 to 1, or 3 to 1 where it "
        "is large."
    ),
    todo=_("Make the text darker or the background lighter, or the other way round."),
    bad=mail('<p style="color:#aaaaaa;background:#ffffff">Thank you.</p>'),
    good=mail('<p style="color:#555555;background:#ffffff">Thank you.</p>'),
)
def low_contrast(reading: Reading) -> Iterator[Finding]:
    for text, page in _pages(reading):
        styled = text.styled
        for element in (page if styled is None else styled).elements:
            fault = _fault(element, is_styled=styled is not None) if element.words else ""
            if fault and (line := _line_of(element, text)):
                yield at(text, fault, line=line)


def _line_of(element: Element, text: Text) -> int:
    """Where its words stand in the source; 0 where they come from a layout, which is looked at by itself."""
    if text.styled is None:
        return element.text[0][0]
    words = max(element.words.split(VALUE), key=len, default="").strip()
    lines = text.source.splitlines()
    return next((number for number, line in enumerate(lines, 1) if words and words[:40] in line), 0)


def _fault(element: Element, *, is_styled: bool) -> str:
    front = ink(element, is_styled=is_styled) if element.tag not in UNREAD else None
    back = ground(element, is_styled=is_styled) if front is not None else None
    if front is None or back is None:
        return ""
    found, wanted = contrast(front, back), contrast_wanted(element)
    if found >= wanted:
        return ""
    return gettext("The contrast is %(found)s to 1; it should be %(wanted)s to 1.") % {
        "found": math.floor(found * 10) / 10,  # never as much as is wanted
        "wanted": f"{wanted:g}",
    }


RULES = (alt_text, image_size, low_contrast)
