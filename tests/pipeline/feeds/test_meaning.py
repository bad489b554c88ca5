"""Markup that carries meaning is kept in plain text; the first version of the reader lost it."""

import pytest

from pipeline.feeds.html_text import html_to_text
from pipeline.feeds.reader import FIRST_READER


@pytest.mark.parametrize(
    ("html", "text", "first"),
    [
        ("<p>It costs <del>$90</del> <ins>$9</ins>.</p>", "It costs $9.", "It costs $90 $9."),
        ("<p>A <s>Reeve <p>Park", "A Reeve\n\nPark", "A Reeve\n\nPark"),
        ("<p><span style='text-decoration: line-through'>80</span> 70</p>", "70", "80 70"),
        ("<p>10<sup>9</sup> cells, 5 m<sup>2</sup></p>", "10⁹ cells, 5 m²", "109 cells, 5 m2"),
        ("<p>10<sup>-9</sup> and 2<sup>n+1</sup></p>", "10⁻⁹ and 2^(n+1)", "10-9 and 2n+1"),
        ("<p>1<sup>1</sup>⁄<sub>2</sub> cups of H<sub>2</sub>O</p>", "1 1⁄2 cups of H₂O", "11⁄2 cups of H2O"),
        (
            "<p>It fell.<sup>3</sup> By 12<sup><a href='#n'>[4]</a></sup></p>",
            "It fell. By 12",
            "It fell.3 By 12[4]",
        ),
        ("<p>the 1<sup>st</sup> day</p>", "the 1st day", "the 1st day"),
        ("<p><em>E</em> = <em>mc</em><sup>2</sup></p>", "E = mc²", "E = mc2"),
        ("<p>au XIX<sup>e</sup> siècle, n<sup>o</sup> 5</p>", "au XIXe siècle, no 5", "au XIXe siècle, no 5"),
        ("<p>e<sup>x</sup> or 2<sup>x</sup></p>", "e^x or 2^x", "ex or 2x"),
        ("<p>10<sup>6</sup>/L, 5 m<sup>2</sup>/s</p>", "10⁶/L, 5 m²/s", "106/L, 5 m2/s"),
        ("<p>1<sup>3</sup>/4 cups in 1931<sup>[1]</sup></p>", "1 3/4 cups in 1931", "13/4 cups in 1931[1]"),
        ("<ol><li value=9>A<li>B</ol>", "- 9. A\n- 10. B", "- A\n- B"),
        ("Write &lt;b&gt;so&lt;/b&gt; in HTML", "Write <b>so</b> in HTML", "Write <b>so</b> in HTML"),
        ("<p>She said <q>we will</q>.</p>", 'She said "we will".', "She said we will."),
        (
            "<table><tr><th>Area<th>Q2<th>Q3<tr><td>North<td><td>41</table>",
            "Area | Q2 | Q3\nNorth | - | 41",
            "Area Q2 Q3\nNorth 41",
        ),
        ("<table><tr><td><p>One</p></td><td>Two</td></tr></table>", "One\n\nTwo", "One\n\nTwo"),
        ("<ol start=3><li><p>One</p><li>Two</ol>", "- 3. One\n\n- 4. Two", "- One\n\n- Two"),
        ("<p>He said <img alt='👍' src='x'>, <img alt='A tram' src='y'></p>", "He said 👍,", "He said ,"),
        (
            "<p>this note<span class='sr-only'>(new window)</span>.</p>",
            "this note.",
            "this note(new window).",
        ),
        ("&lt;p&gt;Rain &amp;amp; snow&lt;/p&gt;", "Rain & snow", "<p>Rain &amp; snow</p>"),
        ("<![CDATA[<p>Rain</p>]]>", "Rain", "<p>Rain</p>"),
        ("<p>A tag: &lt;/p&gt;</p>", "A tag: </p>", "A tag: </p>"),
        (
            "<ol><li>One oar. <a href='#r1'>&#8617;</a></li><li>2 <a href='#r'>↩\ufe0e<sup>2</sup></a></ol>",
            "- 1. One oar.\n- 2. 2",
            None,
        ),
        ("<ol><li>Press ↩ or <a href='/up'>↑</a></ol>", "- 1. Press ↩ or ↑", None),
        ('[caption id="a"]The mill[/caption] [gallery ids="1"]', "The mill", None),
        (
            "<ol><li>Oar<li>Rope<ol><li>Old<li>New</ol><li>Sail</ol>",
            "- 1. Oar\n- 2. Rope\n- 2.1. Old\n- 2.2. New\n- 3. Sail",
            None,
        ),
        (
            "<table><tr><th>Day<th>Boats<tr><td>1<td>2 big<br>3 small<br>(1 lost)</table>",
            "Day | Boats\n1 | 2 big; 3 small (1 lost)",
            None,
        ),
        (
            "<table><tr><td>One<br>Two<td>A<tr><td>Three<br>Four<td>B</table>",
            "One\nTwo A\nThree\nFour B",
            None,
        ),
        (
            "<table><tr><td>1<td>2<br>(x)<td>3<tr><td>4<td>5<br>(y)<td>6</table>",
            "1 | 2 (x) | 3\n4 | 5 (y) | 6",
            None,
        ),
        ("<ul><li>Oar<ol><li>Old</ol></ul>", "- Oar\n- 1. Old", None),
        ("<p>It rained. <sup class='note'>1</sup>. It fell.</p>", "It rained. It fell.", None),
        ("One mill.\n\nTwo mills.\nThree.", "One mill.\n\nTwo mills. Three.", "One mill. Two mills. Three."),
        ("A.\n\nB.<br><a href='x'>C</a>", "A. B.\nC", None),
        ("A.\n\nB.\n\nC.<br>D", "A.\n\nB.\n\nC.\nD", None),
        ("<p>One\n\nmill.</p>", "One mill.", None),
    ],
)
def test_text(html: str, text: str, first: str | None) -> None:
    assert html_to_text(html) == text
    if first is not None:
        assert html_to_text(html, FIRST_READER) == first


@pytest.mark.parametrize(
    ("quoted", "text"),
    [
        ("<p>We sail.</p>&mdash; Bea (@bea)", '"We sail."\n\n— Bea (@bea)'),
        ("<p>We sail.</p><p>At dawn.</p><cite>Bea</cite>", '"We sail.\n\nAt dawn."\n\nBea'),
        ("<p>We sail.</p><blockquote>When?</blockquote>", '"We sail."\n\n"When?"'),
        ("« Nous partons », a dit Bea.", "« Nous partons », a dit Bea."),
        ("<h2>Rules</h2><p>No boats.</p>", "Rules\n\nNo boats."),
        ("<a href='x'>https://vale.example/x</a>", "https://vale.example/x"),
        ("<p>We sail.</p><p>- <a href='x'>Bea</a></p>", '"We sail."\n\n- Bea'),
    ],
)
def test_a_blockquote_has_quotation_marks_around_what_is_said(quoted: str, text: str) -> None:
    story = "The harbour of Vale was closed for a week, and its master wrote to all the skippers."
    html = f"<p>{story}</p><blockquote>{quoted}</blockquote>"
    assert html_to_text(html) == f"{story}\n\n{text}"
    assert '"' not in html_to_text(html, FIRST_READER)
    assert html_to_text(f"<blockquote><p>{story}</p></blockquote>") == story, "the whole text is no quotation"


def test_a_post_is_quoted_without_the_address_of_its_picture() -> None:
    story = "The harbour of Vale was closed for a week, and its master wrote to all the skippers."
    post = "<p>No date yet. <a href='#'>pic.example/x</a></p>&mdash; Bea"
    html = f"<p>{story}</p><blockquote class='twitter-tweet'>{post}</blockquote>"
    assert html_to_text(html) == f'{story}\n\n"No date yet."\n\n— Bea'


def test_passages_of_one_quotation_have_no_marks_between() -> None:
    story = "The harbour of Vale was closed for a week, and its master wrote to all the skippers."
    passages = ("“No boats,", "and no rafts.", "Not one.”", "Why?")
    html = f"<p>{story}</p>" + "".join(f"<blockquote>{each}</blockquote>" for each in passages)
    assert html_to_text(html) == f'{story}\n\n“No boats,\n\nand no rafts.\n\nNot one.”\n\n"Why?"'
    apart = f"<p>{story}</p><blockquote>“No boats,</blockquote><p>he wrote.</p><blockquote>Why?</blockquote>"
    assert html_to_text(apart).endswith('“No boats,\n\nhe wrote.\n\n"Why?"')


MARKDOWN = """## The *old* quay

It **fell** [last year](https://gull.example/fall "Fall"), and `make quay` mends it.
![A map](map.png)

- Oar
- Rope

---

> No boats.

```sh
make quay
  cd *
```
1. Stone
"""


def test_markdown_is_read_without_its_signs() -> None:
    assert html_to_text(MARKDOWN) == (
        "The old quay\n\nIt fell last year, and make quay mends it.\n\n- Oar\n- Rope\n\nNo boats.\n\n"
        "make quay\ncd *\n\n- 1. Stone"
    )
    with_blocks = MARKDOWN.replace("No boats.", "<div>No boats.</div>")
    assert html_to_text(with_blocks).startswith("The old quay\n\nIt fell last year")
    assert html_to_text("<p>## Not so</p>\n\n## [x](/y)") == "## Not so\n\n## [x](/y)"
    formula = "It maps $T[g](x)$.\n\nIt maps $T[f](y)$."
    assert html_to_text(formula) == formula, "brackets alone are no links"


def test_paragraphs_of_plain_text_are_found_in_linear_time() -> None:
    source = "# a\n\n" + "[a](" * 20_000 + "\n\n" + "![" * 20_000 + "**a" * 20_000 + "\n \n" * 20_000
    assert html_to_text(source).startswith("a")
