"""The words that people see on a page."""

from html.parser import HTMLParser

#: What is written, is code, or is no text at all.
UNREAD = {"script", "style", "code", "pre", "textarea", "svg", "time"}
#: Named icons of the theme are text.
ICONS = ("material-symbols-outlined", "pc-icon")
#: Without an end of their own.
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
SEEN = ("title", "placeholder", "aria-label", "alt")


class Words(HTMLParser):
    """The texts of a page, and those of its attributes that people see."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: set[str] = set()
        self.open: list[tuple[str, bool]] = []
        self.code = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.texts |= {(values.get(name) or "").strip() for name in SEEN}
        classes = values.get("class") or ""
        # A choice that reads as its value is a code.
        self.code = (values.get("value") or "") if tag == "option" else ""
        hidden = tag in UNREAD or any(icon in classes for icon in ICONS)
        if tag not in VOID:
            self.open.append((tag, hidden))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not any(hidden for _tag, hidden in self.open):
            text = " ".join(data.split())
            self.texts |= {text} - {self.code}
