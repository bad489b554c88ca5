"""The article of a web page, or the reason why it has none."""

import contextlib
import pickle
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.errors import FeedError
from pipeline.feeds.pages.extract import Page, extract
from pipeline.feeds.rights.declaration import reservation
from tests.pipeline.feeds.webpages import (
    AMP,
    BODY,
    CLOUDFLARE,
    CONSENT,
    JAPANESE,
    LOGIN,
    PARAGRAPHS,
    PAYWALLED,
    SPA,
    TEXT,
    linked,
    news,
)

URL = "https://news.example/story"


def read(html: str, selector: str | None = None) -> Page:
    return extract(html.encode(), "text/html; charset=utf-8", URL, selector)


def error_kind(body: str | bytes, content_type: str | None = "text/html", selector: str | None = None) -> str:
    with pytest.raises(FeedError) as caught:
        extract(body.encode() if isinstance(body, str) else body, content_type, URL, selector)
    assert "news.example/story" in caught.value.message
    assert "\n" not in caught.value.message
    return caught.value.kind


def test_only_the_article_is_extracted() -> None:
    assert read(news()).text == TEXT


def test_a_short_story_is_found() -> None:
    assert PARAGRAPHS[0] in read(news(f"<p>{PARAGRAPHS[0]}</p>")).text


def test_an_amp_page_is_a_page() -> None:
    page = read(AMP)
    assert page.text == TEXT


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ("div.article-body", TEXT),
        ("h1", "Northern basin closes for eleven weeks"),
        (".article-body li", "- Ferries leave from the southern basin.\n\n- Parking is free until May."),
        (".related, .related *", "Related\n\n- Harbour fees rise again"),
    ],
)
def test_a_selector_says_where_the_article_is(selector: str, text: str) -> None:
    assert read(news(), selector).text == text


@pytest.mark.parametrize("selector", ["div.none", "div[", "a|b", ":nope", "p::before"])
def test_a_selector_that_finds_nothing_is_named(selector: str) -> None:
    assert error_kind(news(), selector=selector) == "selector"


@pytest.mark.parametrize(
    ("html", "kind"),
    [
        ("", "empty"),
        (SPA, "empty"),
        (PAYWALLED, "paywall"),
        (CONSENT, "consent"),
        (LOGIN, "login"),
        (CLOUDFLARE, "challenge"),
        (news(head="<meta property='article:content_tier' content='metered'>"), "paywall"),
        (news("<p>The port closes.</p><p>This article is for subscribers.</p>"), "paywall"),
    ],
)
def test_a_page_without_a_usable_article_is_an_error(html: str, kind: str) -> None:
    assert error_kind(html) == kind


@pytest.mark.parametrize(
    "html",
    [
        news(head=linked(isAccessibleForFree=True)),
        news(head="<meta property='article:content_tier' content='free'>"),
        news(f"{BODY}<p>Subscribe to continue reading our newsletters.</p>"),
        news(head="<script src='https://geo.captcha-delivery.com/c.js'></script>"),
        news(f"<p>{PARAGRAPHS[0]}</p><form>Log in <input type=password></form>"),
    ],
)
def test_a_readable_page_is_not_refused(html: str) -> None:
    assert PARAGRAPHS[0] in read(html).text


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"%PDF-1.7 ...", "text/html"),
        (b"\x89PNG\r\n", None),
        (news().encode(), "application/pdf"),
        (news().encode(), "image/jpeg; charset=utf-8"),
        (b"<rss/>", "application/rss+xml"),
    ],
)
def test_other_files_are_no_pages(body: bytes, content_type: str | None) -> None:
    assert error_kind(body, content_type) == "not-html"


@pytest.mark.parametrize("content_type", [None, "", "TEXT/HTML", "application/xhtml+xml; charset=UTF-8"])
def test_a_page_is_one_by_whatever_name(content_type: str | None) -> None:
    assert extract(news().encode(), content_type, URL).text == TEXT


@pytest.mark.parametrize(
    ("label", "codec"),
    [("shift_jis", "cp932"), ("x-sjis", "cp932"), ("euc-jp", "euc_jp"), ("utf-8", "utf-8")],
)
@pytest.mark.parametrize("declared", ["header", "page"])
def test_japanese_is_read_in_its_charset(label: str, codec: str, declared: str) -> None:
    body = "".join(f"<p>{paragraph}</p>" for paragraph in JAPANESE)
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={label}">'
    html = news(body, head=meta if declared == "page" else "", lang="ja").replace("©", "")
    sent = f"text/html; charset={label}" if declared == "header" else "text/html"
    page = extract(html.encode(codec), sent, URL)
    assert page.text == "\n\n".join(JAPANESE)


def test_windows_1252_is_read_as_the_page_declares_it() -> None:
    text = "“Das Café bleibt zu”, sagte Jörg Müller – für elf Wochen, und das kostet 3 Mio. €."
    html = news(f"<p>{text}</p><p>{PARAGRAPHS[0]}</p>", head="<meta charset='iso-8859-1'>")
    assert text in extract(html.encode("cp1252"), "text/html", URL).text


def test_a_page_is_handed_to_another_process_and_back() -> None:
    page = read(news())
    assert pickle.loads(pickle.dumps(page)) == page
    assert Page.model_validate_json(page.model_dump_json()) == page


@pytest.mark.process
def test_trafilatura_is_imported_only_when_needed() -> None:
    code = (
        "import sys\nfrom pipeline.feeds.pages.extract import extract\n"
        "print('trafilatura' in sys.modules, 'lxml' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


HOSTILE = {
    "deep": b"<div>" * 200_000 + BODY.encode(),
    "deep inline": b"<p>" + b"<b>" * 200_000 + BODY.encode(),
    "deep lists": b"<ul><li>x" * 100_000,
    "many paragraphs": b"<p>x" * 1_200_000,
    "many inlines": b"<p>" + b"word <span>a</span> " * 200_000,
    "many attributes": b"<p x='>' " + b" ".join(b"a%d=b" % number for number in range(200_000)) + b">x",
    "open comments": b"<!--" * 500_000,
    "open tags": b"<meta " * 400_000,
    "open quotes": b'<p a="' * 300_000,
    "deep data": b"<script type='application/ld+json'>" + b"[" * 500_000 + b"</script>" + BODY.encode(),
    "one word": b"x" * 5_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("selector", [None, "div, p"])
def test_a_hostile_page_ends_in_a_text_or_a_named_error(name: str, selector: str | None) -> None:
    with contextlib.suppress(FeedError):
        assert 0 < len(extract(HOSTILE[name], "text/html", URL, selector).text) <= 2_000_000


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=400)
    | st.text("<>/ap =\"'&;!-", max_size=200).map(str.encode)
    | st.text(max_size=200).map(lambda text: news(f"<p>{text}</p>").encode("utf-8", "surrogatepass"))
)
def test_nothing_but_a_named_error_is_raised(body: bytes) -> None:
    for selector in (None, "p"):
        with contextlib.suppress(FeedError):
            assert extract(body, "text/html", URL, selector).text


RSL = (
    "<script type='application/rsl+xml'><rsl xmlns='https://rslstandard.org/rsl'><content url=''><license>"
    "<prohibits type='usage'>all</prohibits></license></content></rsl></script>"
)


@pytest.mark.parametrize(
    ("head", "what"),
    [
        ("<meta content='1' name='TDM-Reservation'>", "tdm-reservation: 1 in the page"),
        ("<meta name='robots' content='index, noai'>", "robots: noai in the page"),
        ("<meta name='copydesk' content='noai'>", "robots: noai in the page"),
        ("<meta name='robots' content='all'><meta name='ROBOTS' content='noai'>", "robots: noai in the page"),
        ("<meta name='tdm-reservation' content='0'>", None),
        ("<meta name='robots' content='noindex, max-snippet:-1'>", None),
        ("<meta name='googlebot' content='noai'>", None),
        (RSL, "the RSL licence prohibits all in the page"),
    ],
)
def test_a_page_declares_whether_it_is_reserved(head: str, what: str | None) -> None:
    page = read(news(head=head))
    assert PARAGRAPHS[0] in page.text
    assert reservation([page.declared]) == what


def test_a_page_names_its_licence() -> None:
    link = "<link rel='license' type='application/rsl+xml' href='/rsl.xml'><link rel='license' href='/by'>"
    [url] = read(news(head=link)).declared.licenses
    assert url.endswith("/rsl.xml")
