"""The section `access` of a feed: variables are named, and filled in from the environment."""

import base64
import io
import logging
from pathlib import Path

import pytest

from pipeline.config import (
    Subscriptions,
    feed_credentials,
    feed_secrets,
    load_feeds,
    load_settings,
)
from pipeline.config.feed_access import CUT_LOGIN_ADVICE
from pipeline.config.logging import RedactingFormatter
from pipeline.domain.errors import ConfigError, FeedError
from pipeline.domain.feed_access import Credentials
from pipeline.domain.text import redact_url
from pipeline.domain.urls import without_userinfo

HEAD = """\
defaults: {beat: news, category: NEWS}
beats: {news: {vocabulary: [NEWS]}}
feeds:
  - key: paid
    name: Paid
    url: https://paid.example/feed
"""


def load(folder: Path, access: str, url: str = "https://paid.example/feed") -> Subscriptions:
    text = HEAD.replace("https://paid.example/feed", url)
    (folder / "feeds.yaml").write_text(text + (f"    access: {access}\n" if access else ""))
    return load_feeds(folder / "feeds.yaml")


def credentials(
    folder: Path, access: str, url: str = "https://paid.example/feed", **environ: str
) -> Credentials:
    subscriptions = load(folder, access, url)
    settings = load_settings({"HOME": "/nowhere", **environ}, folder)
    return feed_credentials(settings, subscriptions.feeds, subscriptions.logins)["paid"]


def basic(login: str) -> tuple[str, str]:
    return "Authorization", f"Basic {base64.b64encode(login.encode()).decode()}"


def test_a_feed_without_access_has_no_credentials(tmp_path: Path) -> None:
    subscriptions = load(tmp_path, "")
    assert feed_credentials(load_settings({}, tmp_path), subscriptions.feeds, subscriptions.logins) == {}


@pytest.mark.parametrize(
    ("access", "headers"),
    [
        ("{user: ada, password_variable: PW}", (basic("ada:s3 same"),)),
        ("{token_variable: PW}", (("Authorization", "Bearer s3 same"),)),
        (
            "{headers: {X-Api-Key: $PW, X-Plan: 'gold, $$5'}}",
            (("X-Api-Key", "s3 same"), ("X-Plan", "gold, $5")),
        ),
        ("{cookies: {session: $PW, id: 'u-${ID}'}}", (("Cookie", "session=s3 same; id=u-7"),)),
        ("{user_agent: Reader/1.0}", (("User-Agent", "Reader/1.0"),)),
    ],
)
def test_variables_become_headers(tmp_path: Path, access: str, headers: tuple[tuple[str, str], ...]) -> None:
    filled = credentials(tmp_path, access, PW="s3 same", ID="7")
    assert filled == Credentials("https://paid.example:443", headers)


def test_a_proxy_is_a_variable(tmp_path: Path) -> None:
    filled = credentials(
        tmp_path, "{proxy_variable: PAID_PROXY}", PAID_PROXY="http://ada:pw@proxy.example:3128"
    )
    assert filled.proxy == "http://ada:pw@proxy.example:3128"
    assert filled.proxy_variable == "PAID_PROXY"


@pytest.mark.parametrize(
    "proxy",
    [
        "socks5://ada:pw@proxy.example",
        "http://ada:pw@proxy:99999",
        "http://ada:pw@proxy:31x",
        "http://ada:pw@[::1",
    ],
)
def test_a_proxy_that_cannot_be_used_is_an_error_of_its_feed(tmp_path: Path, proxy: str) -> None:
    refused = credentials(tmp_path, "{proxy_variable: PAID_PROXY}", PAID_PROXY=proxy)
    assert refused.error is not None
    assert "http(s) proxy in PAID_PROXY" in refused.error
    assert "pw@" not in refused.error


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    error = credentials(tmp_path, "{user: ada, password_variable: PAID_PASSWORD}").error
    assert error == "needs PAID_PASSWORD, which is not set: put PAID_PASSWORD=… into .env"


def test_a_value_that_no_header_can_carry_is_not_shown(tmp_path: Path) -> None:
    error = credentials(tmp_path, "{token_variable: PW}", PW="s3same\r\nX: y").error
    assert error is not None
    assert "PW" in error
    assert "s3same" not in error


@pytest.mark.parametrize(
    ("access", "message"),
    [
        ("{user: ada}", "user and password_variable belong together"),
        ("{password_variable: PW}", "user and password_variable belong together"),
        ("{user: ada, password_variable: PW, token_variable: T}", "are two logins"),
        ("{user: ada, password_variable: s3same}", "is no name of a variable"),
        ("{token_variable: COPYDESK_TOKEN}", "would be a setting of Copydesk"),
        ("{headers: {X-Api-Key: s3same}}", "looks like a key"),
        ("{headers: {Authorization: Bearer s3same}}", "looks like a key"),
        ("{headers: {Host: a.example}}", "is no header that can be added"),
        ("{headers: {X-Plan: 'one\\r\\nX: y'}}", "headers.X-Plan"),
        ("{headers: {X-Plan: 5$}}", "has a $ without a variable's name"),
        ("{cookies: {session: s3same}}", "keys are never in this file"),
        ("{cookies: {'a b': $PW}}", "is no name of a cookie"),
        ("{password: s3same}", "unknown field access.password"),
        ("{user_agent: 'a\\nb'}", "user_agent"),
        ("s3same", "access (its value is not shown)"),
    ],
)
def test_mistakes_name_their_line_and_show_no_secret(tmp_path: Path, access: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(tmp_path, access.replace("'one\\r\\nX: y'", '"one\\r\\nX: y"').replace("'a\\nb'", '"a\\nb"'))
    assert raised.value.message.startswith("feeds.yaml:7: ")
    assert message in raised.value.message
    assert "s3same" not in raised.value.message


def test_access_cannot_be_a_default(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text(HEAD.replace("category: NEWS}", "access: {token_variable: T}}", 1))
    with pytest.raises(ConfigError, match="access cannot be a default"):
        load_feeds(tmp_path / "feeds.yaml")


def test_a_login_in_a_url_works_and_is_in_no_record(tmp_path: Path) -> None:
    url = "https://ada:s3%40same@paid.example/feed?x=1"
    subscriptions = load(tmp_path, "", url)
    [feed] = subscriptions.feeds
    assert feed.url == "https://paid.example/feed?x=1"
    assert credentials(tmp_path, "", url).headers == (basic("ada:s3@same"),)
    assert "s3" not in repr(subscriptions) + subscriptions.model_dump_json()
    [warning] = subscriptions.warnings
    assert warning.startswith("feeds.yaml:6: url holds a login (its value is not shown)")
    assert "`access: {user: ada, password_variable: PAID_PASSWORD}`" in warning


def test_a_token_as_user_of_a_url_works_too(tmp_path: Path) -> None:
    url = "https://t0ken@paid.example/feed"
    assert credentials(tmp_path, "", url).headers == (basic("t0ken:"),)
    subscriptions = load(tmp_path, "", url)
    assert "t0ken" not in str(subscriptions.warnings)
    secrets = feed_secrets(load_settings({}, tmp_path), subscriptions.feeds, subscriptions.logins)
    assert [secret.get_secret_value() for secret in secrets] == ["t0ken"]


@pytest.mark.parametrize(
    "url",
    [
        "https://ada:p#s3same@paid.example/feed",
        "https://ada:p/s3same@paid.example/feed",
        "https://ada:p?s3same@paid.example/feed",
        f"https://{'ada' * 20}:s3same{'x' * 20}#@paid.example/feed",
        "ada:s3same@paid.example/feed",
        "ftp://ada:s3same@paid.example/feed",
        "[https://ada:s3same#@paid.example/feed]",
    ],
)
def test_an_invalid_url_with_a_login_is_in_no_message(tmp_path: Path, url: str) -> None:
    text = HEAD.replace("https://paid.example/feed", url) + "    selector: '['\n    schedule: x\n"
    (tmp_path / "feeds.yaml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_feeds(tmp_path / "feeds.yaml")
    shown = raised.value.message + str(raised.value.context)
    assert "feeds.yaml:6: url (its value is not shown) is no" in shown
    assert "s3same" not in shown


def test_no_line_of_a_configs_mistakes_has_a_login() -> None:
    lines = ("one", "two: https://ada:s3same@paid.example/", "three: https://ada:p/s3same@paid.example/")
    error = ConfigError("one", problems=lines)
    assert error.context["problems"] == ("one", "two: https://paid.example/", "three: https://paid.example/")


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("https://ada:123/s3same@paid.example/feed", True),
        ("https://ada:123?s3same@paid.example/feed", True),
        ("https://ada:#s3same@paid.example/feed", True),
        ("https://medium.com/@name/feed", False),
        ("https://medium.com:443/@name/feed", False),
        ("http://rsshub:1200/youtube/user/@name", False),
        ("http://rsshub:1200/mastodon/acct/name@social.example/statuses", False),
        ("http://localhost:3000/name@social.example", False),
        ("https://paid.example/feed?mail=ada@paid.example", False),
    ],
)
def test_a_url_that_may_be_a_cut_login_has_a_warning(tmp_path: Path, url: str, warned: bool) -> None:
    subscriptions = load(tmp_path, "", url)
    assert subscriptions.feeds[0].url == url
    assert [CUT_LOGIN_ADVICE in warning for warning in subscriptions.warnings] == [True] * warned


def test_access_is_stronger_than_the_url(tmp_path: Path) -> None:
    filled = credentials(tmp_path, "{user: ada, password_variable: PW}", "https://x:y@paid.example/", PW="pw")
    assert filled.headers == (basic("ada:pw"),)


def test_every_secret_is_redacted_in_the_log(tmp_path: Path) -> None:
    access = "{user: ada, password_variable: PW, headers: {X-Api-Key: $API}, cookies: {session: $COOKIE}}"
    subscriptions = load(tmp_path, access, "https://ada:in-url@paid.example/feed")
    settings = load_settings({"PW": "pw-1", "API": "api-2", "COOKIE": "cookie-3"}, tmp_path)
    secrets = feed_secrets(settings, subscriptions.feeds, subscriptions.logins)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingFormatter([secret.get_secret_value() for secret in secrets]))
    message = "pw-1 api-2 cookie-3 in-url https://eve:other@host.example/x?y=a@b"
    handler.emit(logging.LogRecord("copydesk", logging.INFO, "", 0, message, None, None))
    assert stream.getvalue().rstrip().endswith("*** *** *** *** https://host.example/x?y=a@b")


def test_messages_of_errors_have_no_login() -> None:
    error = FeedError("one: https://ada:s3same@paid.example/a@b and HTTP://t0ken@x/ fail", kind="http")
    assert error.message == str(error) == "one: https://paid.example/a@b and HTTP://x/ fail"


@pytest.mark.parametrize("cut", ["#", "/", "?", "12/", "#a@b"])
def test_a_password_that_cuts_its_url_is_in_no_text(cut: str) -> None:
    url = f"https://ada:p{cut}s3same@paid.example/f"
    assert without_userinfo(f"one: {url} fails") == "one: https://paid.example/f fails"
    assert "s3same" not in redact_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://medium.com/@name",
        "https://medium.com:443/@name",
        "http://[::1]:80/@name",
        "https://a.example/?b=c@d",
    ],
)
def test_other_urls_stay_as_they_are(url: str) -> None:
    assert without_userinfo(f"{url} a@b") == f"{url} a@b"
