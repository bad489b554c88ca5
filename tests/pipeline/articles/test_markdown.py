"""Markdown that is safe for site generators, with ordinary text unchanged."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pipeline.articles.markdown import plain_text, safe_line, safe_markdown

ORDINARY = """\
Prices fell from $5 to $3, a < b and b > a, said AT&T (ticker: T) at 12:30 — "it's over" [sic].

> The *bank* **lost** 40% of its _value_: 3 - 2 = 1.

- One [link](https://example.org/a_(b)?c=d&e=f#g), two.
- C# and snake_case, 50/50; {braces excepted}
1. First & last ![chart](http://example.org/x.png)

Ends with a colon: yes."""


def test_ordinary_text_is_unchanged() -> None:
    text = ORDINARY.replace("{braces excepted}", "no braces")
    assert safe_markdown(text) == text


@pytest.mark.parametrize(
    ("hostile", "safe"),
    [
        ("<script>x</script>", "&lt;script>x&lt;/script>"),
        (r"\<b>", "&lt;b>"),
        (r"\\<b>", r"\\&lt;b>"),
        ("<!-- a --> <?php <% x", "&lt;!-- a --> &lt;?php &lt;% x"),
        ("<javascript:alert(1)>", "&lt;javascript:alert(1)>"),
        ('--8<-- "/etc/passwd"', '--8&lt;-- "/etc/passwd"'),
        ("{{ site }}", r"\{ \{ site }}"),
        ('{{< include "x" >}}', r'\{ \{ < include "x" >}}'),
        ("{% include x %}", r"\{ % include x %}"),
        ("{# x #}", r"\{ # x #}"),
        (r"\{\{x", r"\{ \{x"),
        ("&#123;&#x7B;&lbrace;x", r"\{ \{ \{x"),
        ("{: onclick=x}", r"\{: onclick=x}"),
        ("::: tip", r":\:\: tip"),
        ("std::x", r"std:\:x"),
        ("# Heading", r"\# Heading"),
        ("> - ## Heading", r"> - \## Heading"),
        ("text\n===", "text\n\\==="),
        ("text\n---\nmore", "text\n\\---\nmore"),
        ("> text\n> -", "> text\n> \\-"),
        ("```html\nx", r"\`\`\`html" + "\nx"),
        ("~~~\nx", "\\~~~\nx"),
        ("    code", "   code"),
        ("a\n\tcode", "a\n   code"),
        ("[x](javascript:alert(1))", r"[x]\(javascript:alert(1))"),
        ("![x](data:image/png;base64,AA)", r"![x]\(data:image/png;base64,AA)"),
        ("[x](/relative)", r"[x]\(/relative)"),
        ('[x](https://e.org "title")', r"[x]\(https://e.org " + '"title")'),
        ("[x](\njavascript:a)", "[x]\\(\njavascript:a)"),
        ("[x]: javascript:alert(1)", r"[x]\: javascript:alert(1)"),
        ("[x]: <javascript:a>", r"[x]\: &lt;javascript:a>"),
        ("a\0b\x1b\ufeffc\u2028d\x85e\r\nf", "abc\nd\ne\nf"),
    ],
)
def test_what_a_generator_would_act_on_is_broken(hostile: str, safe: str) -> None:
    assert safe_markdown(hostile) == safe
    assert safe_markdown(safe) == safe


PIECES = [
    *"\\`{}<>[]()!:#=-~*_&;%/ \n\tax1|+.\"'",
    "http://", "https://a.b", "javascript:", "](", "]:", "](https://a.b/c)", "![", "{{", "{%", "{{<", "::",
    "&#123;", "&lt;", "&#60;", "<script>", "</p>", "<a href", "\n---\n", "\n===\n", "# ", "```", "    ",
    "> ", "- ", "1. ", "\\\\", "data:", "[x]",
]  # fmt: skip
HOSTILE = st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text(max_size=60)
HARMLESS = {
    "inline", "text", "paragraph_open", "paragraph_close", "softbreak", "hardbreak", "text_special", "hr",
    "blockquote_open", "blockquote_close", "list_item_open", "list_item_close", "bullet_list_open",
    "bullet_list_close", "ordered_list_open", "ordered_list_close", "em_open", "em_close", "strong_open",
    "strong_close", "link_open", "link_close", "image", "code_block",
}  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(HOSTILE)
def test_nothing_hostile_survives_in_text_or_page(text: str) -> None:
    safe = safe_markdown(text)
    assert safe_markdown(safe) == safe
    assert not re.search(r"\{[{%#<]|::|<[a-zA-Z/!?%]", safe)
    tokens = MarkdownIt("commonmark").parse(safe)
    inline = [child for token in tokens for child in token.children or []]
    assert {token.type for token in tokens + inline} <= HARMLESS
    for token in inline:
        target = token.attrs.get("href") or token.attrs.get("src")
        assert target is None or str(target).lower().startswith(("http://", "https://"))
    assert "{{" not in MarkdownIt("commonmark").render(safe)


@settings(max_examples=200, deadline=None)
@given(st.text("abcXYZ 0123456789.,$%&'\"!?()/@-–…é日", max_size=60).map(lambda text: f"a{text}a"))
def test_words_and_figures_are_unchanged(text: str) -> None:
    assert safe_markdown(text) == text


@pytest.mark.parametrize(
    ("text", "line"),
    [("## A  heading\n", "A heading"), ("- bullet", "bullet"), ("* - x", "x"), ("#", ""), ("# ", ""),
     ("#1 in sales", r"\#1 in sales"), ("-5% today", "-5% today"), ("", ""), ("---", r"\---")],
)  # fmt: skip
def test_one_line(text: str, line: str) -> None:
    assert safe_line(text) == line


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("> **Bold** and *soft*,\n> said [the bank](https://e.org).", "Bold and soft, said the bank."),
        ("- one\n- two", "one two"),
        (r"\# 5 * 3 and snake_case_name \{x\} &lt;b>", "# 5 * 3 and snake_case_name {x} <b>"),
        ("![chart](https://e.org/x.png) below", "chart below"),
    ],
)
def test_plain_text(markdown: str, words: str) -> None:
    assert plain_text(markdown) == words
