"""Writes the paragraphs of plain text and of Markdown as HTML, where a feed sends them as HTML.

Rules of the reader from version 2 on. Pure, linear time.
"""

import re

_BLANK_LINES = re.compile(r"\n[ \t]*+\n\s*+")
_BLOCKS = re.compile(r"<(?:p|div|li|h[1-6]|tr|dd|blockquote|section|article)\b", re.IGNORECASE)
_MAX_BLOCK_SHARE = 0.25
"""Elements of blocks in a text of Markdown, in parts of its blank lines. Chosen, not measured."""
_HEADING = re.compile(r"^#{1,6} (?=\S)", re.MULTILINE)
_LINK = re.compile(
    r"\[([^\[\]\n]{1,500})\]\((?:https?:|mailto:|[/#.])[^()\s]{0,1000}(?: \"[^\"\n]{0,200}\")?\)"
)
_FENCE = re.compile(r"^(?:```|~~~)[\w+-]*[ \t]*$", re.MULTILINE)
_SIGNS = (
    (re.compile(r"!\[[^\[\]\n]{0,300}\]\([^()\n]{1,1000}\)"), ""),
    (_LINK, r"\1"),
    (re.compile(r"^#{1,6} (.+?)#*$", re.MULTILINE), r"<p>\1<p>"),
    (re.compile(r"^(?:-{3,}|\*{3,}|_{3,})[ \t]*$", re.MULTILINE), "<p>"),
    (re.compile(r"^[ \t]*(?:[-*+]|(\d{1,3}\.)) (?=\S)", re.MULTILINE), r"<br>- \1 "),
    (re.compile(r"^(?:>[ \t]?)+", re.MULTILINE), "<br>"),
    (re.compile(r" {2,}\n"), "<br>"),
    (re.compile(r"(\*\*|__)(?=\S)([^\n]{1,500}?\S)\1"), r"\2"),
    (re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]{1,500}?)(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"`([^`\n]{1,300})`"), r"\1"),
)
"""Signs of Markdown, and what stands for them. Source: https://spec.commonmark.org."""


def write_paragraphs(source: str) -> str:
    """Return HTML with paragraphs where blank lines show them: in Markdown, or without elements of blocks."""
    blank = source.count("\n\n")
    if not blank or "<pre" in source:
        return source
    is_headed = "\n## " in source or source.startswith("#")
    if _BLOCKS.search(source) and not (
        is_headed and len(_BLOCKS.findall(source)) <= _MAX_BLOCK_SHARE * blank
    ):
        return source
    if source.count("<br") * 2 > blank:
        return source
    if _HEADING.search(source) or _LINK.search(source):
        source = _without_signs(source)
    return _BLANK_LINES.sub("\n<p>\n", source)


def _without_signs(source: str) -> str:
    """Return Markdown without its signs; between fences, only the lines are kept."""
    parts = _FENCE.split(source)
    for at, part in enumerate(parts):
        if at % 2 and at < len(parts) - 1:
            parts[at] = f"<pre>{part.strip()}</pre>"
            continue
        for sign, written in _SIGNS:
            part = sign.sub(written, part)
        parts[at] = part
    return "".join(parts)
