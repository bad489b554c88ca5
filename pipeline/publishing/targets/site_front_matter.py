"""An article as it stands at a target: the approved text, with the keys that the site's generator wants.

A pure function of the approved text, its path and the target's settings: the same again gives the same bytes.
"""

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
"""Between the items of a list in a line, as they may hold commas."""
_OPENING = re.compile(r'(?<![^\s([{])"(?=\S)')
_CLOSING = re.compile('"')
_ANGLES = str.maketrans("<>", "‹›")


def to_site_front_matter(target: SiteFrontMatter, path: str, text: str) -> str:
    """Return an article's text for a target that adds keys, else the text as it is.

    A key whose value the article lacks is left out. Raises OutputError where the text has no front matter
    that can be read or written, PublishError for a value that the target cannot hold.
    """
    keys = target.added
    if not keys:
        return text
    metadata, body = loads(text, path)
    found = {name: _value(origin, metadata, path) for name, origin in keys.items()}
    added = {name: value for name, value in found.items() if value is not None}
    if target.as_lines:
        return "".join(_line(path, name, value) for name, value in added.items()) + "\n" + body.lstrip("\n")
    for name, value in added.items():
        _put(metadata, name.split("."), value)
    return dumps(metadata, body)


def _value(origin: KeySource, metadata: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - of YAML
    if origin.key is not None:
        return _looked_up(metadata, origin.key)
    if origin.pattern is None:
        return origin.value
    stem, identity = path.removesuffix(".md"), metadata.get("externalId")
    if "{id}" in origin.pattern and identity is None:
        return None
    filled = origin.pattern.replace("{path}", stem).replace("{slug}", PurePosixPath(stem).name)
    return filled.replace("{id}", str(identity))


def _looked_up(metadata: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401 - of YAML
    at: Any = metadata
    for part in key.split("."):
        at = at.get(part) if isinstance(at, dict) else None
    return at


def _put(metadata: dict[str, Any], names: list[str], value: object) -> None:
    """Set a value, whose mappings on the way are copied: they may stand elsewhere too."""
    *above, last = names
    for name in above:
        inner = metadata.get(name)
        metadata[name] = dict(inner) if isinstance(inner, dict) else {}
        metadata = metadata[name]
    metadata[last] = value


def _line(path: str, name: str, value: object) -> str:
    """Return `name: value` as Python-Markdown reads it, which has no quotes; nothing for an empty text."""
    parts = list(value) if isinstance(value, list | tuple) else [value]
    if any(isinstance(part, dict | list) for part in parts):
        raise PublishError(
            f"{path}: {name} is no text, and cannot be published in lines; correct the front matter"
        )
    texts = [_harmless(part) for part in parts]
    if isinstance(value, list | tuple):
        told = _listed([" ".join(text.replace(_SEPARATOR, " ").split()) for text in texts])
    else:
        told = escape(texts[0])
    return f"{name}: {told}\n" if told else ""


def _harmless(value: object) -> str:
    """Return a value in one line, with typographic signs in place of those that begin and end HTML.

    Pelican's themes put values into pages as they are, at places with their entities resolved: no way of
    escaping holds everywhere.
    """
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = " ".join(without_controls(text).split())
    return _CLOSING.sub("”", _OPENING.sub("“", text)).translate(_ANGLES)


def _listed(items: list[str]) -> str:
    """Join items so that none is parted at its commas."""
    told = f"{_SEPARATOR} ".join(item for item in items if item)
    return f"{told}{_SEPARATOR}" if "," in told and _SEPARATOR not in told else told
