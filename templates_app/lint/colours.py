"""Colours of inline styles, and how far two of them are apart (WCAG 2.2, section 1.4.3)."""

import re

from templates_app.lint.page import VALUE, Element

Colour = tuple[int, int, int]

ENOUGH, ENOUGH_IF_LARGE = 4.5, 3.0
#: What is large, in CSS pixels: 18 points, or 14 in bold.
LARGE, LARGE_IF_BOLD = 24.0, 18.66
HEADINGS = {"h1": 32.0, "h2": 24.0}
#: CSS Color Module Level 4: the sixteen names of HTML 4, and those that people use besides.
NAMES: dict[str, Colour] = {
    "black": (0, 0, 0), "white": (255, 255, 255), "red": (255, 0, 0), "green": (0, 128, 0), "blue": (0, 0, 255),
    "yellow": (255, 255, 0), "gray": (128, 128, 128), "grey": (128, 128, 128), "silver": (192, 192, 192),
    "maroon": (128, 0, 0), "olive": (128, 128, 0), "lime": (0, 255, 0), "aqua": (0, 255, 255), "cyan": (0, 255, 255),
    "teal": (0, 128, 128), "navy": (0, 0, 128), "fuchsia": (255, 0, 255), "magenta": (255, 0, 255),
    "purple": (128, 0, 128), "orange": (255, 165, 0), "pink": (255, 192, 203), "gold": (255, 215, 0),
    "brown": (165, 42, 42), "lightgray": (211, 211, 211), "lightgrey": (211, 211, 211), "darkgray": (169, 169, 169),
    "darkgrey": (169, 169, 169), "dimgray": (105, 105, 105), "whitesmoke": (245, 245, 245), "tomato": (255, 99, 71),
}  # fmt: skip
HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})\b(?![0-9a-f])", re.IGNORECASE)
RGB = re.compile(r"rgb\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})\s*\)", re.IGNORECASE)
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*px", re.IGNORECASE)
BACKGROUNDS = ("background-color", "background", "bgcolor", "container-background-color")
UNKNOWN = re.compile(r"url\(|gradient|rgba|hsl|var\(|transparent|inherit|" + VALUE, re.IGNORECASE)


def colour(value: str) -> Colour | None:
    """The colour that a declaration names; None where it is none, or cannot be told."""
    if UNKNOWN.search(value):
        return None
    if found := HEX.search(value):
        digits = found.group(1)
        full = digits if len(digits) == 6 else "".join(each * 2 for each in digits)
        return int(full[:2], 16), int(full[2:4], 16), int(full[4:], 16)
    if found := RGB.search(value):
        red, green, blue = (min(255, int(each)) for each in found.groups())
        return red, green, blue
    return next((NAMES[word] for word in value.lower().split() if word in NAMES), None)


def ink(element: Element, *, is_styled: bool = False) -> Colour | None:
    """The colour of an element's text: its own, or of the nearest one around it that has any.

    None where that cannot be told: a link has the colour of the mail program, and unless the style sheets are in
    place (``is_styled``), a class may mean one.
    """
    for each in element.chain():
        value = each.style("color") or each.attributes.get("color", "")
        if value:
            return colour(value)
        if (each.attributes.get("class") and not is_styled) or each.tag == "a":
            return None
    return None


def ground(element: Element, *, is_styled: bool = False) -> Colour | None:
    """The colour that an element's text stands on; None where that cannot be told."""
    for each in element.chain():
        for name in BACKGROUNDS:
            value = each.style(name) or each.attributes.get(name, "")
            if value:
                return colour(value)
        if (each.attributes.get("class") and not is_styled) or each.attributes.get("background"):
            return None
    return None


def contrast_wanted(element: Element) -> float:
    size, is_bold = _size(element), _is_bold(element)
    return ENOUGH_IF_LARGE if size >= (LARGE_IF_BOLD if is_bold else LARGE) else ENOUGH


def _size(element: Element) -> float:
    for each in element.chain():
        value = each.style("font-size") or each.style("font") or each.attributes.get("font-size", "")
        if found := SIZE.search(value):
            return float(found.group(1))
        if each.tag in HEADINGS:
            return HEADINGS[each.tag]
    return 16.0


def _is_bold(element: Element) -> bool:
    for each in element.chain():
        weight = each.style("font-weight") or each.style("font") or each.attributes.get("font-weight", "")
        if weight:
            return bool(re.search(r"\bbold\b|\b[6-9]00\b", weight))
        if each.tag in {"b", "strong", "th", "h1", "h2", "h3"}:
            return True
    return False


def contrast(one: Colour, other: Colour) -> float:
    """From 1 for the same colour to 21 for black on white."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(value: Colour) -> float:
    red, green, blue = (_linear(each / 255) for each in value)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
