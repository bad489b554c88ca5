"""Where the blocks of a Markdown body are, for bodies of every kind."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from desk.blocks import Block, blocks_of

BODY = """## Overview

Kestrel raised 5 million. It *grew*.
Soft break here.

- One thing. Another.
- Two
  1. Nested

> Quoted words.

| a | b |
|---|---|
| 1 | 2 |

```
code
```
"""


def texts(body: str) -> list[tuple[str, str, str]]:
    return [(block.kind, block.lead, body[block.start : block.end]) for block in blocks_of(body)]


def test_each_block_has_its_text_without_markers() -> None:
    assert texts(BODY) == [
        ("heading", "", "Overview"),
        ("text", "", "Kestrel raised 5 million. It *grew*.\nSoft break here."),
        ("item", "•", "One thing. Another."),
        ("item", "•", "Two"),
        ("item", "1.", "Nested"),
        ("whole", "", "> Quoted words."),
        ("whole", "", "| a | b |\n|---|---|\n| 1 | 2 |"),
        ("whole", "", "```\ncode\n```"),
    ]


def test_line_ends_of_any_kind_are_counted() -> None:
    expected = [(kind, lead, text.replace("\n", "\r\n")) for kind, lead, text in texts(BODY)]
    assert texts(BODY.replace("\n", "\r\n")) == expected


PARTS = st.sampled_from(
    ["# ", "- ", "1. ", "> ", "```", "\n", "\r\n", "\r", "\n\n", "word", "*", "_", "`", "[a](http://b.c)",
     "|", "---", "  ", "\t", "\0", "é", "💡", "<b>", "\\", "    ", "."]
)  # fmt: skip


@given(st.lists(PARTS, max_size=40).map("".join))
def test_blocks_are_in_order_and_apart(body: str) -> None:
    blocks = blocks_of(body)
    assert all(isinstance(block, Block) and 0 <= block.start < block.end <= len(body) for block in blocks)
    assert all(left.end <= right.start for left, right in pairwise(blocks))
