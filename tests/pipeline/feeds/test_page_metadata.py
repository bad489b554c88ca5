"""Title, author and image that a web page declares."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.feeds.pages.extract import extract
from tests.pipeline.feeds.webpages import linked, news


def metadata_of(head: str, name: str) -> Any:
    page = extract(news(head=head).encode(), "text/html", "https://news.example/story")
    return getattr(page, name)


@pytest.mark.parametrize(
    ("head", "title"),
    [
        ("", "Basin closes | Varnhem Courier"),
        (
            "<meta property='og:title' content='Basin  closes &amp; ferries move'>",
            "Basin closes & ferries move",
        ),
        (linked(headline="Basin closes"), "Basin closes"),
        (f"<meta property='og:title' content='{'word ' * 400}'>", "word " * 59 + "word…"),
    ],
)
def test_its_title(head: str, title: str) -> None:
    assert metadata_of(head, "title") == title


@pytest.mark.parametrize(
    ("head", "author"),
    [
        ("", None),
        ("<meta name='author' content='Jonas Lind'>", "Jonas Lind"),
        ("<meta name='author' content='desk@news.example'>", None),
        ("<meta name='author' content='https://social.example/jonas'>", None),
        (linked(author="Jonas Lind"), "Jonas Lind"),
        (linked(author={"@type": "Person", "name": "Jonas Lind"}), "Jonas Lind"),
        (linked(author=[{"name": "Jonas Lind"}, {"name": "Ines Falk"}, 7, None]), "Jonas Lind, Ines Falk"),
        (linked(author={"name": ["Jonas Lind"]}), None),
    ],
)
def test_its_author(head: str, author: str | None) -> None:
    assert metadata_of(head, "author") == author


@pytest.mark.parametrize(
    ("head", "image"),
    [
        ("<meta property='og:image' content='/quay.jpg'>", "https://news.example/quay.jpg"),
        ("<meta name='twitter:image' content='https://img.example/q.jpg'>", "https://img.example/q.jpg"),
        ("<meta property='og:image' content='data:image/png;base64,AAAA'>", None),
        ("<meta property='og:image' content='javascript:alert(1)'>", None),
    ],
)
def test_its_picture(head: str, image: str | None) -> None:
    assert metadata_of(head, "image") == image


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["@type", "@graph", "author", "name", "headline", "hasPart"]), inner
            )
        ),
    )
)
def test_odd_data_hides_no_title(data: Any) -> None:
    head = linked(mainEntity=data, author=data, datePublished=data)
    assert metadata_of(f"<meta property='og:title' content='Basin closes'>{head}", "title") == "Basin closes"


@pytest.mark.parametrize(
    "head",
    [
        "<meta name='publish-date' content='2019-03-01'>",
        "<meta name='sailthru.date' content='2019-03-01'>",
        "<time datetime='2019-03-01'>1 March</time>",
        "<time datetime='2020-01-01'>x</time><time class='entry-date' datetime='2019-03-01'>y</time>",
    ],
)
def test_its_date(head: str) -> None:
    assert str(metadata_of(head, "published_at")).startswith("2019-03-01")


def test_two_times_that_say_nothing_of_the_page_are_no_date() -> None:
    assert (
        metadata_of(
            "<time datetime='2020-01-01'>x</time><time datetime='2019-03-01'>y</time>", "published_at"
        )
        is None
    )


def test_its_source() -> None:
    origin = metadata_of("<meta name='syndication-source' content='https://wire.example/basin'>", "origin")
    assert origin.url == "https://wire.example/basin"
