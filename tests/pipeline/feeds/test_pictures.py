"""The picture of an entry and what its publisher says it shows."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.models import Item
from pipeline.feeds.parsing.parse import parse_feed
from pipeline.feeds.pictures import Picture, chosen_picture, pictures
from tests.lengths import lengths

MEDIA = 'xmlns:media="http://search.yahoo.com/mrss/"'
IMAGE = '<media:content url="https://g.example/a.jpg" medium="image"'


@pytest.mark.parametrize(
    ("html", "image"),
    [
        ("no picture", None),
        ('<img alt="x > y" src="a.png"><img src="b.png">', "a.png"),
        ("<img src=http://a.example/?x=1&amp;y=2>", "http://a.example/?x=1&y=2"),
        ('<img width="1" height="1" src="pixel.gif"><IMG SRC=\'chart.png\'>', "chart.png"),
        ('<img src="data:image/gif;base64,R0"><img data-src="lazy.png"><img src=" c.png ">', "c.png"),
        ('<!-- <img src="commented.png"> -->', None),
    ],
)
def test_the_first_picture_counts(html: str, image: str | None) -> None:
    assert next((picture.url for picture in pictures(html)), None) == image


@pytest.mark.parametrize(
    ("html", "alt"),
    [
        ('<img src="a.png" alt="A mill &amp; a river">', "A mill & a river"),
        ('<img src="a.png" alt="<b>A mill</b>\n by a river">', "A mill by a river"),
        ('<img src="a.png">', ""),
        (
            '<figure><img src="a.png"><figcaption>A <em>mill</em> by a river</figcaption></figure>',
            "A mill by a river",
        ),
        ('<figure><img src="a.png" alt="A mill"><figcaption>Yesterday</figcaption></figure>', "A mill"),
        ('<img src="a.png"><figure><img src="b.png"><figcaption>Of b</figcaption></figure>', ""),
        ('<figure><img src="a.png"></figure><figure><figcaption>Of a video</figcaption></figure>', ""),
        ('<img src="a.png"><figcaption>unclosed', "unclosed"),
        (f'<img src="a.png" alt="{"long " * 200}">', ""),
    ],
)
def test_its_alt_text_else_its_caption_describes_it(html: str, alt: str) -> None:
    assert next(pictures(html)).alt == alt


def test_a_declared_picture_has_the_alt_text_of_the_same_picture_in_the_text() -> None:
    html = '<img src="/a.png" alt="A mill"><img src="/b.png" alt="A bridge">'
    declared = (Picture(""), Picture("https://g.example/b.png"))
    assert chosen_picture(declared, [html], "https://g.example/") == ("https://g.example/b.png", "A bridge")
    other = (Picture("https://g.example/c.png"),)
    assert chosen_picture(other, [html], "https://g.example/") == ("https://g.example/c.png", None)
    assert chosen_picture((), [html], "https://g.example/") == ("https://g.example/a.png", "A mill")
    assert chosen_picture((), [], "https://g.example/") == (None, None)


def item_of(inner: str) -> Item:
    entry = f"<item><title>Mill falls silent</title><link>https://g.example/1</link>{inner}</item>"
    return first_item(f'<rss version="2.0" {MEDIA}><channel><title>G</title>{entry}</channel></rss>')


def first_item(feed: str) -> Item:
    return parse_feed(feed.encode(), None, "https://g.example/", datetime(2026, 3, 1, tzinfo=UTC)).items[0]


@pytest.mark.parametrize(
    ("inner", "alt"),
    [
        (
            f"{IMAGE}><media:description>A mill by a river</media:description></media:content>",
            "A mill by a river",
        ),
        (f"{IMAGE}><media:title>A mill</media:title></media:content>", "A mill"),
        (f"{IMAGE}/><media:description>A mill by a river</media:description>", "A mill by a river"),
        (f"<media:group>{IMAGE}/><media:description>The film.</media:description></media:group>", None),
        (f"<media:description>Of the item</media:description>{IMAGE}/>", None),
        (f"{IMAGE}/><title>Not of the image</title>", None),
    ],
)
def test_what_media_rss_says_of_an_image_is_its_alt_text(inner: str, alt: str | None) -> None:
    item = item_of(inner)
    assert (item.image, item.image_alt) == ("https://g.example/a.jpg", alt)


def test_the_licence_of_the_image_is_stored_as_words_or_as_a_url() -> None:
    url = "https://creativecommons.org/licenses/by/4.0/"
    words = f'<media:license type="text/html" href="{url}">CC BY 4.0</media:license>'
    assert item_of(IMAGE + "/>" + words).image_licence == "CC BY 4.0"
    assert item_of(f'{IMAGE}/><media:license href="{url}"/>').image_licence == url
    assert item_of(IMAGE + "/>").image_licence is None


def test_json_feeds_have_the_alt_text_of_their_html() -> None:
    feed = (
        '{"version": "https://jsonfeed.org/version/1.1", "title": "G", "items": [{"id": "1", "title": "T",'
        ' "url": "https://g.example/1", "image": "https://g.example/a.jpg",'
        ' "content_html": "<img src=\\"/a.jpg\\" alt=\\"A mill\\"> Text"}]}'
    )
    item = first_item(feed)
    assert (item.image, item.image_alt) == ("https://g.example/a.jpg", "A mill")


@settings(max_examples=150, deadline=None)
@given(st.text("<>/!-'\"=& \n;imgsrcalt figcaption[]\x00é", max_size=80))
def test_nothing_raises(html: str) -> None:
    for picture in pictures(f"<figure><img src=a>{html}<figcaption>{html}"):
        assert "\n" not in picture.alt


@pytest.mark.parametrize("length", lengths(2_000_000))
def test_hostile_captions_take_linear_time(length: int) -> None:
    piece = "<figure><img src=a><figcaption>"
    assert len(list(pictures(piece * (length // len(piece))))) == length // len(piece)
