"""Model profiles: reads the section `models:` of feeds.yaml as records, and checks who names them."""

import json
from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

from pipeline.config.env_values import http_url, rates
from pipeline.config.secret_texts import (
    KEY_START,
    RANDOM,
    TO_ENV,
    header_mistakes,
    how,
    shown,
    text_mistakes,
    variable_mistakes,
)
from pipeline.config.settings import ServerKind
from pipeline.config.validation import KEY, locate, parse_record, string_fields
from pipeline.config.yaml_source import ConfigProblem, Loc, YamlDocument, did_you_mean, quoted
from pipeline.domain.feed_access import HIDDEN
from pipeline.domain.models import DEFAULT_PROFILE, VERIFIER_OFF, Beat, FeedConfig, FrozenModel

RESERVED = {
    DEFAULT_PROFILE: "default is the profile of .env (COPYDESK_MODEL)",
    "offline": "offline means that no model writes",
    VERIFIER_OFF: "off means that no second reader reads",
}
"""Names that a profile cannot have, and why."""
_OWN_FIELDS_FOR_KEYS = {"key", "api_key", "apikey", "api-key", "token", "secret", "password"}
"""What a user may call a key by mistake; here only variables are named."""
_ANY_TEXT = {"model", "base_url", "extra_body", "headers", "query", "key_variable"}
"""Fields that may hold long texts, or that have a check of their own."""


def _date_as_text(value: object) -> object:
    """Return a date as YAML had it: unquoted, an api-version such as 2024-10-21 is read as a date."""
    return value.isoformat() if type(value) is date else value


def _json(value: dict[str, Any]) -> dict[str, Any]:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError("has a value that JSON does not have; put it in quotes") from None
    return value


Texts = dict[str, Annotated[str, BeforeValidator(_date_as_text)]]


class ModelProfile(FrozenModel):
    """A model on a server, as feeds.yaml describes it; its secrets are variables that are only named."""

    name: str
    model: str
    base_url: Annotated[str, AfterValidator(http_url)] | None = Field(default=None, repr=False)
    """None: the server of `.env`."""
    key_variable: str | None = None
    """Name of the variable that holds the key; None: no key, or that of `.env` with its server."""
    headers: Texts = Field(default_factory=dict, repr=False)
    """Sent with every request; values are SecretTemplates."""
    query: Texts = Field(default_factory=dict, repr=False)
    """Query of every request; values are SecretTemplates."""
    server: ServerKind | None = None
    price: Annotated[tuple[Decimal, Decimal, Decimal], BeforeValidator(rates)] | None = None
    """US dollars per million tokens: prompt, cached prompt, completion."""
    max_in_flight: int | None = Field(default=None, ge=1, le=256)
    """Calls of one run at the same time; None: as in `.env`, as for `timeout` and `deadline`."""
    calls_per_minute: int | None = Field(default=None, ge=1, le=1_000_000)
    """Calls of all runs on the database in any minute."""
    timeout: float | None = Field(default=None, gt=0, le=3600, allow_inf_nan=False)
    """Seconds for one attempt."""
    deadline: float | None = Field(default=None, gt=0, le=86_400, allow_inf_nan=False)
    """Seconds for one item, all attempts included."""
    max_tokens: int | None = Field(default=None, ge=16, le=1_000_000)
    temperature: float | None = Field(default=None, ge=0, le=2, allow_inf_nan=False)
    seed: int | None = None
    extra_body: Annotated[dict[str, Any], AfterValidator(_json)] = Field(default_factory=dict)


_EXAMPLE = "write one such as `strong: {model: gpt-4.1, key_variable: STRONG_KEY}`"


def parse_profiles(document: YamlDocument, raw: dict[str, Any]) -> dict[str, ModelProfile]:
    """Return the profiles of the section by name. Reports mistakes; no message shows a secret."""
    profiles = {}
    for name, value in raw.items():
        loc: Loc = ("models", name)
        if name in RESERVED:
            document.report(loc, f"{RESERVED[name]}; give this profile another name")
        elif not KEY.fullmatch(name):
            document.report(
                loc, f"{quoted(name)} cannot be a profile's name; write it like my-model (a-z, 0-9, - and _)"
            )
        elif not isinstance(value, dict):
            document.report(loc, f"{name} is no profile; {_EXAMPLE}")
        elif profile := _profile(document, loc, name, value):
            profiles[name] = profile
    return profiles


def _profile(document: YamlDocument, loc: Loc, name: str, value: dict[str, Any]) -> ModelProfile | None:
    if keys := [*_keys_in(value, ())]:
        for field, text in keys:
            document.report((*loc, *field), text)
        return None
    if "name" in value:
        document.report((*loc, "name"), f"a profile's name is {name} already; remove the line")
    fields = {key: each for key, each in value.items() if key != "name"}
    profile = parse_record(document, loc, ModelProfile, fields, {"name": name})
    if profile:
        document.problems.extend(string_fields(profile, loc, document))
        for field, text in _mistakes(profile):
            document.report((*loc, *field), text)
    return profile


def _keys_in(value: object, field: Loc) -> Iterator[tuple[Loc, str]]:
    """Yield the values that look like keys, with what to do; no value is shown."""
    if isinstance(value, dict):
        for name, each in value.items():
            if not field and name.lower() in _OWN_FIELDS_FOR_KEYS:
                fix = "put the key into .env, such as STRONG_KEY=…, and write `key_variable: STRONG_KEY`"
                yield (name,), f"{name} {HIDDEN} does not belong in this file; {fix}"
            else:
                yield from _keys_in(each, (*field, name))
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from _keys_in(each, (*field, index))
    elif isinstance(value, str) and (
        KEY_START.search(value) or (field[0] not in _ANY_TEXT and RANDOM.search(value))
    ):
        yield field, f"{shown(field)} looks like a key {TO_ENV}{how(field)}"


def _mistakes(profile: ModelProfile) -> Iterator[tuple[Loc, str]]:
    """Yield what is wrong with the fields of a profile, beyond their types."""
    if profile.base_url is not None:
        yield from ((("base_url",), text) for text in _url_mistakes(profile.base_url))
    if profile.key_variable is not None:
        yield from variable_mistakes(("key_variable",), profile.key_variable)
    for name, text in profile.headers.items():
        yield from header_mistakes(("headers", name), name, text)
    for name, text in profile.query.items():
        yield from text_mistakes(("query", name), text)


def _url_mistakes(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        yield f"base_url holds a password {TO_ENV}: `headers: {{Authorization: Basic $SERVER_LOGIN}}`"
    if parts.query or parts.fragment:
        yield "base_url has a query; write `query: {api-version: 2024-10-21}` for what follows the ?"
    if parts.path.rstrip("/").endswith("/completions"):
        yield "base_url ends in /chat/completions, which every request adds; write the URL without it"


class ProfileUse(NamedTuple):
    """A beat or feed that names profiles, and its location."""

    record: Beat | FeedConfig
    loc: Loc


def check_profile_names(
    uses: Collection[ProfileUse], profiles: Collection[str], document: YamlDocument
) -> Iterator[ConfigProblem]:
    """Yield a mistake for each profile that a beat or feed names and that there is not."""
    known_names = {*profiles, DEFAULT_PROFILE}
    for record, loc in uses:
        named: list[tuple[Loc, str | None]] = [(("model",), record.model)]
        named += [(("fallbacks", index), name) for index, name in enumerate(record.fallbacks)]
        if isinstance(record, Beat) and record.verifier != VERIFIER_OFF:
            named.append((("verifier",), record.verifier))
        for field, name in named:
            if name is not None and name not in known_names:
                text = f"{field[0]} {quoted(name)} is not under models; {did_you_mean(name, known_names)}"
                yield ConfigProblem(locate(document, loc, field), text)
