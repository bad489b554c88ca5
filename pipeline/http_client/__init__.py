"""The one HTTP client: every request but the model call goes through it, with limits on all of it."""

from pipeline.domain.text import redact_url
from pipeline.http_client.client import HttpClient, Response
from pipeline.http_client.transport import require_usable_proxies

__all__ = ["HttpClient", "Response", "redact_url", "require_usable_proxies"]
