"""Finds the text of an article in a page's elements, with its lists, tables and lines. Pure, bounded work."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from pipeline.feeds.html_pieces import small_number
from pipeline.feeds.html_text import html_to_text
from pipeline.feeds.text_cleanup import fix_mojibake, normalize_space

Tree: TypeAlias = Any
"""An element of lxml, which has no type annotations."""

_NAVIGATION = ("nav", "header", "footer")
_ASIDES = frozenset((*_NAVIGATION, "aside", "form", "figure"))
_ASIDE_NAMES = re.compile(
    r"(?<![a-z])(?:nav|navbar|menu|share|sharing|social|related|recommend\w{0,9}|newsletter|promo\w{0,9}|sponsor\w{0,9}"
    r"|comments?|tags?|breadcrumbs?|toc|sidebar|footer|byline|widget|subscribe|advert\w{0,9}|ads?)(?![a-z])",
    re.IGNORECASE,
)
"""Words in classes and ids of what stands beside an article. Chosen, not measured."""
_TEXTS = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "pre", "blockquote", "dt", "dd"))
_LISTS = frozenset(("ul", "ol", "dl"))
_BLOCKS = frozenset(
    ("body", "div", "td", "th", "center", "section", "article", "main", "blockquote", "p", "li")
)
_MAX_ROWS = 200
"""Rows of a table, and items of a list, that is a part of an article. Chosen, not measured."""
_MAX_CELL_CHARS = 200
"""Characters of a cell from which on a table is layout. Chosen, not measured."""
_MAX_LINKED = 0.5
"""Share of linked characters from which on a list or table is navigation. Chosen, not measured."""
_SHORT_CHARS = 200
"""Characters below which text between line breaks, if longer, is the article. Chosen, not measured."""
_SIGNS = re.compile(r"\W+")


def visible_text(tree: Tree) -> str:
    """Return a page's text without navigation, header and footer, where all pages advertise subscriptions."""
    from lxml.etree import iterwalk

    pieces: list[str] = []
    depth = 0
    for event, each in iterwalk(tree, events=("start", "end")):
        outside = each.tag in _NAVIGATION
        if event == "start":
            depth += outside
            pieces.append("" if depth else each.text or "")
        else:
            depth -= outside
            pieces.append("" if depth else each.tail or "")
    return " ".join("".join(pieces).split())


def text_of(elements: Sequence[Tree]) -> str:
    """Return the text of elements, each once."""
    descendants = {each for outer in elements for each in outer.iterdescendants()}
    return "\n\n".join(filter(None, (_plain(each) for each in elements if each not in descendants)))


def main_text(tree: Tree) -> str:
    """Return the text of the element that looks like the article, "" if there is none; may change `tree`."""
    text = _library_text(tree, favor_precision=True)
    if len(text) >= _SHORT_CHARS:
        return text
    _unwrap_layout(tree)
    text = max(text, _text_between_breaks(tree), key=len)
    recalled = "" if text else _library_text(tree, favor_precision=False)
    return recalled if len(recalled) >= _SHORT_CHARS else text


def _unwrap_layout(tree: Tree) -> None:
    """Make tables that only lay out a page to plain blocks, as the text of tables is not searched."""
    data = {part for table in tree.iter("table") if _is_data(table) for part in table.iter()}
    for each in list(tree.iter("table", "tbody", "tr", "td", "th")):
        if each not in data:
            each.tag = "div"


def _library_text(tree: Tree, *, favor_precision: bool) -> str:
    from trafilatura import bare_extraction  # late: takes 0.2 s to import, and few items need it

    document = bare_extraction(
        tree,
        fast=True,
        include_comments=False,
        include_tables=False,
        favor_precision=favor_precision,
        favor_recall=not favor_precision,
    )
    lines = fix_mojibake(getattr(document, "text", None) or "").split("\n")
    return normalize_space(_paragraphs(_restore(tree, lines)))


def _plain(element: Tree) -> str:
    from lxml.html import tostring

    return html_to_text(tostring(element, encoding="unicode", with_tail=False))


def _paragraphs(lines: Sequence[str]) -> str:
    """Return lines with blank lines between them, but not between the items of a list."""
    pieces: list[str] = []
    for line in lines:
        together = pieces and pieces[-1].startswith("- ") and line.startswith("- ")
        pieces += ["\n" if together else "\n\n", line]
    return "".join(pieces)


def _restore(tree: Tree, lines: list[str]) -> list[str]:
    """Return the lines of an article with the lists, tables and numbers that they lost.

    A list or table is of the article if it stands between two of its lines, or beside the last one.
    """
    places = {_bare(line): at for at, line in reversed(list(enumerate(lines)))}
    places.pop("", None)
    added: dict[int, list[str]] = {}
    counts: Counter[Tree] = Counter()
    pending: list[str] = []
    last: Tree = None
    at = -1
    for each in _article_blocks(tree, places):
        if each.tag not in _TEXTS:
            if last is not None and _outermost(each).getparent() is last.getparent():
                added.setdefault(at, []).extend((*pending, _plain(each)))
                pending = []
            elif last is not None:
                pending.append(_plain(each))
            continue
        number = _number(each, counts)
        place = places.get(_bare("".join(each.itertext())))
        if place is None or place < at:
            continue
        added.setdefault(at, []).extend(pending)
        last, at, pending = each, place, []
        lines[at] = f"{number}{lines[at].removeprefix('- ')}" if number else lines[at]
    return [each for number, line in enumerate(lines) for each in (line, *added.get(number, ()))]


def _outermost(element: Tree) -> Tree:
    """Return the element around a list or table that holds it alone, such as `figure`."""
    outer = element.getparent()
    while (
        outer is not None
        and outer.tag in ("figure", "div")
        and len(outer) - len(outer.findall("figcaption")) == 1
    ):
        element, outer = outer, outer.getparent()
    return element


def _bare(text: str) -> str:
    return _SIGNS.sub("", text).casefold()


def _number(element: Tree, counts: Counter[Tree]) -> str:
    """Return what stands before an item of an ordered list, "" for other elements; `counts` goes on."""
    outer = element.getparent()
    if element.tag != "li" or outer is None or outer.tag != "ol":
        return ""
    if outer not in counts:
        counts[outer] = small_number(outer.get("start"), 1) - 1
    counts[outer] += 1
    return f"- {counts[outer]}. "


def _article_blocks(tree: Tree, places: dict[str, int]) -> Iterator[Tree]:
    """Yield elements with text, and lists and tables of content whose text is nowhere, in their order."""
    from lxml.etree import iterwalk

    walk = iterwalk(tree, events=("start",))
    for _, each in walk:
        if each.tag == "figure" and each.find(".//table") is not None:
            continue
        if each.tag in _ASIDES or _ASIDE_NAMES.search(f"{each.get('class', '')} {each.get('id', '')}"[:200]):
            if each.tag not in ("html", "body", "main", "article"):
                walk.skip_subtree()
        elif each.tag in _LISTS or each.tag == "table":
            if not _is_data(each):
                continue
            if each.tag == "table" or not any(
                _bare("".join(li.itertext())) in places for li in each.iter("li", "dd")
            ):
                yield each
                walk.skip_subtree()
        elif each.tag in _TEXTS:
            yield each


def _is_data(element: Tree) -> bool:
    """Return whether a list or table is content, not navigation or layout."""
    parts = list(element.iter("li", "dd", "tr"))
    if not 0 < len(parts) <= _MAX_ROWS:
        return False
    length = len(_bare("".join(element.itertext())))
    linked = sum(len(_bare("".join(link.itertext()))) for link in element.iter("a"))
    if not length or linked > _MAX_LINKED * length:
        return False
    if element.tag != "table":
        return True
    cells = list(element.iter("td", "th"))
    nested = sum(1 for _ in element.iter("table")) > 1
    return (
        not nested
        and len(parts) > 1
        and len(cells) >= 2 * len(parts) - 1
        and all(sum(map(len, cell.itertext())) < _MAX_CELL_CHARS for cell in cells)
    )


def _text_between_breaks(tree: Tree) -> str:
    """Return the text of the element that has most text of its own, with line breaks between paragraphs."""
    from lxml.etree import iterwalk

    own: dict[Tree, int] = {}
    breaks: dict[Tree, int] = {}
    outer: list[Tree] = []
    for event, each in iterwalk(tree, events=("start", "end")):
        if event == "start" and each.tag in _BLOCKS:
            outer.append(each)
        if outer:
            written = each.text if event == "start" else each.tail
            holder = outer[-1]
            if event == "end" and each is holder:
                outer.pop()
                holder = outer[-1] if outer else each
            own[holder] = own.get(holder, 0) + len((written or "").strip())
            breaks[holder] = breaks.get(holder, 0) + (event == "start" and each.tag == "br")
    if not own:
        return ""
    element = max(own, key=lambda each: own[each])
    linked = sum(len("".join(link.itertext()).strip()) for link in element.iter("a"))
    if breaks[element] < 2 or own[element] < _SHORT_CHARS or linked > _MAX_LINKED * own[element]:
        return ""
    return _plain(element)
