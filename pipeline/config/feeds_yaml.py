"""Reads feeds.yaml; every mistake is reported with its line and what to write instead."""

import re
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr

from pipeline.config.feed_access import CUT_LOGIN_ADVICE, access_mistakes, login_advice, split_login
from pipeline.config.model_profiles import ModelProfile, ProfileUse, check_profile_names, parse_profiles
from pipeline.config.publish_targets import Target, parse_targets
from pipeline.config.validation import check_all, check_beat, check_feed, parse_record
from pipeline.config.yaml_source import (
    ConfigProblem,
    Loc,
    YamlDocument,
    config_error,
    did_you_mean,
    quoted,
    read_document,
)
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import Beat, FeedConfig, FrozenModel
from pipeline.domain.urls import may_hold_cut_login

MAX_BYTES = 5_000_000
"""Largest size of feeds.yaml, in bytes. Chosen, not measured."""

SECTIONS = ("defaults", "models", "beats", "feeds", "publish")
NO_DEFAULT = {"key", "previous_keys", "name", "url", "access"}
DEFAULTS = FeedConfig.model_fields.keys() - NO_DEFAULT


class Subscriptions(FrozenModel):
    """The content of feeds.yaml: beats by key, feeds and targets in the file's order, models by name."""

    beats: dict[str, Beat]
    feeds: tuple[FeedConfig, ...]
    publish: tuple[Target, ...] = ()
    models: dict[str, ModelProfile] = Field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    """What should be written otherwise, a line each."""
    logins: dict[str, SecretStr] = Field(default_factory=dict, exclude=True, repr=False)
    """`user:password` of the feeds, by key, in whose URLs it is written; the URLs are without it."""

    def feed(self, key: str) -> FeedConfig:
        """Return the feed called `key` now or formerly. Raises ConfigError where there is none."""
        for feed in self.feeds:
            if key == feed.key or key in feed.previous_keys:
                return feed
        raise ConfigError(
            f"feeds.yaml has no feed {quoted(key)}; {did_you_mean(key, [feed.key for feed in self.feeds])}",
            feed=key,
        )


def select_feeds(subscriptions: Subscriptions, keys: list[str] | None) -> list[FeedConfig]:
    """Return the enabled feeds, or those named, each once. Raises ConfigError for an unknown key."""
    if keys is None:
        return [feed for feed in subscriptions.feeds if feed.enabled]
    named = [subscriptions.feed(key) for key in keys]
    return list({feed.key: feed for feed in named}.values())


def served_name(name: str, host: str, process: int) -> str:
    """Return the name of the copy of feeds.yaml that the runs of one `copydesk serve` read."""
    return f".{name}.{re.sub(r'[^A-Za-z0-9-]', '-', host)}.{process}.served"


def _shown_name(path: Path) -> str:
    """Return the name of the file that its user edits."""
    copy = re.fullmatch(r"\.(.+)\.[A-Za-z0-9-]*\.\d+\.served", path.name)
    return copy[1] if copy else path.name


def load_feeds(path: Path, data: bytes | None = None) -> Subscriptions:
    """Return the subscriptions in the file `path`; `data` is its content where that is read already.

    Raises ConfigError. Its message is `feeds.yaml:LINE: what is wrong; what to write instead` for the first
    mistake; `context["problems"]` has one such line for each mistake. `context["missing"]` is true where the
    file does not exist or is empty.
    """
    text = _text(path, read_feeds_file(path) if data is None else data)
    document = read_document(text)
    if document.data is None and not document.problems:
        raise _missing(path, "is empty")
    subscriptions = None if document.problems else _subscriptions(document, path.parent)
    if subscriptions is None or document.problems:
        raise config_error(path.name, document.problems)
    warnings = tuple(f"{_shown_name(path)}:{each.line}: {each.text}" for each in document.warnings)
    return subscriptions.model_copy(update={"warnings": warnings})


def read_feeds_file(path: Path) -> bytes:
    """Return the content of a feeds.yaml. Raises ConfigError."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise _missing(path, "does not exist") from error
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror}); correct that", file=str(path)
        ) from error
    if len(data) > MAX_BYTES:
        raise ConfigError(
            f"{path} is larger than {MAX_BYTES:,} bytes; is it a list of feeds?", file=str(path)
        )
    return data


def _text(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise config_error(
            path.name, [ConfigProblem(line, "not UTF-8 text; save the file as UTF-8")]
        ) from error


def _missing(path: Path, problem: str) -> ConfigError:
    return ConfigError(
        f"{path} {problem}; run this in your newsroom folder, start one with `copydesk init`, or convert the "
        f"feeds of a feed reader: `copydesk feeds import SUBSCRIPTIONS.opml > {path.name}`",
        file=str(path),
        missing=True,
    )


def _subscriptions(document: YamlDocument, base: Path) -> Subscriptions | None:
    sections = _sections(document)
    if document.problems:
        return None
    defaults = _defaults(document, sections["defaults"])
    models = parse_profiles(document, sections["models"])
    beats = _beats(document, sections["beats"])
    feeds, logins = _feeds(document, sections["feeds"], defaults)
    targets = parse_targets(document, sections["publish"], base)
    if not document.problems:
        document.problems.extend(check_all(feeds, beats, document))
        uses = [ProfileUse(beat, ("beats", key)) for key, beat in beats.items()]
        uses += [ProfileUse(feed, ("feeds", index)) for index, feed in enumerate(feeds)]
        document.problems.extend(check_profile_names(uses, models, document))
    if document.problems:
        return None
    pairs = zip(feeds, sections["feeds"], strict=True)
    completed = tuple(_with_beat_models(feed, own, beats[feed.beat]) for feed, own in pairs)
    return Subscriptions(beats=beats, feeds=completed, publish=tuple(targets), models=models, logins=logins)


def _sections(document: YamlDocument) -> dict[str, Any]:
    """Return the sections; an empty one is an empty mapping or list."""
    data = document.data
    if not isinstance(data, dict):
        document.report((), f"not a mapping; write {', '.join(SECTIONS)} as in the sample")
        return {}
    for name in data.keys() - set(SECTIONS):
        document.report((name,), f"unknown section {quoted(name)}; {did_you_mean(name, SECTIONS)}")
    sections: dict[str, Any] = {name: () if name == "feeds" else {} for name in SECTIONS}
    sections |= {name: data[name] for name in SECTIONS if data.get(name) is not None}
    for name, section in sections.items():
        expected, form = (tuple, "- key: …") if name == "feeds" else (dict, "name: value")
        if not isinstance(section, expected):
            document.report((name,), f"{name} has another form than expected; write `{form}` lines under it")
    return sections


def _defaults(document: YamlDocument, raw: dict[str, Any]) -> dict[str, Any]:
    """Return the defaults by name; their values are checked in the feeds that inherit them."""
    for name in raw.keys() - DEFAULTS:
        document.report(("defaults", name), f"{name} cannot be a default; {did_you_mean(name, DEFAULTS)}")
    return {name: value for name, value in raw.items() if name in DEFAULTS}


def _beats(document: YamlDocument, raw: dict[str, Any]) -> dict[str, Beat]:
    beats = {}
    for key, value in raw.items():
        loc: Loc = ("beats", key)
        value = _renamed(document, loc, value) if value is not None else {}
        if isinstance(value, dict) and "example_texts" in value:  # they are the prompt's
            document.report((*loc, "example_texts"), "unknown field example_texts; remove it")
        beat = parse_record(document, loc, Beat, value, {"key": key})
        if beat:
            document.problems.extend(check_beat(beat, loc, document))
            beats[key] = beat
    return beats


def _renamed(document: YamlDocument, loc: Loc, value: object) -> object:
    """Return a beat with `verify`, the former name of `repair_sentences`, under its new name."""
    if not isinstance(value, dict) or "verify" not in value or "repair_sentences" in value:
        return value
    if not document.warnings:  # one for the file; beats come before feeds
        text = "verify is called repair_sentences now; rename it (the second reader is `verifier`)"
        document.warnings.append(ConfigProblem(document.line((*loc, "verify")), text))
    return {"repair_sentences" if name == "verify" else name: each for name, each in value.items()}


def _feeds(
    document: YamlDocument, raw: tuple[Any, ...], defaults: dict[str, Any]
) -> tuple[list[FeedConfig], dict[str, SecretStr]]:
    """Return the feeds, their URLs without logins, and these logins by key."""
    feeds, logins = [], {}
    for index, value in enumerate(raw):
        loc: Loc = ("feeds", index)
        feed = parse_record(document, loc, FeedConfig, value, defaults, DEFAULTS)
        if feed:
            url, login = split_login(feed.url)
            if login:
                logins[feed.key] = login
                text = login_advice(feed.url, feed.key)
                document.warnings.append(ConfigProblem(document.line((*loc, "url")), text))
                feed = feed.model_copy(update={"url": url})
            elif may_hold_cut_login(url):
                document.warnings.append(ConfigProblem(document.line((*loc, "url")), CUT_LOGIN_ADVICE))
            document.problems.extend(check_feed(feed, loc, document))
            for field, mistake in access_mistakes(feed.access):
                document.report((*loc, "access", *field), f"access: {mistake}")
            feeds.append(feed)
    return feeds, logins


def _with_beat_models(feed: FeedConfig, own: dict[str, Any], beat: Beat) -> FeedConfig:
    """Return a feed with its beat's model and fallbacks, which are stronger than those of `defaults`."""
    named = {name: getattr(beat, name) for name in ("model", "fallbacks")}
    return feed.model_copy(update={name: value for name, value in named.items() if value and name not in own})
