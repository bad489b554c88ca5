"""Reads and writes front matter: YAML between two lines `---`, then the body, unchanged byte by byte.

python-frontmatter itself strips the body, sorts keys, and silently returns no metadata on a byte order mark
or a missing closing line. `FrontMatterHandler` can be passed to `frontmatter.loads` and `frontmatter.dumps`.
`loads` and `dumps` here do the same without stripping the body.
"""

import re
from copy import deepcopy
from functools import lru_cache
from typing import Any

import frontmatter
import yaml
from frontmatter.default_handlers import YAMLHandler

from pipeline.articles.yaml_dump import dump_mapping, load_document, replace_unwritable
from pipeline.domain.errors import OutputError

_OPENING = re.compile(r"\ufeff?---[ \t]*(?:\r\n|\n)")
_CLOSING = re.compile(r"^---[ \t]*(?:\r\n|\n|\Z)", re.MULTILINE)
_MAX_CACHED_CHARS = 20_000
"""Of front matter whose values are cached: one approval reads the same text six times, 5 ms each."""
_FIRST_LINE = 2
"""Line of the file at which the YAML begins."""


class FrontMatterHandler(YAMLHandler):
    """python-frontmatter handler for Copydesk's files."""

    def split(self, text: str) -> tuple[str, str]:
        """Return the YAML and the body. A byte order mark and CRLF are accepted. Raises OutputError."""
        opening = _OPENING.match(text)
        if not opening:
            raise _error("does not begin with a line `---`; put the front matter first", 1)
        closing = _CLOSING.search(text, opening.end())
        if not closing:
            raise _error("has no line `---` that ends the front matter; add it above the body", 1)
        return text[opening.end() : closing.start()], text[closing.end() :]

    def load(self, fm: str, **_kwargs: object) -> dict[str, Any]:
        """Return the mapping in the YAML. Raises OutputError, with the line in the file where known."""
        try:
            loaded = load_document(fm)
        except RecursionError:
            raise _error("has front matter nested too deeply; make it flatter", None) from None
        except (yaml.YAMLError, ValueError) as error:
            raise _error(f"has front matter that is not YAML: {_reason(error)}", _line(error, fm)) from None
        if not isinstance(loaded, dict):
            raise _error("has front matter without keys; write `key: value` lines", _FIRST_LINE)
        return loaded

    def export(self, metadata: dict[str, object], **_kwargs: object) -> str:
        """Return the YAML, ending with a line end. Raises OutputError for what YAML readers disagree on."""
        try:
            return dump_mapping(metadata)
        except (TypeError, ValueError) as error:
            raise OutputError(f"The front matter cannot be written: {error}") from None

    def format(self, post: frontmatter.Post, **_kwargs: object) -> str:
        """Return the whole file."""
        return f"---\n{self.export(post.metadata)}---\n{replace_unwritable(post.content)}"


_HANDLER = FrontMatterHandler()


def loads(text: str, path: str = "The file") -> tuple[dict[str, Any], str]:
    """Return (metadata, body) of an article's file.

    Only null, true, false, plain integers and decimals are typed; an unquoted date stays text. Raises
    OutputError (context: path, line) where the front matter is missing, not closed or no mapping, or has a
    duplicate key, an alias or a tag. `path` names the file in the message.
    """
    try:
        front, body = _HANDLER.split(text)
        loaded = _loaded(front) if len(front) <= _MAX_CACHED_CHARS else _HANDLER.load(front)
        return deepcopy(loaded), body
    except OutputError as error:
        raise OutputError(f"{path} {error.message}", path=path, **error.context) from None


@lru_cache(maxsize=64)
def _loaded(front: str) -> dict[str, Any]:
    return _HANDLER.load(front)


def dumps(metadata: dict[str, Any], body: str) -> str:
    """Return the file's text; `loads` is the inverse.

    Lone surrogates become U+FFFD. Raises OutputError for types that YAML readers do not agree on.
    """
    post = frontmatter.Post(body, _HANDLER)
    post.metadata = metadata  # passed as keywords, `content` and `handler` could not be keys
    return str(frontmatter.dumps(post))


def decode(data: bytes, path: str) -> str:
    """Return the text of a file's bytes, byte order mark included. Raises OutputError where not UTF-8."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        at = error.start
    else:
        at = text.find("\0")  # UTF-16; no UTF-8 text of an article has NUL
    if at >= 0:
        raise OutputError(f"{path} is not UTF-8 (byte {at}); save it as UTF-8", path=path)
    return text


def plain_lines(text: str) -> str:
    """Return a file's text without byte order mark and with LF line ends."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _error(what: str, line: int | None) -> OutputError:
    where = f" (line {line})" if line else ""
    return OutputError(what + where, line=line)


def _reason(error: Exception) -> str:
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    return " ".join(str(problem).split())


def _line(error: Exception, front: str) -> int | None:
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return int(mark.line) + _FIRST_LINE
    position = getattr(error, "position", None)  # a character that YAML does not allow
    return None if position is None else front.count("\n", 0, position) + _FIRST_LINE
