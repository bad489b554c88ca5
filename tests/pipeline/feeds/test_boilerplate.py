"""What is no part of a story is taken out of its text: by structure, and by lists of lines."""

import pytest

from pipeline.feeds.boilerplate.doubles import without_title
from pipeline.feeds.boilerplate.lines import clean_author, read_lines
from pipeline.feeds.html_text import html_to_text
from pipeline.feeds.reader import FIRST_READER

STORY = "The quay at Marrow Point is to be rebuilt before the herring season, its keeper told the parish."
MORE = "Nobody has said yet who will pay for the stone, and the parish meets again after the harvest."
PAGE = f"<p>{STORY}</p>@<p>{MORE}</p>"
TEXT = f"{STORY}\n\n{MORE}"


@pytest.mark.parametrize(
    "markup",
    [
        "<div class='post-share-buttons'><ul><li>By letter</li><li>By crow</li></ul></div>",
        "<div class='feedflare'><a href='x'>Comment on this</a></div>",
        "<aside class='c-newsletter-signup'><p>The Gull in your inbox</p></aside>",
        "<section id=newsletter><p>The Gull in your inbox</p></section>",
        "<div class='advertisement'><p>Ropes for half the money at Knott's</p></div>",
        "<div class='wide ad-slot'><p>Ropes for half the money at Knott's</p></div>",
        "<div id='jp-relatedposts'><h3>Related</h3></div>",
        "<div class='related-posts'><h3>More tales</h3><p>The heron of Marrow Point</p></div>",
        "<form action='/x'><label>Your name</label><input></form>",
        "<nav><a href='/a'>One</a> <a href='/b'>Two</a></nav>",
        "<p><span class='ads'>Ropes for half the money at Knott's</span></p>",
        "<div class='mermaid'>graph LR; A[Quay] --&gt; B[Mill]</div>",
        "<video src='q.mp4'>This clip needs a newer browser.</video>",
        "<div class='promotion'><div>https://gull.example/ropes</div></div>",
        "<p>&lt;form action='x'><br>&lt;label>Name&lt;/label><div>&lt;input></div>&lt;/form></p>",
        "<p>&lt;object width='4'>&lt;embed src='q.swf'>&lt;/embed>&lt;/object></p>",
    ],
)
def test_elements_beside_the_story_are_taken_out(markup: str) -> None:
    assert html_to_text(PAGE.replace("@", markup)) == TEXT
    assert html_to_text(PAGE.replace("@", markup), FIRST_READER) != TEXT


@pytest.mark.parametrize(
    "html",
    [
        f"<div class='sponsored-box related'><p>{STORY}</p><p>{MORE}</p></div>",
        f"<form><p>{STORY}</p><p>{MORE}</p></form>",
        f"<div class='share'><p>{STORY}</p><p>{MORE}</p>",
        f"<video src='x'><p>{STORY}</p><p>{MORE}</p>",
        f"<div class='shareholders roads-ahead'><p>{STORY}</p></div><p>{MORE}</p>",
    ],
)
def test_an_element_that_holds_the_story_or_is_never_closed_stays(html: str) -> None:
    assert html_to_text(html) == TEXT


@pytest.mark.parametrize(
    ("markup", "kept"),
    [
        (
            "<h3 id='social-media'>Social media</h3><p>They wrote of it.</p>",
            "Social media\n\nThey wrote of it.",
        ),
        (
            "<div class='mermaid'>The mermaid sang of the graph.</div>",
            "The mermaid sang of the graph.",
        ),
        (
            "<section id='newsletter'><h2>Newsletter</h2><p>It closed.</p></section>",
            "Newsletter\n\nIt closed.",
        ),
        ("<p>As <a class='related-link' href='x'>we wrote</a>, it fell.</p>", "As we wrote, it fell."),
        ("<p>It rose to <span class='share'>12%</span> of all.</p>", "It rose to 12% of all."),
        ("<nav><ol><li><a href='#a'>Stone</a></li></ol></nav>", "- 1. Stone"),
        ("<p><code>&lt;embed src='q'&gt;&lt;/embed&gt;</code></p>", "<embed src='q'></embed>"),
        ("<div class='photo'><img src='q'><p>The quay</p></div>", "The quay"),
        ("<p><img src='q'><em>The quay</em></p>", "The quay"),
        ("<p class='line-number'>Line 4 is closed.</p>", "Line 4 is closed."),
    ],
)
def test_names_of_boilerplate_on_parts_of_the_story_take_nothing_out(markup: str, kept: str) -> None:
    assert html_to_text(PAGE.replace("@", markup)) == f"{STORY}\n\n{kept}\n\n{MORE}"


def test_nested_tables_of_contents_are_read_in_linear_time() -> None:
    assert html_to_text("<nav><a href='#a'>x</a>" * 20_000 + "</nav>" * 20_000).count("x") == 20_000


@pytest.mark.parametrize("element", ["<div class='gutter'>", "<div class='photo'><img>", "<blockquote>“"])
def test_elements_within_elements_are_read_in_linear_time(element: str) -> None:
    closed = "</div>" if "div" in element else "</blockquote>"
    assert STORY in html_to_text(f"{element * 20_000}{closed * 20_000}<p>{STORY}</p>")


def test_headings_above_headings_are_read_in_linear_time() -> None:
    text = "Related stories\n" * 20_000 + STORY
    assert STORY in read_lines(text).text


def test_elements_that_are_most_of_the_text_together_stay() -> None:
    parts = "".join(f"<div class='newsletter-block'><p>{each} {STORY}</p></div>" for each in "ABCDE")
    assert html_to_text(f"<p>Hello</p>{parts}").count(STORY) == 5


def test_a_caption_is_no_lead_but_stays_within_the_story_and_where_it_is_all() -> None:
    caption = "<figure><img src='q.jpg'><figcaption>The quay in 1931, with 4 boats</figcaption></figure>"
    assert html_to_text(f"{caption}<p>{STORY}</p><p>{MORE}</p>") == TEXT
    assert "with 4 boats" in html_to_text(PAGE.replace("@", caption))
    assert html_to_text(caption) == "The quay in 1931, with 4 boats"
    named = "<p><img src='q.jpg'><br><em>The quay in 1931. Photo: Wren Adair</em></p>"
    assert read_lines(html_to_text(f"{named}<p>{STORY}</p><p>{MORE}</p>")).text == TEXT
    assert (
        html_to_text(f"[caption id='a']<img> The quay in 1931[/caption]<p>{STORY}</p><p>{MORE}</p>") == TEXT
    )
    classed = "<div class='wp-caption'><img><p class='wp-caption-text'>The old quay</p></div>"
    assert html_to_text(f"{classed}<p>{STORY}</p><p>{MORE}</p>") == TEXT


@pytest.mark.parametrize(
    "lead",
    [
        "<div class='photo'><img src='q.jpg'><p>Wren Adair has known the quay for 40 years.</p></div>",
        "<figure class='c x thumb-left'><img src='q.jpg'><span>The old quay</span></figure>",
        "<p><img src='q.jpg' alt='The quay'/>\n<em>The old quay of Marrow Point</em></p>",
        "<p><a href='q.jpg'><img src='q.jpg'></a><br><i>The old quay of Marrow Point</i></p>",
    ],
)
def test_the_words_of_a_first_picture_are_no_lead(lead: str) -> None:
    assert html_to_text(f"{lead}<p>{STORY}</p><p>{MORE}</p>") == TEXT


@pytest.mark.parametrize(
    "lead",
    [
        "<p><img src='q.jpg'><em>The parish has met, and this is what it said.</em></p>",
        "<p><em>The old quay of Marrow Point</em></p>",
        "<div class='photo'><p>The old quay of Marrow Point</p></div>",
        "<p><img src='q.jpg'><em>The old quay</em> of Marrow Point</p>",
    ],
)
def test_a_first_line_that_is_no_caption_stays(lead: str) -> None:
    assert html_to_text(f"{lead}<p>{STORY}</p><p>{MORE}</p>").endswith(f"\n\n{TEXT}")


@pytest.mark.parametrize(
    "code",
    [
        "<table><tr><td class='line_numbers'><pre>1\n2</pre></td>"
        "<td class='code'><pre>a = 1\nb = 2</pre></td></tr></table>",
        "<div class='gutter'>1<br>2</div><pre>a = 1\nb = 2</pre>",
        "<pre><span class='lineno'>1 </span>a = 1\n<span class=\"lnt\">2 </span>b = 2</pre>",
    ],
)
def test_numbers_beside_lines_of_code_are_taken_out(code: str) -> None:
    assert html_to_text(PAGE.replace("@", code)) == f"{STORY}\n\na = 1\nb = 2\n\n{MORE}"


def test_a_beginning_that_is_written_twice_is_read_once() -> None:
    assert read_lines(f"{STORY}\n\n{STORY}\n\n{MORE}").text == TEXT
    assert read_lines(f"{TEXT}\n\n{TEXT}\n\nIt rains.").text == f"{TEXT}\n\nIt rains."
    song = "The quay is gone.\n\nThe quay is gone.\n\nSing, heron."
    assert read_lines(song).text == song, "short lines may be a refrain"
    again = f"{STORY}\n\n{MORE}\n\n{STORY}\n\nSo it goes."
    assert read_lines(again).text == again, "what follows is another text"


@pytest.mark.parametrize(
    ("text", "title", "expected"),
    [
        (f"A Quay Rises\n\n{TEXT}", "A quay rises", TEXT),
        (f"It rains.\n\n{TEXT}", "It rains.", f"It rains.\n\n{TEXT}"),
        (f"A quay rises\n{TEXT}", "A quay rises", f"A quay rises\n{TEXT}"),
        ("A quay rises\n\nSoon", "A quay rises", "A quay rises\n\nSoon"),
        (TEXT, "", TEXT),
    ],
)
def test_a_title_above_a_text_is_no_part_of_it(text: str, title: str, expected: str) -> None:
    assert without_title(text, title) == expected


def test_what_stands_above_a_text_is_read() -> None:
    article = read_lines(
        f"Image Source: Gull Pictures / Wren\n\nBy Wren Adair\nPosted on 03-07-1931\n\n{TEXT}"
    )
    assert (article.text, article.author) == (TEXT, "Wren Adair")


@pytest.mark.parametrize(
    "line",
    [
        "The post Quay to be rebuilt in 1999 appeared first on The Gull.",
        "Der Beitrag Kai wird neu gebaut erschien zuerst auf Die Möwe.",
        "L’article Le quai est apparu en premier sur La Mouette.",
        "La entrada El muelle se publicó primero en La Gaviota.",
        "Het bericht De kade verscheen eerst op De Meeuw.",
        "投稿 埠頭の再建 は カモメ日報 に最初に表示されました。",
        "Quay to be rebuilt was originally published in Gull Notes on Medium, where people are continuing the"
        " conversation by highlighting and responding to this story.",
        "Read more: The heron of Marrow Point",
        "Lesen Sie auch: Der Reiher von Marrow Point",
        "À lire aussi : Le héron de Marrow Point",
        "関連記事：岬のサギ",
        "Το άρθρο Η προβλήτα εμφανίστηκε πρώτα στο Ο Γλάρος.",
        "Przeczytaj także: Czapla",
        "LEGGI ANCHE → L'airone",
        "По теме: Цапля",
        "Read more about the quay: The heron of Marrow Point",
        "Tekst gaat verder onder de advertentie",
        "Klick, um bei Krähe zu teilen (Wird in neuem Fenster geöffnet)",
        "The Gull is a reader-supported publication. To receive new posts, consider becoming a subscriber.",
        "Related stories\n\n- The heron of Marrow Point\n- Who owns the quay now",
        "Lesen Sie auch\nDer Reiher von Marrow Point",
        "Advertisement",
        "Story continues below advertisement",
        "Sign up for our daily newsletter",
        "By signing up you agree to our terms and privacy policy.",
        "Photo by Wren Adair on Picspot",
        "(Image credit: Wren Adair)",
        "by wren on flickr",
        "Related:\nThe heron of Marrow Point\nWho owns the quay now\nMy notes on stone",
        "Posted in Uncategorized",
        "Posted in quay, stone Tagged: marrow point, quay",
        "Tags: quay · stone · Marrow Point",
        "Tagged: quay, stone 2.0",
        "Entry posted by Wren Adair | 7 comments",
        "Link",
        "- Click to share on Crow (Opens in new window)",
        "Your browser does not support the video tag.",
        "Published in The Gull, March 7th, 1931",
        "Lead photo by Wren Adair",
        "Image source: Left: Gull Pictures / Wren Right: Heron Stock",
        "The Fall of the Quay from Wren Adair on Vimeo.",
        "Technorati Tags: quay, stone, Gull Ltd.",
        "Featured posts:\n\n- https://gull.example/heron\n- https://gull.example/stone",
        "https://gull.example/badge-600x145.png",
        "Topics: Quays, Stone & Water,",
        "(Continues after the video)",
        "| View | Upload your own",
        "SUBSCRIBE NOW",
    ],
)
def test_lines_beside_the_story_are_taken_out_in_many_languages(line: str) -> None:
    assert read_lines(f"{STORY}\n\n{MORE}\n\n{line}").text == TEXT


@pytest.mark.parametrize(
    "line",
    [
        "Read more",  # marks a cut
        "Read more…",
        "Like this:",
        "Continue reading",
        "Read more: https://gull.example/quay",
        "Related: the parish has owned the quay since the flood, and never mended it.",
        "The post office appeared first on the list, she said, and the quay came last of all nine works.",
        "Share prices of the builders rose.",
        "Listen\n\n- 1. The Quay Song\n- 2. The Heron",
        "More from the parish\n\n- It pays nine crowns a year.",
        "Photo: she holds the stone! It weighs nine pounds.",
        "Picture by picture the film shows how the quay fell.",
        "Watch the rest of the talks here: Marrow Point on Vimeo.",
        "Published in 1931, the book made her known.",
        "Flickr: a pool of boats",
        "Image: 24 megapixels, as last year",
        "Follow me on the road to Marrow and you will see the mill.",
        "Read | 120 MB/s\nWrite | 90 MB/s",
    ],
)
def test_lines_of_the_story_stay(line: str) -> None:
    middle = f"{STORY}\n\n{line}\n\n{MORE}\n\n{MORE}\n\n{STORY}\n\n{MORE}"
    assert read_lines(middle).text == middle
    assert read_lines(line).text == line, "a text is never emptied"


@pytest.mark.parametrize(
    "line",
    [
        "(c) pay for the stone that it took from the parish.",
        "The story was first published in 1951 and made her the best-known writer of the coast.",
        "The interview was first published by The Heron and has since been deleted.",
        "Posted in Marrow, she wrote home each week and never once named the quay.",
        "Posted in Marrow since the flood took the road to the quay and the mill",
        "Tags: they hang from every boat, and the keeper reads them.",
        "She then sang All Rights Reserved and 2 other songs, and 900 people rose to their feet.",
    ],
)
def test_last_lines_of_the_story_stay(line: str) -> None:
    text = f"{TEXT}\n\n{line}"
    assert read_lines(text) == (text, None, None, None)


def test_a_sentence_below_a_related_title_stays() -> None:
    text = f"{TEXT}\n\nRelated:\nThe heron of Marrow Point\nIt has been seen again."
    assert read_lines(text).text.endswith("\n\nIt has been seen again.")


@pytest.mark.parametrize(
    "line", ["By World War II, the quay had fallen.", "Von Gull bis Mew – alle sind da!"]
)
def test_a_first_sentence_is_no_byline(line: str) -> None:
    assert read_lines(f"{line}\n\n{TEXT}").text == f"{line}\n\n{TEXT}"


def test_lines_say_who_wrote_a_text_and_whose_it_is() -> None:
    text = (
        f"By WREN ADAIR, The Gull\n\nMARROW POINT (Reuters) - {STORY}\n\n{MORE}\n\n"
        "This story was first published by Gull Wire.\n\n© 1931 The Gull. All rights reserved."
    )
    article = read_lines(text)
    assert article.text == f"MARROW POINT (Reuters) - {STORY}\n\n{MORE}"
    assert (article.author, article.credit) == ("Wren Adair", "Gull Wire")
    assert article.rights == "© 1931 The Gull. All rights reserved."
    review = read_lines(f"[This review was originally posted at the Gull Lab on July 3, 1931.]\n\n{TEXT}")
    assert (review.text, review.credit) == (TEXT, "the Gull Lab")
    assert read_lines(f"MARROW POINT (AP) — {STORY}").credit == "AP"
    assert read_lines(f"{TEXT} (dpa)").credit == "dpa"
    assert read_lines(f"{STORY} (PA was his name.)").credit is None


@pytest.mark.parametrize(
    ("name", "author"),
    [
        ("By WREN ADAIR", "Wren Adair"),
        ("by Jo Adair", "Jo Adair"),
        ("ED O'MARA-FINCH", "Ed O'Mara-Finch"),
        ("BBC News", "BBC News"),
        ("JK ADAIR", "JK Adair"),
        ("Von der Marsh", "Von der Marsh"),
        ("Gull House by Wren Adair", "Gull House by Wren Adair"),
        ("ADAIR", "ADAIR"),
    ],
)
def test_an_author_is_a_name(name: str, author: str) -> None:
    assert clean_author(name) == author
