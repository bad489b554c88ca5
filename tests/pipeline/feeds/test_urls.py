"""Absolute and canonical URLs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.feeds.urls import absolute_url, canonical_url, fix_url


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://A.Example/Path/", "https://a.example/Path"),
        ("https://a.example", "https://a.example/"),
        ("https://a.example:443/x", "https://a.example/x"),
        ("http://a.example:80/x", "https://a.example/x"),
        ("https://a.example:8443/x", "https://a.example:8443/x"),
        ("https://user:secret@a.example/x", "https://a.example/x"),
        ("https://a.example./x#part", "https://a.example/x"),
        ("https://a.example/?b=2&a=1&utm_source=x&fbclid=y&UTM_Medium=z", "https://a.example/?b=2&a=1"),
        ("https://a.example/?utm_source=x", "https://a.example/"),
        ("https://a.example/?id=1&utm;_source=rss&b;=2", "https://a.example/?id=1&b=2"),
        ("https://a.example/?id=1&amp;x=2", "https://a.example/?id=1&x=2"),
        ("https://a.example/?q&&r=", "https://a.example/?q&r="),
        ("https://a.example/?utmost=1", "https://a.example/?utmost=1"),
        ("https://bücher.example/ä?ö=ü", "https://xn--bcher-kva.example/%C3%A4?%C3%B6=%C3%BC"),
        ("https://a.example/%C3%A4", "https://a.example/%C3%A4"),
        ("https://[2001:DB8::1]:443/x", "https://[2001:db8::1]/x"),
        ("ftp://a.example/x", None),
        ("javascript:alert(1)", None),
        ("mailto:a@a.example", None),
        ("https://", None),
        ("https:///x", None),
        ("https://[broken/x", None),
        ("https://a.example:99999/x", None),
        ("https://" + "a" * 300 + ".example/", None),
        ("https://a.example/" + "x" * 5000, None),
        ("", None),
    ],
)
def test_canonical(url: str, canonical: str | None) -> None:
    assert canonical_url(url) == canonical


STORY = "https://news.example/2026/story"


@pytest.mark.parametrize(
    "url",
    [
        "http://news.example/2026/story",
        "https://www.news.example/2026/story/",
        "https://m.news.example/2026/story",
        "https://mobile.news.example/2026/story#comments",
        "https://amp.news.example/2026/story",
        "https://news.example/2026/story/amp/",
        "https://news.example/2026/story?amp=1",
        "https://news.example/2026/story.amp",
        "https://www.google.com/amp/s/news.example/2026/story",
        "https://news-example.cdn.ampproject.org/c/s/news.example/2026/story",
        f"{STORY}?utm_source=rss&utm_medium=feed&gclid=1&mc_cid=2&igshid=3&yclid=4&ref=twitter",
        "https://news.example/2026/%73tory",
    ],
)
def test_one_page_under_many_addresses(url: str) -> None:
    assert canonical_url(url) == STORY


@pytest.mark.parametrize(
    "query", ["id=7", "p=7", "v=abc", "page=2", "story=x", "date=2026-02-03", "ref=chapter-2", "from=london"]
)
def test_a_parameter_that_may_choose_the_page_stays(query: str) -> None:
    assert canonical_url(f"{STORY}?{query}") == f"{STORY}?{query}"


@settings(max_examples=150, deadline=None)
@given(
    st.text("htps:/[]@.?&=#;%aü\ud800\x00 utm_1:9", max_size=40).map(lambda tail: "https://" + tail)
    | st.text()
)
def test_canonical_is_stable_and_never_raises(url: str) -> None:
    canonical = canonical_url(url)
    if canonical is not None:
        assert canonical.isascii()
        assert canonical_url(canonical) == canonical
    absolute_url(url, "https://base.example/")


@pytest.mark.parametrize(
    ("raw", "link"),
    [
        ("/x", "https://base.example/x"),
        ("x?y#z", "https://base.example/a/x?y#z"),
        ("//other.example/x", "https://other.example/x"),
        (" https://a.example/x\n", "https://a.example/x"),
        ("https://a.exam\nple/two lines", "https://a.example/two%20lines"),
        ("https://a.example/\u202egnp.exe", "https://a.example/%E2%80%AEgnp.exe"),
        ("https://a.example/<script>", "https://a.example/%3Cscript%3E"),
        ("", None),
        (None, None),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("https://[", None),
    ],
)
def test_absolute(raw: str | None, link: str | None) -> None:
    assert absolute_url(raw, "https://base.example/a/feed") == link


def test_damage_is_undone_and_nothing_else() -> None:
    assert fix_url("?a=1&utm;_source=x&b;=2&c;d") == "?a=1&utm_source=x&b=2&c;d"
