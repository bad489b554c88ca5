"""What of a page's text is kept: lists, tables, lines of `<br>`, scripts' copies of the article."""

import pytest

from pipeline.domain.errors import FeedError
from pipeline.feeds.pages.extract import Page, extract
from tests.pipeline.feeds.webpages import PARAGRAPHS, SPA, linked, news

BEFORE, AFTER = f"<p>{PARAGRAPHS[0]}</p><p>The new fees are:</p>", f"<p>{PARAGRAPHS[1]}</p>"


def read(html: str, url: str = "https://news.example/story") -> Page:
    return extract(html.encode(), "text/html; charset=utf-8", url)


def test_tables_and_lists_stand_where_the_page_has_them() -> None:
    table = (
        "<table><tr><th>Berth</th><th>Fee</th></tr><tr><td>North</td><td>$14</td></tr>"
        "<tr><td>South</td><td></td></tr></table>"
    )
    points = "<ul><li><span>The night begins at ten.</span></li><li>Pay of 4 dollars is due.</li></ul>"
    steps = "<ol><li>An appeal, within a month.</li><li>A hearing in May.</li></ol>"
    for page in (news, lambda body: f"<html><body>{body}</body></html>"):
        text = read(
            page(f"{BEFORE}{table}<p>The ruling says:</p>{points}{AFTER}{steps}<p>{PARAGRAPHS[2]}</p>")
        ).text
        blocks = (
            "The new fees are:\n\nBerth | Fee\nNorth | $14\nSouth | -\n\nThe ruling says:\n\n"
            "- The night begins at ten.\n- Pay of 4 dollars is due."
        )
        assert blocks in text
        assert "1. An appeal, within a month." in text
        assert "2. A hearing in May." in text
        assert (
            text.index("due.") < text.index(PARAGRAPHS[1]) < text.index("appeal") < text.index(PARAGRAPHS[2])
        )
        assert text.count("The night begins") == 1


def test_lines_beside_the_story_are_taken_out_of_a_page_and_say_whose_it_is() -> None:
    mention = "<p>This story was first published by Gull Wire.</p>"
    page = read(news(f"{BEFORE}<p>Advertisement</p><p>Read more: The heron of Marrow</p>{AFTER}{mention}"))
    assert page.text == "\n\n".join((PARAGRAPHS[0], "The new fees are:", PARAGRAPHS[1]))
    assert page.credit == "Gull Wire"


def test_a_table_in_a_figure_and_a_list_that_goes_on_are_kept() -> None:
    rows = "<tr><td>Berth</td><td>Fee</td></tr><tr><td>North</td><td>14</td></tr>"
    table = f"<figure class='wp-block-table'><table><tbody>{rows}</tbody></table></figure>"
    steps = "<ol start=3><li>A hearing in May.</li></ol>"
    text = read(news(f"{BEFORE}{table}{AFTER}{steps}<p>{PARAGRAPHS[2]}</p>{table}")).text
    assert text.count("Berth | Fee\nNorth | 14") == 2
    assert "- 3. A hearing in May." in text


def test_lists_of_links_and_tables_of_layout_stay_out() -> None:
    links = "<ul><li><a href=/a>Harbour fees rise again</a></li><li><a href=/b>Ferry late</a></li></ul>"
    layout = "<table><tr><td><a href=/x>Sport today</a></td><td><a href=/y>Weather</a></td></tr></table>"
    share = "<ul class='share-buttons'><li>Send this page</li><li>Print this page</li></ul>"
    text = read(news(f"{BEFORE}{links}{layout}{share}{AFTER}<p>{PARAGRAPHS[2]}</p>")).text
    assert not any(word in text for word in ("rise again", "Ferry late", "Sport today", "Print this"))


def test_markup_with_a_meaning_keeps_it_in_a_page() -> None:
    body = "<p>The plant makes 10<sup>9</sup> watts, <del>or two</del> as <q>a start</q>, said the board.</p>"
    body += "<p>It costs <span style='text-decoration: line-through'>80</span> 70 euros.</p>"
    body += "<blockquote><p>We start now.</p><cite>Ines Falk</cite></blockquote>"
    text = read(news(f"{BEFORE}{body}{AFTER}")).text
    assert 'makes 10⁹ watts, as "a start", said' in text
    assert "It costs 70 euros." in text
    assert '"We start now."' in text


@pytest.mark.parametrize(
    "outer", ["<table><tr><td><a href=/>Home</a></td></tr><tr><td>{}</td></tr></table>", "{}"]
)
def test_paragraphs_between_line_breaks_are_an_article(outer: str) -> None:
    lines = (
        f"<font size=2>{PARAGRAPHS[0]}<br><br>{PARAGRAPHS[1]}<br>\n<br>The rate is <i>r</i> and 3<i>r</i>/2."
    )
    text = read(f"<html><body>{outer.format(f'{lines}<br><br>{PARAGRAPHS[2]}</font>')}</body></html>").text
    assert text == "\n\n".join((*PARAGRAPHS[:2], "The rate is r and 3r/2.", PARAGRAPHS[2]))


def test_the_scripts_copy_of_an_article_is_its_text_where_scripts_draw_the_page() -> None:
    whole = "\n\n".join(PARAGRAPHS)
    for written in (whole, "".join(f"<p>{each}</p>" for each in PARAGRAPHS), "\n".join(PARAGRAPHS)):
        assert read(SPA.replace("</head>", f"{linked(articleBody=written)}</head>")).text == whole
    wrapped = (
        linked(articleBody=whole).replace("{", "\n//<![CDATA[\n{", 1).replace("</script>", "\n//]]></script>")
    )
    assert read(SPA.replace("</head>", f"{wrapped}</head>")).text == whole
    ticker = [{"@type": "BlogPosting", "headline": "09:40", "articleBody": each} for each in PARAGRAPHS]
    page = linked(**{"@type": "LiveBlogPosting", "liveBlogUpdate": ticker})
    assert PARAGRAPHS[3] in read(SPA.replace("</head>", f"{page}</head>")).text
    assert read(news(head=linked(articleBody="A summary by a machine."))).text.startswith(PARAGRAPHS[0])


def test_the_scripts_copy_does_not_open_a_paywall() -> None:
    whole = " ".join(PARAGRAPHS)
    teaser = f"<p>{PARAGRAPHS[3]}</p><p>Subscribe to continue reading.</p>"
    for head, body in (
        (linked(articleBody=whole, isAccessibleForFree=False), teaser),
        (linked(articleBody=whole), teaser),
    ):
        with pytest.raises(FeedError) as caught:
            read(news(body, head=head))
        assert caught.value.kind == "paywall"


def test_hostile_pages_take_bounded_work() -> None:
    rows = "<tr><td>a</td><td>b</td></tr>" * 3000
    nested = "<ul><li>" * 2000 + "x" + "<table><tr><td>y<br>" * 500
    for body in (f"<table>{rows}</table>", nested, "<br>" * 19_000, "<div>x" * 9000):
        assert PARAGRAPHS[0] in read(news(f"{BEFORE}{AFTER}{body}")).text
