"""Detects pages shown instead of an article: bot challenge, cookie consent, login. Pure."""

import re
from collections.abc import Mapping
from typing import Literal

CHALLENGE_HEADERS: dict[str, tuple[str, ...]] = {
    "cf-mitigated": ("challenge",),  # Cloudflare
    "x-amzn-waf-action": ("challenge", "captcha"),  # AWS WAF, with status 202 and 405
    "sg-captcha": ("challenge",),  # SiteGround, with status 202
}
"""Headers by which a server says that it shows a browser check, with their values."""
BlockingPageKind = Literal["challenge", "consent", "login"]

_TITLE = re.compile(r"<title[^<>]{0,200}>([^<]{0,300})</title", re.IGNORECASE)
_MAX_CHARS = 1_500
"""Visible characters from which a page is never a blocking page. Chosen, not measured."""

_TITLES: dict[BlockingPageKind, tuple[str, ...]] = {  # starts of titles, in lower case; chosen, not measured
    "challenge": (
        "just a moment", "attention required! | cloudflare", "ddos-guard", "pardon our interruption",
        "access to this page has been denied", "human verification", "are you a robot", "bot verification",
        "checking your browser", "sucuri website firewall", "security check", "vercel security checkpoint",
        "client challenge", "robot check", "verifying your browser", "un instant…", "nur einen moment",
    ),
    "consent": ("before you continue", "bevor sie fortfahren", "avant de continuer", "privacy gate",
                "dpg media"),
}  # fmt: skip
_MARKS: dict[BlockingPageKind, tuple[str, ...]] = {  # parts of pages, in lower case; chosen, not measured
    "challenge": (
        "cf_chl_opt", "cf-chl-", "cf-browser-verification", "enable javascript and cookies to continue",
        "px-captcha", "captcha-delivery.com", "_incapsula_resource", "incapsula incident", "ddos-guard",
        "verify you are human", "verifying you are human", "awswafintegration", "unusual traffic from your",
        "g-recaptcha", "h-captcha", "checking if the site connection is secure",
    ),
    "consent": (
        "consent.yahoo.com", "guce.yahoo.com", "guce.oath.com", "consent.google.com", "consent.youtube.com",
        "myprivacy.dpgmedia", "privacy-mgmt.com", "didomi-notice", "onetrust-consent", "cmp-container",
        "we value your privacy", "we and our partners", "wir und unsere partner", "mit werbung weiterlesen",
        "nos partenaires", "accept all cookies", "alle akzeptieren", "tout accepter", "cookies to continue",
    ),
}  # fmt: skip
_PASSWORD = re.compile(r"<input[^<>]{0,300}type\s?=\s?[\"']?password", re.IGNORECASE)
_LOGIN = re.compile(
    r"\b(?:log ?in|sign ?in|log ?on|anmelden|anmeldung|einloggen|connexion|se connecter|iniciar sesión|accedi"
    r"|inloggen|войти|вход)\b|ログイン|登录|로그인",
    re.IGNORECASE,
)
# Each alternative ends, at the latest at the end of the page: linear time.
_NOT_TEXT = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|noscript|svg|head)\b.*?(?:</\1\b|\Z)|<[^>]*(?:>|\Z)", re.I | re.S
)
_ARTICLE = re.compile(r"<article\b|article:published_time|\"datepublished\"|\"newsarticle\"")
"""Markup that only a page with an article has, in lower case."""
_PARAGRAPH = re.compile(r"<p\b[^<>]{0,300}>([^<]{100,2000})")
_BLOCKING_TOPICS = re.compile(
    r"cookie|privacy|partner|consent|javascript|browser|security|robot|einwillig|datenschutz|werbung"
    r"|ihre daten|vos données|publicité|privacidad|publicidad|toestemming|log in|sign in|password|passwort"
)
"""Terms in the paragraphs of a blocking page, in lower case."""


def has_challenge_header(headers: Mapping[str, str]) -> bool:
    """Return whether response headers, names in lower case, say that a browser check is shown."""
    return any(headers.get(name, "").lower() in values for name, values in CHALLENGE_HEADERS.items())


def is_page_of_202(status: int, body: bytes) -> bool:
    """Return whether a response for a feed has status 202 with a web page or nothing: a browser check."""
    start = body[:1000].lstrip().lower()
    return status == 202 and (
        not start or start.startswith((b"<!doctype html", b"<html", b"<head", b"<script"))
    )


def blocking_page_kind(html: str) -> BlockingPageKind | None:
    """Return the kind of a blocking page, None for any other page.

    A page with an article is not blocking, even with a login form, a cookie banner or a bot-detection script.
    """
    lower = html.lower()
    if len(" ".join(_NOT_TEXT.sub(" ", lower).split())) >= _MAX_CHARS:
        return None
    title = " ".join(match[1].split()) if (match := _TITLE.search(lower)) else ""
    for kind, titles in _TITLES.items():
        if title.startswith(titles):
            return kind
    if _has_article(lower):
        return None
    for kind, marks in _MARKS.items():
        if any(mark in lower for mark in marks):
            return kind
    return "login" if _PASSWORD.search(lower) and _LOGIN.search(lower) else None


def _has_article(lower: str) -> bool:
    if _ARTICLE.search(lower):
        return True
    return any(not _BLOCKING_TOPICS.search(match[1]) for match in _PARAGRAPH.finditer(lower))
