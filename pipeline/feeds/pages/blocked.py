"""Recognises the pages that stand in front of a page: checks of the browser, consent, logins. Pure."""

import re
from typing import Literal

BlockingPageKind = Literal["challenge", "consent", "login"]

_TITLE = re.compile(r"<title[^<>]{0,200}>([^<]{0,300})</title", re.IGNORECASE)
_SHORT = 1_500
"""Characters on a page that stands in front of another one, at most: an article's page has more."""

_TITLES: dict[BlockingPageKind, tuple[str, ...]] = {  # what such a page is called, from the beginning
    "challenge": (
        "just a moment", "attention required! | cloudflare", "ddos-guard", "pardon our interruption",
        "access to this page has been denied", "human verification", "are you a robot", "bot verification",
        "checking your browser", "sucuri website firewall", "security check", "vercel security checkpoint",
        "client challenge", "robot check", "verifying your browser", "un instant…", "nur einen moment",
    ),
    "consent": ("before you continue", "bevor sie fortfahren", "avant de continuer", "privacy gate",
                "dpg media"),
}  # fmt: skip
_MARKS: dict[BlockingPageKind, tuple[str, ...]] = {  # what a short page has in it
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
# Each begins what always ends, if need be with the page: so it takes linear time.
_UNSEEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|noscript|svg|head)\b.*?(?:</\1\b|\Z)|<[^>]*(?:>|\Z)", re.I | re.S
)
_ARTICLE = re.compile(r"<article\b|article:published_time|\"datepublished\"|\"newsarticle\"")
"""What only an article's page has, in lower case."""
_PARAGRAPH = re.compile(r"<p\b[^<>]{0,300}>([^<]{100,2000})")
_ABOUT_ITSELF = re.compile(
    r"cookie|privacy|partner|consent|javascript|browser|security|robot|einwillig|datenschutz|werbung"
    r"|ihre daten|vos données|publicité|privacidad|publicidad|toestemming|log in|sign in|password|passwort"
)
"""What the paragraphs of such a page are about, in lower case."""


def blocking_page_kind(html: str) -> BlockingPageKind | None:
    """Return what stands instead of a page; None where it is a page, however short.

    A page with an article is none of these, though it has a login form, a cookie banner, or a script of a
    firm that checks browsers.
    """
    lower = html.lower()
    if len(" ".join(_UNSEEN.sub(" ", lower).split())) >= _SHORT:
        return None
    title = " ".join(found[1].split()) if (found := _TITLE.search(lower)) else ""
    for kind, titles in _TITLES.items():
        if title.startswith(titles):
            return kind
    if _tells_a_story(lower):
        return None
    for kind, marks in _MARKS.items():
        if any(mark in lower for mark in marks):
            return kind
    return "login" if _PASSWORD.search(lower) and _LOGIN.search(lower) else None


def _tells_a_story(lower: str) -> bool:
    if _ARTICLE.search(lower):
        return True
    return any(not _ABOUT_ITSELF.search(found[1]) for found in _PARAGRAPH.finditer(lower))
