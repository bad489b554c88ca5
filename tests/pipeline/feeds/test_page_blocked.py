"""Blocking pages, and pages that only look like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.feeds.pages.blocked import blocking_page_kind
from tests.pipeline.feeds.webpages import AMP, BODY, CLOUDFLARE, CONSENT, JAPANESE, LOGIN, SPA, news

STORY = f"<html><head><title>Basin closes</title></head><body>{BODY}</body></html>"


@pytest.mark.parametrize(
    ("html", "kind"),
    [
        (CLOUDFLARE, "challenge"),
        ("<title>Attention Required! | Cloudflare</title><p>Sorry, you have been blocked", "challenge"),
        (
            "<title>news.example</title><script>var dd={'host':'geo.captcha-delivery.com'}</script>",
            "challenge",
        ),
        ("<title>Access to this page has been denied</title><div id=px-captcha></div>", "challenge"),
        (CONSENT, "consent"),
        (
            f"<title>Courier</title><p>We value your privacy.<p>We and our partners store {'cookies, ' * 20}",
            "consent",
        ),
        ("<title>Bevor Sie fortfahren</title><form action='https://consent.google.com/save'>", "consent"),
        (LOGIN, "login"),
        ("<title>ログイン</title><form>ログイン<input type='password'></form>", "login"),
    ],
)
def test_the_kind_of_a_blocking_page(html: str, kind: str) -> None:
    assert blocking_page_kind(html) == kind


@pytest.mark.parametrize(
    "html",
    [
        "",
        SPA,
        AMP,
        STORY,
        news(),
        news(f"<p>{JAPANESE[0]}</p>"),
        news("<p>The port closes.</p><form>Log in <input type=password></form>"),
        STORY.replace(
            "<head>", "<head><script src='/cdn-cgi/challenge-platform/scripts/jsd/main.js'></script>"
        ),
        STORY.replace("<head>", "<head><script src='//geo.captcha-delivery.com/c.js'></script>"),
        STORY.replace("Basin closes</title>", "Just a moment: how a basin closed</title>") + BODY * 3,
        STORY.replace("<body>", "<body><div class=banner>We value your privacy. We and our partners</div>"),
        "<title>Search</title><form>Find <input type=text></form>",
    ],
)
def test_an_ordinary_page_is_not_blocking(html: str) -> None:
    assert blocking_page_kind(html) is None


@pytest.mark.parametrize("piece", ["<title>", "<input ", "<p ", "<!--", "<script>", "<", "<svg", "a" * 9])
def test_unclosed_markup_takes_linear_time(piece: str) -> None:
    assert blocking_page_kind(piece * (2_000_000 // len(piece))) is None


@given(st.text("<>/!-titlescrp =\"'", max_size=300) | st.text(max_size=300))
def test_nothing_is_raised(html: str) -> None:
    assert blocking_page_kind(html) in (None, "challenge", "consent", "login")
