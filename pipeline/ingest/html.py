"""HTML of any quality to plain text: paragraphs divided by blank lines, list items as lines with `- `."""

import re

from pipeline.ingest.markup import Tag, tokens
from pipeline.ingest.text import repair, tidy

# fmt: off
_PARAGRAPHS = frozenset((
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl",
    "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "main", "nav", "p", "pre", "section", "summary", "table",
))
_LINES = frozenset(("br", "tr", "caption", "option"))
_DROPPED = frozenset((
    "button", "canvas", "embed", "iframe", "noscript", "object", "select", "svg", "template",
))
# Never closed, so that hiding one hides nothing else.
_VOID = frozenset((
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
))
# fmt: on
_CONCEALED = re.compile(r"(?:display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden)", re.IGNORECASE)


class _Writer:
    """Collects the text of tokens; line breaks that follow a fresh `- ` do not count."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.hidden: str | None = None
        self.depth = 0
        self.lists = 0
        self.verbatim = 0
        self.fresh_item = False
        self.at_line_start = True

    def text(self, text: str) -> None:
        if self.hidden is not None:
            return
        if not text.isspace():
            self.fresh_item = self.at_line_start = False
        self.pieces.append(repair(text) if self.verbatim else " ".join(repair(text).split("\n")))

    def tag(self, tag: Tag) -> None:
        if self.hidden is not None:
            self._while_hidden(tag)
        elif not tag.closing and _conceals(tag):
            self.hidden, self.depth = tag.name, 1
        elif tag.name in ("ul", "ol", "menu"):
            self._list(tag)
        elif tag.name == "li":
            self._item(tag)
        else:
            self._other(tag)

    def _while_hidden(self, tag: Tag) -> None:
        if tag.name != self.hidden:
            return
        if tag.name == "p" and not tag.closing:  # a paragraph ends where the next one begins
            self.hidden = None
            self.tag(tag)
            return
        self.depth += -1 if tag.closing else 1
        if self.depth == 0:
            self.hidden = None

    def _list(self, tag: Tag) -> None:
        outer = self.lists - 1 if tag.closing else self.lists
        self.lists = max(0, outer if tag.closing else outer + 1)
        self._break("\n" if outer > 0 else "\n\n")

    def _item(self, tag: Tag) -> None:
        if not tag.closing:
            self.pieces.append("- " if self.at_line_start else "\n- ")
            self.at_line_start = False
        self.fresh_item = not tag.closing

    def _other(self, tag: Tag) -> None:
        if tag.name == "pre":
            self.verbatim = max(0, self.verbatim + (-1 if tag.closing else 1))
        if tag.name in _PARAGRAPHS:
            self._break("\n\n")
        elif tag.name in _LINES and not tag.closing:
            self._break("\n")
        elif tag.name in ("td", "th"):
            self.pieces.append(" ")

    def _break(self, lines: str) -> None:
        if not self.fresh_item:
            self.pieces.append(lines)
            self.at_line_start = True


def _conceals(tag: Tag) -> bool:
    """Tell whether a tag begins something that a browser would not show as text."""
    if tag.name in _VOID or tag.attributes.endswith("/"):
        return False
    if tag.name in _DROPPED:
        return True
    written = tag.attributes.lower()
    if "hidden" not in written and "style" not in written:
        return False
    return tag.get("hidden") is not None or bool(_CONCEALED.search(tag.get("style") or ""))


def html_to_text(html: str) -> str:
    """Return what a reader would see of a piece of HTML, repaired. Never raises; takes linear time.

    Scripts, styles, comments and hidden elements are dropped, and so are characters that cannot be seen.
    """
    writer = _Writer()
    for token in tokens(html):
        if isinstance(token, Tag):
            writer.tag(token)
        else:
            writer.text(token)
    return tidy("".join(writer.pieces))


def first_image(html: str) -> str | None:
    """Return the address of the first picture as written, or None; counting pixels do not count."""
    for token in tokens(html):
        if not isinstance(token, Tag) or token.name != "img" or token.closing:
            continue
        source = (token.get("src") or "").strip()
        tiny = (token.get("width") or "").strip() in {"0", "1"} or (token.get("height") or "").strip() in {
            "0",
            "1",
        }
        if source and not tiny and not source.lower().startswith("data:"):
            return source
    return None
