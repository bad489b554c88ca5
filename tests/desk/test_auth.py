"""Access rules and URL filters: hosts, origins, tokens, names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.datastructures import Headers

from desk.auth import (
    AccessPolicy,
    allowed_host,
    clean_name,
    new_token,
    proxied,
    same_origin,
    signed_in,
    valid_token,
)
from desk.filters import Filters, read_filters
from desk.responses import REF
from desk.routes.profile import _local_path
from pipeline.config import Subscriptions
from tests.pipeline.storage.records import feed

HERE = AccessPolicy(port=8484, token="a token", hosts=frozenset(("desk.example.org", "other.example:444")))


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8484", "localhost:8484", "LocalHost:8484", "[::1]:8484", "desk.example.org"]
)
def test_our_host_names_are_allowed(host: str) -> None:
    assert allowed_host(HERE, host)


@pytest.mark.parametrize(
    "host", [None, "", "127.0.0.1", "localhost:80", "evil.example:8484", "other.example"]
)
def test_other_host_names_are_refused(host: str | None) -> None:
    assert not allowed_host(HERE, host)


def test_a_browser_leaves_port_80_out() -> None:
    assert allowed_host(AccessPolicy(port=80, token="t"), "127.0.0.1")


def test_only_our_own_pages_change_anything() -> None:
    host = {"host": "127.0.0.1:8484"}
    assert same_origin("GET", {})
    assert same_origin("POST", host | {"origin": "http://127.0.0.1:8484", "sec-fetch-site": "same-origin"})
    assert not same_origin("POST", host)
    assert not same_origin("POST", host | {"origin": "http://127.0.0.1:8485"})
    assert not same_origin("POST", host | {"origin": "http://127.0.0.1:8484", "sec-fetch-site": "cross-site"})
    assert not same_origin("POST", {"origin": "null", "host": ""})


def test_the_token_and_the_session_cookie_are_accepted() -> None:
    assert valid_token(HERE, "a token")
    assert not valid_token(HERE, "a tokem")
    assert not valid_token(HERE, None)
    assert signed_in(HERE, {HERE.session_cookie: HERE.session})
    assert not signed_in(HERE, {HERE.session_cookie: HERE.token})
    assert new_token() != new_token()


def test_a_proxy_is_trusted_only_from_its_address() -> None:
    named = HERE._replace(user_header="X-User", user_secret=SecretStr("a word between us"))
    secret_header = {"x-copydesk-secret": "a word between us"}
    assert proxied(named, "127.0.0.1", Headers(secret_header | {"x-user": " Ada  L. "})) == "Ada L."
    assert proxied(named, "10.0.0.7", Headers(secret_header | {"x-user": "Ada"})) is None
    assert proxied(named, "127.0.0.1", Headers(secret_header)) is None
    assert proxied(HERE, "127.0.0.1", Headers(secret_header | {"x-user": "Ada"})) is None
    assert "between us" not in repr(named)


@pytest.mark.parametrize("name", ["x-user", "x-copydesk-secret"])
def test_a_repeated_header_is_not_trusted(name: str) -> None:
    named = HERE._replace(user_header="X-User", user_secret=SecretStr("a word between us"))
    right = {"x-user": "Ada", "x-copydesk-secret": "a word between us"}
    raw = [(key.encode(), value.encode()) for key, value in (*right.items(), (name, right[name]))]
    assert proxied(named, "127.0.0.1", Headers(raw=raw)) is None


@pytest.mark.parametrize("shown", [None, "", "a word between u", "a word between us ", "ä" * 20])
def test_a_wrong_proxy_secret_is_not_trusted(shown: str | None) -> None:
    named = HERE._replace(user_header="X-User", user_secret=SecretStr("a word between us"))
    headers = {"x-user": "Ada"} if shown is None else {"x-user": "Ada", "x-copydesk-secret": shown}
    assert proxied(named, "127.0.0.1", Headers(headers)) is None
    assert proxied(named._replace(user_secret=None), "127.0.0.1", Headers(headers)) is None


@given(st.text(max_size=200))
def test_a_name_is_one_line_of_what_can_be_seen(name: str) -> None:
    shown = clean_name(name)
    assert len(shown) <= 60
    assert shown.isprintable()
    assert clean_name(shown) == shown


@given(st.text(max_size=60))
def test_no_path_leads_out_of_the_desk(path: str) -> None:
    assert _local_path(path).startswith("/")
    assert not _local_path(path).startswith(("//", "/\\"))


def test_filters_have_no_null_characters() -> None:
    assert read_filters({"kind": "a\0b", "q": "\0"}) == Filters(kind="ab")


def test_filters_survive_the_url() -> None:
    filters = Filters(feed="one", findings="held", q="a b&c", sort="oldest", changed=True)
    query = filters.query()
    assert "state" not in query
    parameters = dict(pair.split("=") for pair in query.split("&"))
    assert (
        read_filters({"feed": "one", "findings": "held", "q": "a b&c", "sort": "oldest", "changed": "1"})
        == filters
    )
    assert parameters["findings"] == "held"
    assert filters.query(feed="", findings="", q="", sort="waiting", changed=False) == ""
    assert filters.narrowed
    assert not Filters(state="approved").narrowed


@given(
    st.dictionaries(st.sampled_from(("state", "feed", "beat", "findings", "q", "sort", "asked")), st.text())
)
def test_no_query_upsets_the_filters(query: dict[str, str]) -> None:
    read_filters(query).query()


def test_a_beat_is_its_feeds() -> None:
    first, second = feed("one"), feed("two").model_copy(update={"beat": "other"})
    subscriptions = Subscriptions(beats={}, feeds=(first, second))
    assert Filters(beat="b").criteria(subscriptions).feeds == ("one",)
    assert Filters(beat="b", feed="two").criteria(subscriptions).feeds == ()
    assert Filters(feed="two").criteria(subscriptions).feeds == ("two",)
    assert Filters().criteria(subscriptions).feeds is None


def test_the_flash_takes_only_an_id() -> None:
    assert REF.fullmatch("0123456789abcdef")
    assert not REF.fullmatch("../etc/passwd")
