"""Adds the keys of a site generator to the front matter of an approved article. Pure and deterministic."""

import re
from collections.abc import Mapping
from html import escape
from pathlib import PurePosixPath
from typing import Any

from pipeline.articles.front_matter import dumps, loads
from pipeline.articles.markdown import without_controls
from pipeline.config.site_keys import KeySource, SiteFrontMatter
from pipeline.domain.errors import PublishError

_SEPARATOR = ";"
"""Separator of list items in a line: the items may have commas."""
_OPENING = re.compile(r'(?<![^\s([{])"(?=\S)')
_CLOSING = re.compile('"')
_ANGLES = str.maketrans("<>", "‹›")


def to_site_front_matter(target: SiteFrontMatter, path: str, text: str) -> str:
    """Return an article's text with the keys that the target adds, if it adds any.

    A key without a value in the article is left out. Raises OutputError where the front matter cannot be read
    or written, PublishError for a value that the target's format cannot represent.
    """
    keys = target.added
    if not keys:
        return text
    metadata, body = loads(text, path)
    values = {name: _value(origin, metadata, path) for name, origin in keys.items()}
    added = {name: value for name, value in values.items() if value is not None}
    if target.as_lines:
        return "".join(_line(path, name, value) for name, value in added.items()) + "\n" + body.lstrip("\n")
    for name, value in added.items():
        _put(metadata, name.split("."), value)
    return dumps(metadata, body)


def _value(origin: KeySource, metadata: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - of YAML
    if origin.key is not None:
        return _look_up(metadata, origin.key)
    if origin.pattern is None:
        return origin.value
    stem, identity = path.removesuffix(".md"), metadata.get("externalId")
    if "{id}" in origin.pattern and identity is None:
        return None
    filled = origin.pattern.replace("{path}", stem).replace("{slug}", PurePosixPath(stem).name)
    return filled.replace("{id}", str(identity))


def _look_up(metadata: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 - of YAML
    at: Any = metadata
    for part in key.split("."):
        at = at.get(part) if isinstance(at, dict) else None
    return at


def _put(metadata: dict[str, Any], names: list[str], value: object) -> None:
    """Set a nested value; mappings on the way are copied, since other keys may share them."""
    *above, last = names
    for name in above:
        inner = metadata.get(name)
        metadata[name] = dict(inner) if isinstance(inner, dict) else {}
        metadata = metadata[name]
    metadata[last] = value


def _line(path: str, name: str, value: object) -> str:
    """Return `name: value` as Python-Markdown reads it, without quotes; empty for an empty text."""
    parts = list(value) if isinstance(value, list | tuple) else [value]
    if any(isinstance(part, dict | list) for part in parts):
        raise PublishError(
            f"{path}: {name} is no text, and cannot be published in lines; correct the front matter"
        )
    texts = [_plain_value(part) for part in parts]
    if isinstance(value, list | tuple):
        text = _join_items([" ".join(text.replace(_SEPARATOR, " ").split()) for text in texts])
    else:
        text = escape(texts[0])
    return f"{name}: {text}\n" if text else ""


def _plain_value(value: object) -> str:
    """Return a value as one line, with typographic characters in place of `<`, `>` and double quotes.

    Pelican's themes write values into pages unescaped, in some places with entities decoded, so no escaping
    is safe everywhere.
    """
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = " ".join(without_controls(text).split())
    return _CLOSING.sub("”", _OPENING.sub("“", text)).translate(_ANGLES)


def _join_items(items: list[str]) -> str:
    """Join items so that none is split at its commas."""
    joined = f"{_SEPARATOR} ".join(item for item in items if item)
    return f"{joined}{_SEPARATOR}" if "," in joined and _SEPARATOR not in joined else joined
