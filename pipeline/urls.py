"""URLs as messages show them. Imports nothing of ours: workers that only parse need it too."""

from urllib.parse import urlsplit


def shown_url(url: str) -> str:
    """Return a URL as it may stand in a message: no password, no query with somebody's key, one line."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    except ValueError:
        return repr(url[:80])
    shown = f"{parts.scheme}://{host}{parts.path}" + ("?…" if parts.query else "")
    return "".join(char if char.isprintable() else "�" for char in shown)[:300]


def host_in(url: str) -> str:
    """Return a URL's host for a message."""
    try:
        return urlsplit(url).hostname or shown_url(url)
    except ValueError:
        return shown_url(url)
