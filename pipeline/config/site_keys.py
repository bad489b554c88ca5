"""Front matter keys that a target adds for a static site generator: `preset`, `front_matter`."""

import math
import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from pipeline.config.yaml_source import closest_match
from pipeline.domain.models import FrozenModel

Constant = str | bool | int | float | tuple[str, ...]

_COVER = (
    "raw",
    "full",
    "regular",
    "small",
    "thumb",
    "small_s3",
    "alt",
    "credit",
    "credit.name",
    "credit.url",
)
_SOURCE = ("name", "key", "type", "url", "author", "title", "also")
_AI = (
    "rewritten",
    "expandedAt",
    "version",
    "model",
    "prompt",
    "checks",
    "checks.open",
    "checks.acknowledged",
    "disclosure",
)
ARTICLE_KEYS = frozenset(
    (
        "title", "description", "publishedAt", "updatedAt", "lang", "externalId", "source", "category",
        "tags", "stickyWeight", "sentiment", "score", "draft", "coverImage", "ai", "review",
        *(f"source.{key}" for key in _SOURCE),
        *(f"coverImage.{key}" for key in _COVER),
        *(f"ai.{key}" for key in _AI),
        *(f"review.{key}" for key in ("by", "at", "note", "level", "proof")),
    )
)  # fmt: skip
"""Keys of the front matter of approved articles; a dot separates the keys of nested mappings."""
PLACEHOLDERS = ("{slug}", "{path}", "{id}")

_NESTED = {key.rpartition(".")[0] for key in ARTICLE_KEYS} | {"source.also"}
"""Keys whose value is a mapping or a list of mappings."""
_ATTESTED = {key.casefold(): key for key in ("source", "ai", "externalId")}
"""Keys that no target may replace, by their case-folded form: some generators ignore case."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z_][A-Za-z0-9_-]*)*")
_BRACED = re.compile(r"\{[^{}]*\}|[{}]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class KeySource(FrozenModel):
    """Source of a key's value at a target: the one field that is set."""

    key: str | None = None
    """A key of the article; a dot separates nested keys."""
    pattern: str | None = None
    """Text with `{slug}`, `{path}`, `{id}` in it."""
    value: Constant | None = None
    """The same for every article."""


def key_source(written: object) -> KeySource:
    """Return the source that `publishedAt`, `'{slug}'` or `{value: post}` names. Raises ValueError."""
    if isinstance(written, KeySource):
        return written
    if isinstance(written, dict) and written.keys() == {"value"}:
        return KeySource(value=_constant(written["value"]))
    if not isinstance(written, str):
        shown = "true" if written is True else "false" if written is False else "…"
        raise ValueError(
            "is no key of an article, such as publishedAt; "
            f"for the same value in every article write {{value: {shown}}}"
        )
    braced = _BRACED.findall(written)
    if braced:
        return _pattern(written, braced)
    if written not in ARTICLE_KEYS:
        fix = closest_match(written, ARTICLE_KEYS) or "for the same text in every article write {value: …}"
        raise ValueError(f"is no key of an article, such as publishedAt or source.name; {fix}")
    return KeySource(key=written)


def _pattern(written: str, braced: list[str]) -> KeySource:
    for placeholder in braced:
        if placeholder not in PLACEHOLDERS:
            fix = closest_match(placeholder, PLACEHOLDERS) or f"the choices are: {', '.join(PLACEHOLDERS)}"
            raise ValueError(f"has the unknown placeholder {placeholder}; {fix}")
    return KeySource(pattern=_one_line(written))


def _constant(value: object) -> Constant:
    if isinstance(value, str):
        return _one_line(value)
    if isinstance(value, bool | int | float):
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("is no finite number; write one such as 1.5, or put it in quotes")
        return value
    if isinstance(value, tuple | list) and all(isinstance(each, str) for each in value):
        return tuple(map(_one_line, value))
    raise ValueError(
        "has a value that is neither text, a number, true, false nor a list of texts; put a date in quotes"
    )


def _one_line(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("has a line break or control character; write it on one line")
    return text


Preset = Literal["astro", "eleventy", "hugo", "jekyll", "pelican", "zola"]

_PRESETS: dict[Preset, dict[str, str]] = {
    # The keys of Astro's own blog template.
    "astro": {"pubDate": "publishedAt", "updatedDate": "updatedAt"},
    "eleventy": {"date": "publishedAt"},
    "hugo": {"date": "publishedAt", "lastmod": "updatedAt"},
    # `last_modified_at` is read by the plugins for feeds, sitemaps and SEO.
    "jekyll": {"date": "publishedAt", "last_modified_at": "updatedAt"},
    # Pelican's default reader takes only lines of `key: value`, so these are all keys.
    "pelican": {
        "title": "title",
        "date": "publishedAt",
        "modified": "updatedAt",
        "slug": "{slug}",
        "lang": "lang",
        "category": "category",
        "tags": "tags",
        "description": "description",
        "external_id": "externalId",
        "source_name": "source.name",
        "source_url": "source.url",
        "cover": "coverImage.regular",
        "cover_alt": "coverImage.alt",
        "cover_credit": "coverImage.credit.name",
        "cover_credit_url": "coverImage.credit.url",
    },
    # Zola drops unknown keys, except under `extra`.
    "zola": {
        "date": "publishedAt",
        "updated": "updatedAt",
        "extra.lang": "lang",
        "extra.externalId": "externalId",
        "extra.source": "source",
        "extra.category": "category",
        "extra.tags": "tags",
        "extra.coverImage": "coverImage",
    },
}
_LINE_PRESETS: frozenset[Preset | None] = frozenset({"pelican"})


class SiteFrontMatter(FrozenModel):
    """Keys that a target adds to the front matter; without any, articles are sent as approved."""

    preset: Preset | None = None
    """The site generator whose keys are added."""
    front_matter: dict[str, Annotated[KeySource, BeforeValidator(key_source)]] = Field(default_factory=dict)
    """Further keys at the target; they override the preset. A dot separates nested keys."""

    @property
    def added(self) -> dict[str, KeySource]:
        """The added keys and the sources of their values."""
        preset = _PRESETS[self.preset] if self.preset else {}
        return {name: key_source(written) for name, written in preset.items()} | self.front_matter

    @property
    def as_lines(self) -> bool:
        """Whether only these keys are written, as lines of `key: value` instead of YAML."""
        return self.preset in _LINE_PRESETS


def check_site_keys(target: SiteFrontMatter) -> Iterator[tuple[str, str]]:
    """Yield (key, problem) for each key that a target's front matter cannot have."""
    names = set(target.front_matter)
    for name, source in target.front_matter.items():
        above = {name[: dot.start()] for dot in re.finditer(r"\.", name)} & names
        if not _NAME.fullmatch(name):
            yield name, "is no key's name; write one such as date or extra.author (a-z, A-Z, 0-9, - and _)"
        elif attested := _ATTESTED.get(name.partition(".")[0].casefold()):
            other = f"extra{'_' if target.as_lines else '.'}{attested}"
            yield (
                name,
                f"would replace {attested}: attribution and AI notice are part of every article; "
                f"choose another name, such as {other}",
            )
        elif above:
            yield name, f"is inside {min(above)}, which is set here as well; keep one of the two"
        elif target.as_lines and "." in name:
            yield name, f"has a dot, and {target.preset} reads no nested keys; write {name.replace('.', '_')}"
        elif target.as_lines and source.key in _NESTED:
            yield (
                name,
                f"is {source.key}, no text, and {target.preset} reads text alone; {_fix(source.key)}",
            )


def _fix(nested: str) -> str:
    inner = sorted(key for key in ARTICLE_KEYS - _NESTED if key.startswith(f"{nested}."))
    return f"name one of its keys, such as {inner[0]}" if inner else "remove the line"
