"""The blocks of a Markdown body with their places: headings, paragraphs, list items, the rest whole."""

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from markdown_it.token import Token

from desk.highlights import markdown_parser

_LINE_END = re.compile(r"\r\n?|\n")
_WHOLE = {"blockquote_open": "blockquote_close", "table_open": "table_close"}
"""Containers that are one block."""
_LEAVES = {"fence", "code_block", "hr", "html_block"}

BlockKind = Literal["heading", "text", "item", "whole"]


class Block(NamedTuple):
    """A part of a body: body[start:end], without the markers that begin it."""

    kind: BlockKind
    start: int
    end: int
    lead: str = ""
    """What begins a list item: `•`, or its number."""


def blocks_of(body: str) -> list[Block]:
    """Return the blocks of a body, in order. Lines that are no block, such as blank ones, are left out."""
    starts = [0, *(match.end() for match in _LINE_END.finditer(body)), len(body)]
    tokens = markdown_parser().parse(body)
    return [block for block in _blocks(tokens, body, starts) if block.start < block.end]


def _blocks(tokens: Sequence[Token], body: str, starts: Sequence[int]) -> Iterator[Block]:
    skipped_until, level, heading, items = "", 0, False, list[str]()
    for token in tokens:
        if skipped_until:
            if (token.type, token.level) == (skipped_until, level):
                skipped_until = ""
        elif token.type in _WHOLE or token.type in _LEAVES:
            skipped_until, level = _WHOLE.get(token.type, ""), token.level
            yield _whole(token, body, starts)
        elif token.type in ("heading_open", "heading_close"):
            heading = token.type == "heading_open"
        elif token.type == "list_item_open":
            items.append(f"{token.info}{token.markup}" if token.info else "•")
        elif token.type == "list_item_close":
            items.pop()
        elif token.type == "inline" and token.map:
            kind: BlockKind = "heading" if heading else "item" if items else "text"
            yield _inline(token, body, starts, kind, items[-1] if items else "")


def _whole(token: Token, body: str, starts: Sequence[int]) -> Block:
    start, end = _range(token, body, starts)
    return Block("whole", start, end)


def _inline(token: Token, body: str, starts: Sequence[int], kind: BlockKind, lead: str) -> Block:
    """Return the block of an inline token: its text begins after the markers of its first line."""
    start, end = _range(token, body, starts)
    first, *more = token.content.split("\n")
    at = body.find(first, start, end) if first else -1
    if at < 0:
        return Block("whole", start, end)
    return Block(kind, at, end if more else at + len(first), lead)


def _range(token: Token, body: str, starts: Sequence[int]) -> tuple[int, int]:
    """Return the span of the lines of a token, without white space at its end."""
    first, behind = token.map or (0, 0)
    start, end = starts[first], starts[min(behind, len(starts) - 1)]
    return start, start + len(body[start:end].rstrip())
