"""The one HTTP client: every request but the model call goes through it, with limits on all of it."""

from pipeline.net.client import Net, Response
from pipeline.net.proxies import require_usable_proxies
from pipeline.urls import shown_url

__all__ = ["Net", "Response", "require_usable_proxies", "shown_url"]
