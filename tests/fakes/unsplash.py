"""A fake of Unsplash's API on loopback that records its requests."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

KEY = "an-access-key"


def photo(number: str = "abc-1", **changes: Any) -> dict[str, Any]:
    """Return a photo as the API sends it."""
    image = f"https://images.unsplash.com/photo-{number}"
    sizes = {name: f"{image}?w={name}" for name in ("raw", "full", "regular", "small", "thumb")}
    result: dict[str, Any] = {
        "id": number,
        "description": None,
        "alt_description": "a harbour at dawn",
        "urls": sizes
        | {"small_s3": f"https://s3.us-west-2.amazonaws.com/images.unsplash.com/small/{number}"},
        "links": {"html": f"https://unsplash.com/photos/{number}", "download_location": "set by the server"},
        "user": {"name": "Ida Lund", "links": {"html": "https://unsplash.com/@ida"}},
    }
    return result | changes


class FakeUnsplash:
    """A context manager that serves the API."""

    def __init__(self, photos: list[dict[str, Any]] | None = None, status: int = 200) -> None:
        self.photos = [photo()] if photos is None else photos
        self.status = status
        self.body: bytes | None = None
        """Sent instead of JSON."""
        self.delay_s = 0.0
        self.requests: list[tuple[str, dict[str, list[str]]]] = []
        self.keys: set[str | None] = set()
        self.versions: set[str | None] = set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                outer.requests.append((parts.path, parse_qs(parts.query)))
                outer.keys.add(self.headers.get("Authorization"))
                outer.versions.add(self.headers.get("Accept-Version"))
                time.sleep(outer.delay_s)
                body = outer.body if outer.body is not None else outer._body(parts.path)
                self.send_response(outer.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as it is called there
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.place}"

    def _body(self, path: str) -> bytes:
        return json.dumps(self._answer(path)).encode()

    def _answer(self, path: str) -> object:
        photos = [self._with_download_url(photo) for photo in self.photos]
        if path == "/search/photos":
            return {"total": len(photos), "total_pages": 1, "results": photos}
        if path == "/photos/random":
            return photos[0]
        return next((photo for photo in photos if path == f"/photos/{photo['id']}"), {"url": "an image"})

    def _with_download_url(self, photo: dict[str, Any]) -> dict[str, Any]:
        links = {**photo["links"], "download_location": f"{self.url}/photos/{photo['id']}/download?ixid=1"}
        return photo | {"links": links}

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
