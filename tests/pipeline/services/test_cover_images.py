"""Images of covers over real HTTP: their bytes decide, every limit holds, and each is fetched once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.covers.raster import MAX_BYTES
from pipeline.http_client import HttpClient, RequestLimits
from pipeline.services.cover_images import RETRY_AFTER, CoverImages, checked_image
from pipeline.storage import Database
from tests.databases import prepared
from tests.fakes.feed_server import FeedServer
from tests.fakes.images import avif, gif, jpeg, png, webp

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
NO_IMAGE = "it is no JPEG, PNG, GIF, WebP or AVIF, or its header is damaged"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with Database.open(prepared(f"sqlite:///{tmp_path / 'covers.db'}")) as opened:
        yield opened


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with FeedServer() as opened:
        yield opened


@asynccontextmanager
async def fetching(
    db: Database,
    server: FeedServer,
    *,
    timeout_s: float = 10.0,
    clock: Callable[[], datetime] = lambda: NOW,
) -> AsyncIterator[CoverImages]:
    limits = RequestLimits(timeout_s=10, max_redirects=3)
    async with HttpClient("Copydesk/test", limits, allowed=server.hosts) as net:
        images = CoverImages(db, net, timeout_s=timeout_s, clock=clock)
        try:
            yield images
        finally:
            await images.close()


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (png(), "image/png"),
        (jpeg(), "image/jpeg"),
        (gif(), "image/gif"),
        (webp(), "image/webp"),
        (avif(), "image/avif"),
    ],
)
async def test_the_bytes_decide_whatever_the_header_says(
    db: Database, server: FeedServer, data: bytes, media_type: str
) -> None:
    url = server.add("/a", data, content_type="text/html")
    async with fetching(db, server) as images:
        image = await images.get(url)
    assert (image.media_type, image.data, image.error) == (media_type, data, "")


@pytest.mark.parametrize(
    "data",
    [
        SVG,
        b"<!doctype html><script>alert(1)</script>",
        b"",
        b"%PDF-1.7",
        png()[:20],
        jpeg()[:40],
        avif()[:60],
    ],
)
async def test_what_calls_itself_an_image_and_is_none_is_refused(
    db: Database, server: FeedServer, data: bytes
) -> None:
    url = server.add("/a.png", data, content_type="image/png")
    async with fetching(db, server) as images:
        image = await images.get(url)
    assert (image.data, image.error) == (b"", NO_IMAGE)
    assert not image.is_missing


async def test_too_many_bytes_are_refused_whatever_the_length_says(db: Database, server: FeedServer) -> None:
    large = png() + bytes(MAX_BYTES)
    declared = server.add("/declared", large)
    bomb = server.add("/bomb", large, compress=True)
    endless = server.add_raw("/endless", b"HTTP/1.1 200 OK\r\n\r\n" + png(), forever=bytes(200_000))
    async with fetching(db, server) as images:
        for url in (declared, bomb, endless):
            assert "more than 5,000,000 bytes" in (await images.get(url)).error


@pytest.mark.parametrize("data", [png(50_000, 50_000), webp(2**24, 2**24, b"VP8X"), gif(9_000, 9_000)])
def test_too_many_pixels_are_refused(data: bytes) -> None:
    assert "more than 40 megapixels" in checked_image(data).error


@pytest.mark.parametrize("data", [gif(1, 1), png(2, 2), png(600, 1)])
def test_a_tracking_pixel_is_no_image(data: bytes) -> None:
    assert checked_image(data).is_missing


def test_the_largest_file_and_the_smallest_picture_are_taken() -> None:
    assert checked_image(png(3, 3)).media_type == "image/png"
    filled = gif() + bytes(MAX_BYTES - len(gif()))
    assert checked_image(filled).data == filled
    assert checked_image(filled + b"\0").error


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1:9/a.png", "http://169.254.169.254/a.png", "http://[::1]/a.png", "file:///etc/passwd"],
)
async def test_a_redirect_out_of_the_public_internet_is_refused(
    db: Database, server: FeedServer, target: str
) -> None:
    url = server.add("/a", status=302, headers={"Location": target})
    async with fetching(db, server) as images:
        image = await images.get(url)
    assert image.error
    assert image.data == b""
    assert server.requests == 1


async def test_a_private_address_is_not_requested(db: Database, server: FeedServer) -> None:
    async with HttpClient("Copydesk/test") as net:  # without the exception for loopback
        image = await CoverImages(db, net).get(server.add("/a", png()))
    assert "no address of the public internet" in image.error
    assert server.requests == 0


async def test_a_redirect_to_an_image_is_followed(db: Database, server: FeedServer) -> None:
    url = server.add("/a", status=302, headers={"Location": server.add("/b", png())})
    async with fetching(db, server) as images:
        assert (await images.get(url)).data == png()


@pytest.mark.parametrize(
    ("status", "words"), [(404, "gone"), (410, "gone"), (403, "status 403"), (500, "status 500")]
)
async def test_an_error_status_is_no_image(db: Database, server: FeedServer, status: int, words: str) -> None:
    url = server.add("/a", png(), status=status)
    async with fetching(db, server) as images:
        assert words in (await images.get(url)).error


async def test_a_slow_or_broken_server_is_given_up(db: Database, server: FeedServer) -> None:
    slow = server.add("/slow", png(), delay_s=30)
    cut = server.add("/cut", png(), cut_at=50)
    async with fetching(db, server, timeout_s=0.3) as images:
        assert "within 0.3 s" in (await images.get(slow)).error
    async with fetching(db, server) as images:
        assert (await images.get(cut)).error


async def test_concurrent_requests_fetch_once_and_later_ones_not_at_all(
    db: Database, server: FeedServer
) -> None:
    url = server.add("/a", png(), delay_s=0.2)
    async with fetching(db, server) as images:
        found = await asyncio.gather(*(images.get(url) for _ in range(8)))
        assert {image.data for image in found} == {png()}
    async with fetching(db, server) as images:  # another process of the same database
        assert await images.get(url) == found[0]
    assert server.requests == 1


async def test_a_browser_that_goes_away_does_not_end_the_others_request(
    db: Database, server: FeedServer
) -> None:
    url = server.add("/a", png(), delay_s=0.2)
    async with fetching(db, server) as images:
        first, second = (asyncio.create_task(images.get(url)) for _ in range(2))
        while server.requests == 0:
            await asyncio.sleep(0.01)
        first.cancel()
        assert (await second).data == png()
    assert server.requests == 1


async def test_a_failure_is_remembered_for_a_while(db: Database, server: FeedServer) -> None:
    url, now = server.add("/a", status=503), [NOW]
    async with fetching(db, server, clock=lambda: now[0]) as images:
        failed = await images.get(url)
        server.add("/a", png())
        now[0] += RETRY_AFTER - timedelta(seconds=1)
        assert await images.get(url) == failed
        assert server.requests == 1
        now[0] += timedelta(seconds=2)
        assert (await images.get(url)).data == png()
        server.add("/a", status=404)
        now[0] += timedelta(days=20)
        assert (await images.get(url)).data == png()
    assert server.requests == 2


async def test_closing_ends_a_request_that_is_under_way(db: Database, server: FeedServer) -> None:
    url = server.add("/a", png(), delay_s=30)
    async with fetching(db, server) as images:
        waiting = asyncio.create_task(images.get(url))
        while server.requests == 0:
            await asyncio.sleep(0.01)
        await images.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert db.caches.cover(url) is None
