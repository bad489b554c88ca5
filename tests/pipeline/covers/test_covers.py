"""Covers: what an API or a feed says is read strictly, credited always, and never waited for."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.covers import UnsplashClient, feed_cover, photo_cover, query_of
from pipeline.covers.cover import SIZES, read_photo
from pipeline.domain.models import Item, Source
from pipeline.http_client import HttpClient
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
def test_the_smaller_size_stands_for_a_sixth_that_is_missing(sixth: object) -> None:
    read = read_photo(photo(urls=photo()["urls"] | {"small_s3": sixth}))
    assert read is not None
    assert read.urls["small_s3"] == read.urls["small"]


@given(JSON)
def test_no_answer_upsets_the_reader(value: object) -> None:
    assert read_photo(value) is None
    read_photo(photo(urls=value, user=value, alt_description=value))


def test_a_feeds_image_has_one_url_in_all_keys_and_the_feeds_credit() -> None:
    cover = feed_cover(source("https://wire.example/a.jpg"))
    assert cover is not None
    assert {cover[size] for size in SIZES} == {"https://wire.example/a.jpg"}
    assert cover["credit"] == {"name": "The Wire", "url": "https://wire.example/1"}
    assert cover["alt"] == "Ships sail"


@pytest.mark.parametrize("image", [None, "", "data:image/png;base64,AA", "javascript:alert(1)", "//x/y.png"])
def test_what_is_no_address_of_an_image_is_no_cover(image: str | None) -> None:
    assert feed_cover(source(image)) is None


def test_a_query_is_the_topic_and_the_longest_words() -> None:
    assert query_of("Ships carry more grain", "TRADE", ("SEA", "TRADE")) == "trade sea ships carry"
    assert query_of("", "", ()) == ""


@asynccontextmanager
async def searching(
    api: FakeUnsplash, url: str | None = None, patience_s: float = 3.0
) -> AsyncIterator[UnsplashClient]:
    async with HttpClient("Copydesk/test", timeout_s=2, allowed=[api.place]) as net:
        yield UnsplashClient(net, KEY, url or api.url, patience_s=patience_s)


async def test_a_search_asks_as_the_documentation_wants() -> None:
    with FakeUnsplash([photo("a"), photo("b", urls={}), photo("c")]) as api:
        async with searching(api) as search:
            found = await search.search("harbour dawn", 5)
            await search.track_download(found[0])
            again = await search.photo("c")
        assert [one.id for one in found] == ["a", "c"]
        assert again is not None
        (path, asked), (ping, _), _ = api.asked
        assert path == "/search/photos"
        assert asked["query"] == ["harbour dawn"]
        assert asked["content_filter"] == ["high"]
        assert ping == "/photos/a/download"
        assert asked["orientation"] == ["landscape"]
        assert asked["per_page"] == ["5"]
        assert api.keys == {f"Client-ID {KEY}"}
        assert api.versions == {"v1"}


@pytest.mark.parametrize("number", ["", "..", "random", "c/../a", "a?x=1", "ａ", "https://evil.example/a"])
async def test_an_id_is_that_of_one_photo_and_leads_nowhere_else(number: str) -> None:
    with FakeUnsplash([photo("a")]) as api:
        async with searching(api) as search:
            assert await search.photo(number) is None
            assert search.trouble == ""
        assert {path for path, _ in api.asked} <= {"/photos/random"}


async def test_a_ping_that_fails_stops_nothing() -> None:
    with FakeUnsplash() as api:
        async with searching(api) as search:
            [found] = await search.search("x")
            api.status = 500
            await search.track_download(found)
            api.status = 200
            assert await search.search("x") == [found]


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "UNSPLASH_ACCESS_KEY"), (403, "limit"), (429, "status 429"), (500, "status 500")],
)
async def test_a_refusal_is_told_and_ends_the_search(status: int, words: str) -> None:
    with FakeUnsplash(status=status) as api:
        async with searching(api) as search:
            assert await search.search("x") == []
            assert await search.search("y") == []
            assert words in search.trouble
        assert len(api.asked) == 1


async def test_what_cannot_be_reached_is_asked_once() -> None:
    with FakeUnsplash() as api:
        async with searching(api, "http://127.0.0.1:9") as search:
            assert await search.search("x") == []
            assert search.trouble
            assert await search.photo("y") is None


async def test_nobody_waits_behind_those_who_wait_in_vain() -> None:
    with FakeUnsplash() as api:
        api.delay_s = 3.0
        async with searching(api, patience_s=0.4) as search:

            async def asked(after_s: float) -> float:
                await asyncio.sleep(after_s)
                begun = time.monotonic()
                assert await search.search("x") == []
                return time.monotonic() - begun

            waits = await asyncio.gather(*(asked(0.01 * number) for number in range(60)))
        assert max(waits) < 3  # four at a time, the last would wait for 6 s
        assert "does not answer" in search.trouble
        assert len(api.asked) <= 4


async def test_waiting_for_ones_turn_is_no_fault_of_the_servers() -> None:
    with FakeUnsplash() as api:
        api.delay_s = 0.2
        async with searching(api, patience_s=1.5) as search:
            found = await asyncio.gather(*(search.search("x") for _ in range(36)))
        assert all(found)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 90_000])
async def test_what_is_no_json_is_told(body: bytes) -> None:
    with FakeUnsplash() as api:
        api.body = body
        async with searching(api) as search:
            assert await search.search("x") == []
            assert "no JSON" in search.trouble


@pytest.mark.parametrize("body", [b"[1]", b"7", b'{"results": 7}', b'{"results": [null, 7]}'])
async def test_nonsense_is_no_photo(body: bytes) -> None:
    with FakeUnsplash() as api:
        api.body = body
        async with searching(api) as search:
            assert await search.search("x") == []


async def test_a_ping_goes_to_the_api_alone() -> None:
    with FakeUnsplash() as api:
        async with searching(api) as search:
            read = read_photo(photo(links={"download_location": "https://evil.example/x"}))
            assert read is not None
            await search.track_download(read)
        assert api.asked == []
