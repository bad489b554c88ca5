"""The HTTP client of all requests except model calls: SSRF guard, size and time limits."""

from pipeline.domain.text import redact_url
from pipeline.http_client.client import HttpClient, Response
from pipeline.http_client.limits import RequestLimits
from pipeline.http_client.transport import require_usable_proxies, tls_context

__all__ = ["HttpClient", "RequestLimits", "Response", "redact_url", "require_usable_proxies", "tls_context"]
