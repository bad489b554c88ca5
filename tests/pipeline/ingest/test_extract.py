"""The article of a web page, or why there is none for us."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FeedError
from pipeline.ingest.extract import extract

URL = "https://news.example/story"
TEXT = (
    "The port of Varnhem will close its northern basin for eleven weeks, the harbour board said on Tuesday. "
    "Engineers found that the quay wall had moved 14 centimetres towards the water since the last survey."
)
ARTICLE = f"<h1>Basin closes</h1><p>{TEXT}</p><ul><li>Ferries move south.</li></ul><p>{TEXT[::-1]}.</p>"


def page(body: str = f"<article>{ARTICLE}</article>", head: str = "") -> bytes:
    around = "<nav><a href='/'>Home</a> <a href='/sport'>Sport</a></nav>"
    top = f"<head><title>Basin</title>{head}</head>"
    return f"<!doctype html><html>{top}<body>{around}{body}</body></html>".encode()


def trouble(body: bytes, content_type: str = "text/html", selector: str | None = None) -> str:
    with pytest.raises(FeedError) as caught:
        extract(body, content_type, URL, selector)
    assert "news.example/story" in caught.value.message
    return caught.value.kind


def test_the_article_is_found_and_what_stands_around_it_is_not() -> None:
    found = extract(page(), "text/html; charset=utf-8", URL)
    assert TEXT in found.text
    assert "- Ferries move south." in found.text
    assert "Sport" not in found.text


def test_a_selector_says_where_the_article_is() -> None:
    body = page("<div class='a'><p>Not this.</p></div><div class='b'><p>This one.</p></div>")
    assert extract(body, "text/html", URL, "div.b").text == "This one."
    assert trouble(page(), selector="div.c") == "selector"
    assert trouble(page(), selector="div[") == "selector"


def test_a_page_says_who_wrote_it_and_shows_a_picture() -> None:
    head = "<meta property='og:image' content='/port.jpg'><meta name='author' content='Ines Falk'>"
    found = extract(page(head=head), "text/html", URL)
    assert (found.author, found.image) == ("Ines Falk", "https://news.example/port.jpg")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"%PDF-1.7", "not-html"),
        (b"", "empty"),
        (page("<div id=app></div>"), "empty"),
        (page(head="<meta name='tdm-reservation' content='1'>"), "reserved"),
        (page("<p>Subscribe to continue reading.</p><p>The port closes.</p>"), "paywall"),
        (b"<html><title>Just a moment...</title><body>Checking your browser</body></html>", "challenge"),
        (b"<html><title>Log in</title><form><input type=password></form></html>", "login"),
    ],
)
def test_what_is_no_article_for_us_is_named(body: bytes, kind: str) -> None:
    assert trouble(body) == kind


def test_other_kinds_of_files_are_not_read() -> None:
    assert trouble(page(), "application/pdf") == "not-html"


def test_the_charset_that_a_page_names_counts() -> None:
    head = "<meta charset='windows-1252'>"
    body = page(f"<article>{ARTICLE}<p>Café in Varnhem.</p></article>", head).decode().encode("cp1252")
    assert "Café in Varnhem." in extract(body, "text/html", URL).text


def test_depth_and_size_are_bounded() -> None:
    deep = b"<html><body>" + b"<div>" * 200_000 + TEXT.encode()
    for body in (deep, b"<html><body>" + b"<p>x</p>" * 600_000):
        with contextlib.suppress(FeedError):
            assert len(extract(body, "text/html", URL).text) <= 2_000_000


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400) | st.text("<>/ap =\"'&;", max_size=200).map(str.encode))
def test_nothing_but_a_named_error_is_raised(body: bytes) -> None:
    with contextlib.suppress(FeedError):
        assert extract(body, "text/html", URL).text
