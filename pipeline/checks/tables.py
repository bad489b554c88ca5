"""What the checks know of each language: tables under `languages/<code>/`, one file a kind of check."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "languages"


def table(language: str, kind: str) -> Mapping[str, Any] | None:
    """Return a language's table for a kind of check; None: that kind is not checked in it.

    `language` is a tag such as `en-GB`; its primary subtag counts.
    """
    return _read(language.lower().replace("_", "-").partition("-")[0], kind)


@lru_cache(maxsize=256)
def _read(code: str, kind: str) -> Mapping[str, Any] | None:
    path = _FOLDER / code / f"{kind}.toml"
    if not code.isalpha() or not path.is_file():
        return None
    return tomllib.loads(path.read_text("utf-8"))
