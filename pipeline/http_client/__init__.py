"""The one HTTP client: every request but the model call goes through it, with limits on all of it."""

from pipeline.domain.text import shown_url
from pipeline.http_client.client import Net, Response
from pipeline.http_client.transport import require_usable_proxies

__all__ = ["Net", "Response", "require_usable_proxies", "shown_url"]
