"""Recognises the pages that stand in front of a page: checks of the browser, logins, consent. Pure."""

import re

_READ = 60_000
"""Characters of a page that are looked at."""
_TITLE = re.compile(r"<title[^>]{0,200}>(.{0,300}?)</title", re.IGNORECASE | re.DOTALL)

_CHALLENGES = (
    "just a moment...", "attention required! | cloudflare", "checking your browser", "cf-chl-", "cf_chl_opt",
    "/cdn-cgi/challenge-platform/", "ddos-guard", "sucuri website firewall", "px-captcha", "datadome",
    "enable javascript and cookies to continue", "are you a robot", "verify you are human",
    "incapsula incident",
    "access denied | ", "pardon our interruption", "_incapsula_resource",
)  # fmt: skip
_CONSENTS = (
    "consent.yahoo.com", "consent.google.com", "consent.youtube.com", "before you continue to google",
    "before you continue to youtube", "guce.oath.com", "privacy-mgmt.com/consent",
)  # fmt: skip
_PASSWORD = re.compile(r"<input[^>]{0,300}type\s?=\s?[\"']?password", re.IGNORECASE)
_LOGIN = re.compile(r"\b(?:log ?in|sign ?in|anmelden|connexion|iniciar sesión|войти)\b", re.IGNORECASE)


def interstitial(html: str) -> str | None:
    """Return what stands instead of a page: `challenge`, `consent` or `login`; None where it is a page.

    A page that merely has a login form, or a script of a firm that checks browsers, is a page: it has text.
    """
    start = html[:_READ]
    lower = start.lower()
    short = _words(start) < 250
    if short and any(mark in lower for mark in _CHALLENGES):
        return "challenge"
    if short and any(mark in lower for mark in _CONSENTS):
        return "consent"
    title = _TITLE.search(start)
    if short and _PASSWORD.search(start) and _LOGIN.search(title[1] if title else start):
        return "login"
    return None


_UNSEEN = re.compile(
    r"<(script|style|noscript)\b.*?(?:</\1|\Z)|<!--.*?(?:-->|\Z)|<[^>]*(?:>|\Z)", re.I | re.S
)


def _words(html: str) -> int:
    """Return roughly how many words a page shows."""
    return len(_UNSEEN.sub(" ", html).split())
