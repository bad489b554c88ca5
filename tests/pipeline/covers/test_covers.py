"""Covers: strict reading of API and feed data, credits, timeouts and failures."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.covers import UnsplashClient, build_query, feed_cover, photo_cover
from pipeline.covers.cover import SIZES, read_photo
from pipeline.domain.models import Item, Source
from pipeline.http_client import HttpClient, RequestLimits
from tests.fakes.unsplash import KEY, FakeUnsplash, photo

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def source(image: str | None, link: str | None = "https://wire.example/1") -> Source:
    item = Item(guid="1", title="Ships\nsail", text="t", published_at=datetime(2026, 2, 5, tzinfo=UTC))
    item = item.model_copy(update={"image": image, "link": link})
    return Source(item=item, feed_key="w", feed_name="The Wire", first_key="w", category="X", language="en")


def test_a_photo_becomes_six_urls_a_credit_and_words() -> None:
    read = read_photo(photo())
    assert read is not None
    cover = photo_cover(read)
    assert list(cover) == [*SIZES, "credit", "alt"]
    assert cover["regular"] == photo()["urls"]["regular"]
    assert cover["credit"] == {
        "name": "Ida Lund",
        "url": "https://unsplash.com/@ida?utm_source=copydesk&utm_medium=referral",
    }
    assert cover["alt"] == "a harbour at dawn"


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "../../etc"},
        {"id": 7},
        {"urls": {}},
        {"urls": photo()["urls"] | {"raw": "javascript:alert(1)"}},
        {"urls": photo()["urls"] | {"full": 'https://images.unsplash.com/"onerror='}},
        {"urls": photo()["urls"] | {"thumb": "https://images.unsplash.com.evil.example/a"}},
        {"urls": photo()["urls"] | {"raw": "http://images.unsplash.com/a"}},
        {"user": {"name": "Ida"}},
        {"user": {"name": "", "links": {"html": "https://unsplash.com/@ida"}}},
        {"user": None},
    ],
)
def test_a_photo_that_lacks_anything_is_none(changes: dict[str, Any]) -> None:
    assert read_photo(photo(**changes)) is None


@pytest.mark.parametrize("sixth", [None, 7, "javascript:alert(1)", "//s3.example/a"])
def test_a_missing_small_s3_is_replaced_by_small(sixth: object) -> None:
    read = read_photo(photo(urls=photo()["urls"] | {"small_s3": sixth}))
    assert read is not None
    assert read.urls["small_s3"] == read.urls["small"]


@given(JSON)
def test_any_json_is_read_without_an_exception(value: object) -> None:
    assert read_photo(value) is None
    read_photo(photo(urls=value, user=value, alt_description=value))


def test_a_feeds_image_has_one_url_in_all_keys_and_the_feeds_credit() -> None:
    cover = feed_cover(source("https://wire.example/a.jpg"))
    assert cover is not None
    assert {cover[size] for size in SIZES} == {"https://wire.example/a.jpg"}
    assert cover["credit"] == {"name": "The Wire", "url": "https://wire.example/1"}
    assert "alt" not in cover  # the headline does not say what the image shows


@pytest.mark.parametrize("image", [None, "", "data:image/png;base64,AA", "javascript:alert(1)", "//x/y.png"])
def test_an_invalid_image_url_is_no_cover(image: str | None) -> None:
    assert feed_cover(source(image)) is None


def test_a_query_is_the_topic_and_the_longest_words() -> None:
    assert build_query("Ships carry more grain", "TRADE", ("SEA", "TRADE")) == "trade sea ships carry"
    assert build_query("", "", ()) == ""


@asynccontextmanager
async def searching(
    api: FakeUnsplash, url: str | None = None, timeout_s: float = 3.0
) -> AsyncIterator[UnsplashClient]:
    async with HttpClient("Copydesk/test", RequestLimits(timeout_s=2), allowed=[api.place]) as net:
        yield UnsplashClient(net, KEY, url or api.url, timeout_s=timeout_s)


async def test_a_search_sends_the_documented_fields() -> None:
    with FakeUnsplash([photo("a"), photo("b", urls={}), photo("c")]) as api:
        async with searching(api) as search:
            photos = await search.search("harbour dawn", 5)
            await search.track_download(photos[0])
            again = await search.photo("c")
        assert [photo_.id for photo_ in photos] == ["a", "c"]
        assert again is not None
        (path, fields), (ping, _), _ = api.requests
        assert path == "/search/photos"
        assert fields["query"] == ["harbour dawn"]
        assert fields["content_filter"] == ["high"]
        assert ping == "/photos/a/download"
        assert fields["orientation"] == ["landscape"]
        assert fields["per_page"] == ["5"]
        assert api.keys == {f"Client-ID {KEY}"}
        assert api.versions == {"v1"}


@pytest.mark.parametrize("number", ["", "..", "random", "c/../a", "a?x=1", "ａ", "https://evil.example/a"])
async def test_an_invalid_photo_id_is_not_requested(number: str) -> None:
    with FakeUnsplash([photo("a")]) as api:
        async with searching(api) as search:
            assert await search.photo(number) is None
            assert search.error == ""
        assert {path for path, _ in api.requests} <= {"/photos/random"}


async def test_a_failed_download_ping_is_ignored() -> None:
    with FakeUnsplash() as api:
        async with searching(api) as search:
            [result] = await search.search("x")
            api.status = 500
            await search.track_download(result)
            api.status = 200
            assert await search.search("x") == [result]


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "UNSPLASH_ACCESS_KEY"), (403, "limit"), (429, "status 429"), (500, "status 500")],
)
async def test_an_error_status_is_reported_and_ends_the_search(status: int, words: str) -> None:
    with FakeUnsplash(status=status) as api:
        async with searching(api) as search:
            assert await search.search("x") == []
            assert await search.search("y") == []
            assert words in search.error
        assert len(api.requests) == 1


async def test_an_unreachable_server_is_requested_once() -> None:
    with FakeUnsplash() as api:
        async with searching(api, "http://127.0.0.1:9") as search:
            assert await search.search("x") == []
            assert search.error
            assert await search.photo("y") is None


async def test_searches_do_not_queue_behind_a_timeout() -> None:
    with FakeUnsplash() as api:
        api.delay_s = 3.0
        async with searching(api, timeout_s=0.4) as search:

            async def seconds_waited(after_s: float) -> float:
                await asyncio.sleep(after_s)
                begun = time.monotonic()
                assert await search.search("x") == []
                return time.monotonic() - begun

            waits = await asyncio.gather(*(seconds_waited(0.01 * number) for number in range(60)))
        assert max(waits) < 3  # four at a time, the last would wait for 6 s
        assert "does not answer" in search.error
        assert len(api.requests) <= 4


async def test_waiting_for_a_slot_does_not_count_as_a_timeout() -> None:
    with FakeUnsplash() as api:
        api.delay_s = 0.2
        async with searching(api, timeout_s=1.5) as search:
            results = await asyncio.gather(*(search.search("x") for _ in range(36)))
        assert all(results)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 90_000])
async def test_invalid_json_is_reported(body: bytes) -> None:
    with FakeUnsplash() as api:
        api.body = body
        async with searching(api) as search:
            assert await search.search("x") == []
            assert "not JSON" in search.error


@pytest.mark.parametrize("body", [b"[1]", b"7", b'{"results": 7}', b'{"results": [null, 7]}'])
async def test_unexpected_json_is_no_photo(body: bytes) -> None:
    with FakeUnsplash() as api:
        api.body = body
        async with searching(api) as search:
            assert await search.search("x") == []


async def test_a_download_ping_goes_only_to_the_api() -> None:
    with FakeUnsplash() as api:
        async with searching(api) as search:
            read = read_photo(photo(links={"download_location": "https://evil.example/x"}))
            assert read is not None
            await search.track_download(read)
        assert api.requests == []
