"""A prompt's YAML as a record; every mistake is told with file and line."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.errors import ConfigError
from pipeline.settings.problems import advice, did_you_mean, shown
from pipeline.settings.yamlnodes import read_document

R = TypeVar("R", bound=BaseModel)


def read_record(path: Path, text: str, shape: type[R], *, before: int = 0) -> R:
    """Return what `text` says, which begins behind line `before` of the file. Raises ConfigError."""
    document = read_document(text)
    if document.problems:
        first = document.problems[0]
        raise wrong(path, before + first.line, first.text)
    try:
        return shape.model_validate(document.data)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        raise wrong(path, before + document.line(detail["loc"]), _sentence(detail, shape)) from error


def _sentence(detail: ErrorDetails, shape: type[BaseModel]) -> str:
    loc = detail["loc"]
    name = ".".join(map(str, loc)) or "all of it"
    if detail["type"] == "extra_forbidden":
        known = shape.model_fields if len(loc) == 1 else ()
        return f"unknown key {name}; {did_you_mean(name, known) if known else 'remove it'}"
    if detail["type"] == "missing":
        return f"{name} is missing; add `{loc[-1]}: …`"
    return f"{name} {shown(detail['input'])} {advice(detail)}"


def read_text(path: Path) -> tuple[bytes, str]:
    """Return a file's bytes and its text. Raises ConfigError where it cannot be read or is not UTF-8."""
    try:
        content = path.read_bytes()
        return content, content.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}", file=path) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8; save it as such", file=path) from error


def wrong(path: Path, line: int, what: str) -> ConfigError:
    """Return the error for a mistake in a file."""
    return ConfigError(f"{path}:{line}: {what}", file=path, line=line)
