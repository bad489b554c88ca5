"""What a web page says of itself."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ingest.extract import extract
from tests.pipeline.ingest.webpages import linked, news

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def said(head: str, name: str, now: datetime | None = NOW) -> Any:
    page = extract(news(head=head).encode(), "text/html", "https://news.example/story", None, now)
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
    assert said(head, "title") == title


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
    assert said(head, "author") == author


@pytest.mark.parametrize(
    ("head", "moment"),
    [
        ("", None),
        (
            "<meta property='article:published_time' content='2026-03-01T10:30:00+05:30'>",
            datetime(2026, 3, 1, 5, tzinfo=UTC),
        ),
        (linked(datePublished="2026-03-01T10:30:00Z"), datetime(2026, 3, 1, 10, 30, tzinfo=UTC)),
        (linked(datePublished="2031-03-01T10:30:00Z"), None),
        (linked(datePublished="soon"), None),
        (linked(datePublished=1234), None),
    ],
)
def test_its_date(head: str, moment: datetime | None) -> None:
    assert said(head, "published_at") == moment


def test_a_date_is_not_read_by_who_has_no_clock() -> None:
    assert said(linked(datePublished="2026-03-01T10:30:00Z"), "published_at", now=None) is None


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
    assert said(head, "image") == image


@pytest.mark.parametrize(
    ("head", "canonical"),
    [
        ("<link rel=canonical href='/basin?utm_source=x#top'>", "https://news.example/basin"),
        ("<link rel='canonical' href='mailto:a@b.example'>", None),
        ("<link rel=stylesheet href='/style.css'>", None),
    ],
)
def test_its_own_address(head: str, canonical: str | None) -> None:
    assert said(head, "canonical") == canonical


def test_its_language_is_lower_case() -> None:
    assert said("", "language") == "en-gb"


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
    assert said(f"<meta property='og:title' content='Basin closes'>{head}", "title") == "Basin closes"
