"""Articles as HTML that can do nothing: Markdown without raw HTML, cleaned again when it is made."""

import nh3
from markdown_it import MarkdownIt

_TAGS = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "mark", "ol", "p",
    "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href"},
    "mark": {"class", "data-f", "data-n"},
    "span": {"id", "class"},
    "ol": {"start"},
}
LONGEST = 200_000
"""Characters that are rendered; what follows is shown by nobody's browser in good time."""


def parser() -> MarkdownIt:
    """Return a parser of CommonMark with tables, that takes HTML for text and loads no image."""
    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")


def safe(html: str) -> str:
    """Return HTML with nothing in it but what an article has; links lead to http(s) alone."""
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https"},
        link_rel="nofollow noopener noreferrer",
    )


def rendered(body: str) -> str:
    """Return a body as its readers will see it."""
    return safe(str(parser().render(body[:LONGEST])))
