"""The section `models:` of feeds.yaml: what it means, and every mistake with its line."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.config import (
    ModelConnection,
    ModelProfile,
    connection_named,
    load_feeds,
    load_settings,
    require_secrets,
    used_profiles,
    verifier_of,
)
from pipeline.config.logging import RedactingFormatter
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import Beat, FeedConfig

SECRET = "4f8e21c09ab7d35561e0aa93be7c4d12"
FEEDS = """\
beats:
  crypto:
    vocabulary: [BTC]
feeds:
  - key: one
    name: One
    url: https://one.example/feed
    beat: crypto
    category: BTC
"""


def feeds_yaml(folder: Path, models: str, rest: str = FEEDS) -> Path:
    path = folder / "feeds.yaml"
    path.write_text(f"models:\n{models}{rest}")
    return path


def problem(folder: Path, models: str, rest: str = FEEDS) -> str:
    """Return the only mistake of a file, with its line."""
    with pytest.raises(ConfigError) as caught:
        load_feeds(feeds_yaml(folder, models, rest))
    problems = caught.value.context["problems"]
    assert isinstance(problems, tuple)
    [line] = problems
    assert SECRET not in str(caught.value)
    assert "\n" not in line
    return str(line).removeprefix("feeds.yaml:")


def connect(folder: Path, models: str, environ: Mapping[str, str], name: str = "strong") -> ModelConnection:
    profiles = load_feeds(feeds_yaml(folder, models)).models
    return connection_named(load_settings(environ, folder), profiles, name)


def test_a_profile_has_everything_that_a_server_needs(tmp_path: Path) -> None:
    models = """\
  strong:
    base_url: https://x.openai.azure.com/openai/deployments/news
    model: gpt-4.1
    headers: {api-key: $AZURE_KEY, X-Team: news, Cost: $$5}
    query: {api-version: 2024-10-21}
    server: openai
    price: 2/0.5/8
    max_in_flight: 3
    calls_per_minute: 90
    timeout: 30
    deadline: 90
    max_tokens: 900
    temperature: 0
    seed: 7
    extra_body: {top_k: 5, stop: [a, b]}
"""
    strong = connect(tmp_path, models, {"AZURE_KEY": SECRET, "OPENAI_API_KEY": "sk-not-for-others"})
    assert strong.api_key is None, "the key of .env is not sent to another server"
    headers = {name: value.get_secret_value() for name, value in strong.headers.items()}
    assert headers == {"api-key": SECRET, "X-Team": "news", "Cost": "$5"}
    assert strong.query["api-version"].get_secret_value() == "2024-10-21", "also without quotes"
    assert [str(dollars) for dollars in strong.price or ()] == ["2", "0.5", "8"]
    assert (strong.max_in_flight, strong.calls_per_minute, strong.timeout_s, strong.deadline_s) == (
        3,
        90,
        30,
        90,
    )
    assert (strong.max_tokens, strong.temperature, strong.seed) == (900, 0, 7)
    assert json.loads(json.dumps(strong.extra_body)) == {"top_k": 5, "stop": ["a", "b"]}
    assert SECRET not in repr(strong)
    shown = RedactingFormatter(secret.get_secret_value() for secret in strong.secrets)
    assert SECRET not in shown.redact(f"sent {SECRET}")


def test_without_a_base_url_it_is_another_model_of_the_server_in_env(tmp_path: Path) -> None:
    env = {"OPENAI_BASE_URL": "https://gate.example/v1", "OPENAI_API_KEY": "k", "COPYDESK_MODEL_TIMEOUT": "9"}
    strong = connect(tmp_path, "  strong: {model: big}\n", env)
    assert (strong.base_url, strong.model, strong.timeout_s) == ("https://gate.example/v1", "big", 9)
    assert strong.api_key is not None
    assert strong.api_key.get_secret_value() == "k"
    own_key = connect(tmp_path, "  strong: {model: big, key_variable: BIG_KEY}\n", env | {"BIG_KEY": "b"})
    assert own_key.api_key is not None
    assert own_key.api_key.get_secret_value() == "b"


@pytest.mark.parametrize(
    ("profile", "environ", "missing"),
    [
        ("{model: big}", {}, "OPENAI_API_KEY"),
        ("{model: big}", {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}, None),
        ("{model: big, base_url: 'http://127.0.0.1:1/v1'}", {}, None),
        ("{model: big, key_variable: BIG_KEY}", {"BIG_KEY": " "}, "BIG_KEY"),
        ("{model: big, base_url: 'https://x.example', headers: {api-key: $A_KEY}}", {}, "A_KEY"),
        ("{model: big, base_url: 'https://x.example', query: {key: '${A_KEY}'}}", {"A_KEY": "a"}, None),
    ],
)
def test_a_missing_key_is_named(
    tmp_path: Path, profile: str, environ: dict[str, str], missing: str | None
) -> None:
    strong = connect(tmp_path, f"  strong: {profile}\n", environ)
    assert strong.missing == missing
    if missing is None:
        require_secrets(strong)
        return
    with pytest.raises(ConfigError) as caught:
        require_secrets(strong)
    assert f"models: strong: in feeds.yaml needs {missing}, which is not set" in caught.value.message


def test_the_profile_of_env_is_called_default(tmp_path: Path) -> None:
    default = connect(
        tmp_path, "  strong: {model: big}\n", {"COPYDESK_MODEL": "m", "OPENAI_API_KEY": "k"}, "default"
    )
    assert (default.model, default.profile, default.names.key) == ("m", "default", "OPENAI_API_KEY")


def test_a_key_with_a_line_break_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        connect(tmp_path, "  strong: {model: m, key_variable: BIG_KEY}\n", {"BIG_KEY": f"{SECRET}\nx"})
    assert caught.value.message.startswith("BIG_KEY (its value is not shown) has characters")


def feed_of(folder: Path, *, defaults: str = "", beat: str = "", own: str = "") -> FeedConfig:
    text = FEEDS.replace("    vocabulary: [BTC]\n", f"    vocabulary: [BTC]\n{beat}") + own
    models = "  strong: {model: a}\n  cheap: {model: b}\n  third: {model: c}\n"
    [feed] = load_feeds(feeds_yaml(folder, models, f"{defaults}{text}")).feeds
    return feed


def test_the_feed_is_stronger_than_its_beat_and_that_than_the_defaults(tmp_path: Path) -> None:
    defaults = "defaults: {model: third, fallbacks: [default]}\n"
    beat = "    model: strong\n    fallbacks: [cheap, strong]\n"
    assert feed_of(tmp_path).profiles == ("default",)
    assert feed_of(tmp_path, defaults=defaults).profiles == ("third", "default")
    assert feed_of(tmp_path, defaults=defaults, beat=beat).profiles == ("strong", "cheap")
    own = feed_of(tmp_path, defaults=defaults, beat=beat, own="    model: cheap\n    fallbacks: []\n")
    assert own.profiles == ("cheap",)
    assert feed_of(tmp_path, beat=beat, own="    model: default\n").profiles == ("default", "cheap", "strong")


def test_a_feed_without_a_model_has_no_fallbacks_either(tmp_path: Path) -> None:
    feed = feed_of(tmp_path, own="    fallbacks: [cheap]\n")
    models = load_feeds(tmp_path / "feeds.yaml").models
    assert used_profiles(load_settings({}, tmp_path), [feed]) == []
    with_default = load_settings({"COPYDESK_MODEL": "m", "OPENAI_API_KEY": "k"}, tmp_path)
    assert used_profiles(with_default, [feed, feed]) == ["default", "cheap"]
    for name, fix in (("default", "set COPYDESK_MODEL"), ("chaep", "did you mean cheap")):
        with pytest.raises(ConfigError, match=fix):
            connection_named(load_settings({}, tmp_path), models, name)


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (
            "default: {model: m}",
            "2: default is the profile of .env (COPYDESK_MODEL); give this profile another",
        ),
        ("offline: {model: m}", "2: offline means that no model writes; give this profile another name"),
        ("Strong: {model: m}", "2: 'Strong' cannot be a profile's name; write it like my-model"),
        (f"strong: {SECRET}", "2: strong is no profile; write one such as `strong: {model: gpt-4.1"),
        ("strong:\n    seed: 1", "2: model is missing; add `model: …`"),
        ("strong:\n    modle: m\n    model: m", "3: unknown field modle; did you mean model?"),
        ("strong:\n    name: s\n    model: m", "3: a profile's name is strong already; remove the line"),
        ("strong:\n    model: ' '", "3: model has an empty text"),
    ],
)
def test_every_mistake_has_its_line_and_what_to_write(tmp_path: Path, models: str, message: str) -> None:
    assert problem(tmp_path, f"  {models}\n").startswith(message)


NOT_HERE = (
    "(its value is not shown); keys are never in this file: put it into .env, and write the name of its"
)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (
            f"api_key: {SECRET}",
            "api_key (its value is not shown) does not belong in this file; put the key into .env, such as "
            "STRONG_KEY=…, and write `key_variable: STRONG_KEY`",
        ),
        (
            f"key_variable: {SECRET}",
            f"key_variable is no name of a variable {NOT_HERE} variable here, in capitals: "
            "`key_variable: STRONG_KEY`",
        ),
        ("key_variable: sk-abcdefgh12", f"key_variable looks like a key {NOT_HERE} variable here: `key_"),
        ("key_variable: COPYDESK_KEY", "COPYDESK_KEY would be a setting of Copydesk; choose a name"),
        (f"headers: {{api-key: {SECRET}}}", f"headers.api-key looks like a key {NOT_HERE} variable here: `"),
        ("headers: {X-Auth: tiny}", "headers.X-Auth looks like a key"),
        ("headers: {Authorization: Bearer abc}", "headers.Authorization looks like a key"),
        (f"query: {{code: {SECRET}}}", "query.code looks like a key"),
        ("headers: {x-a: a$}", "headers.x-a (its value is not shown) has a $ without a variable's name"),
        ("headers: {x-a: ü}", "headers.x-a (its value is not shown) has characters that no HTTP header can"),
        ("headers: {x a: b}", "'x a' is no header that can be added; write one such as api-key"),
        ("headers: {Host: b}", "'Host' is no header that can be added"),
        ("headers: {x-a: $COPYDESK_DESK_TOKEN}", "COPYDESK_DESK_TOKEN would be a setting of Copydesk"),
        ("headers: {x-a: 7}", "headers.x-a (its value is not shown) is not text; put it in quotes"),
        ("headers: [a]", "headers (its value is not shown) is not a mapping"),
        ("base_url: x.example/v1", "base_url (its value is not shown) is not an http(s) URL"),
        ("base_url: 'http://x.example:99999'", "base_url (its value is not shown) is not an http(s) URL"),
        (f"base_url: https://u:{SECRET}@x.example", "base_url holds a password (its value is not shown)"),
        (
            "base_url: https://x.example/news?api-version=1",
            "base_url has a query; write `query: {api-version: 2024-10-21}` for what follows the ?",
        ),
        (
            "base_url: https://x.example/v1/chat/completions",
            "base_url ends in /chat/completions, which every request adds; write the URL without it",
        ),
        ("server: olama", "server 'olama' is not one of openai, openrouter, ollama or local; did"),
        ("price: cheap", "price 'cheap' is no price; write 0.4/1.6"),
        ("price: 5", "price 5 is no price; write 0.4/1.6"),
        ("price: [1, 2]", "price (1, 2) is no price; write 0.4/1.6"),
        ("price: {a: 1}", "price {'a': 1} is no price; write 0.4/1.6"),
        ("max_in_flight: 0", "max_in_flight 0 is too small; write 1 or more"),
        ("timeout: .inf", "timeout inf is not a finite number"),
        ("max_tokens: '9'", "max_tokens '9' is not a whole number"),
        ("extra_body: {day: 2026-01-02}", "extra_body (its value is not shown) has a value that JSON does"),
        ("extra_body: {deep: [{k: 'sk-abcdefgh12'}]}", "extra_body.deep.0.k looks like a key"),
    ],
)  # fmt: skip
def test_no_mistake_in_a_field_shows_a_key(tmp_path: Path, field: str, message: str) -> None:
    found = problem(tmp_path, f"  strong:\n    model: m\n    {field}\n")
    assert found.startswith(f"4: {message}"), found


@pytest.mark.parametrize("field", sorted(ModelProfile.model_fields.keys() - {"name", "model"}))
def test_a_key_in_any_field_is_refused_and_not_shown(tmp_path: Path, field: str) -> None:
    for value in (SECRET, "sk-abcdefgh1234"):
        found = problem(tmp_path, f"  strong:\n    model: m\n    {field}: {value}\n")
        assert value not in found


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("", "    model: strnog\n", "12: model 'strnog' is not under models; did you mean strong?"),
        (
            "",
            "    fallbacks:\n      - strong\n      - cheep\n",
            "14: fallbacks 'cheep' is not under models; the",
        ),
        ("", "    fallbacks: cheap\n", "12: fallbacks 'cheap' is not a list; write it as [one, two]"),
        (
            "    model: nothing\n",
            "",
            "6: model 'nothing' is not under models; the choices are: default, strong",
        ),
    ],
)
def test_a_name_without_a_profile_is_a_mistake(tmp_path: Path, before: str, after: str, message: str) -> None:
    rest = FEEDS.replace("    vocabulary: [BTC]\n", f"    vocabulary: [BTC]\n{before}") + after
    assert problem(tmp_path, "  strong: {model: m}\n", rest).startswith(message)


def test_a_wrong_default_is_reported_where_it_is_written(tmp_path: Path) -> None:
    text = "defaults:\n  model: strnog\n" + FEEDS
    assert problem(tmp_path, "  strong: {model: m}\n", text).startswith(
        "4: model 'strnog' is not under models"
    )


@pytest.mark.parametrize(
    "text",
    ["2024-10-21", "org-1a2b3c4d5e6f7a8b9c0d1e2f", "https://news.example/about", "$$", "a b c", "v1.2"],
)
def test_what_is_no_key_is_taken(tmp_path: Path, text: str) -> None:
    models = f"  strong: {{model: m, headers: {{x-about: '{text}'}}, query: {{v: '{text}'}}}}\n"
    assert load_feeds(feeds_yaml(tmp_path, models)).models["strong"].headers == {"x-about": text}


@pytest.mark.parametrize(
    ("environ", "beat", "expected"),
    [
        ({}, None, None),
        ({"COPYDESK_VERIFIER": "default"}, None, "default"),
        ({"COPYDESK_VERIFIER": "strong"}, None, "strong"),
        ({"COPYDESK_VERIFIER": "strong"}, "off", None),
        ({"COPYDESK_VERIFIER": "off"}, "strong", "strong"),
        ({"COPYDESK_VERIFIER": "default", "COPYDESK_MODEL": "offline"}, None, None),
    ],
)
def test_a_beats_second_reader_is_its_own_or_that_of_the_settings(
    tmp_path: Path, environ: dict[str, str], beat: str | None, expected: str | None
) -> None:
    model = {"COPYDESK_MODEL": "m", "OPENAI_API_KEY": "k"}
    settings = load_settings(model | environ, tmp_path)
    assert verifier_of(settings, {"strong"}, Beat(key="crypto", verifier=beat)) == expected


def test_an_unknown_second_reader_of_the_settings_is_named(tmp_path: Path) -> None:
    settings = load_settings({"COPYDESK_VERIFIER": "strang"}, tmp_path)
    with pytest.raises(ConfigError, match=r"COPYDESK_VERIFIER 'strang' is no profile .* did you mean strong"):
        verifier_of(settings, {"strong"}, Beat(key="crypto"))
