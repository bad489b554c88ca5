"""The one HTTP client: every request but the model call goes through it, with limits on all of it."""

from pipeline.net.client import Net, Response
from pipeline.urls import shown_url

__all__ = ["Net", "Response", "shown_url"]
