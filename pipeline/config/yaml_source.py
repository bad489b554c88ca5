"""Reads an operator's YAML with the line of every value, and describes mistakes with their fix.

PyYAML's own loader keeps no lines, and silently takes the last of two equal keys.
"""

import contextlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.domain.errors import ConfigError
from pipeline.domain.feed_access import HIDDEN


@dataclass(frozen=True, order=True)
class ConfigProblem:
    """One mistake: its line (from 1; 0 where unknown), what is wrong and what to write instead."""

    line: int
    text: str


def config_error(file: str, problems: Sequence[ConfigProblem], **context: object) -> ConfigError:
    """Return the error for a file's mistakes: the first is the message, all are in `context["problems"]`."""
    ordered = sorted(set(problems))
    lines = [f"{file}:{problem.line}: {problem.text}" for problem in ordered]
    more = f" (and {len(lines) - 1} more in this file)" if len(lines) > 1 else ""
    return ConfigError(lines[0] + more, file=file, line=ordered[0].line, problems=tuple(lines), **context)


def quoted(value: object) -> str:
    """Return `value` for a one-line message: its repr, at most 60 characters; hidden if maybe a login."""
    text = repr(value)
    before, at, _ = text.rpartition("@")
    if at and (":" in before or "/" in before):  # `https://user:password@host`, also where it is no valid URL
        return HIDDEN
    return text if len(text) <= 60 else text[:57] + "..."


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return `did you mean X?`, or the list of choices where none is similar."""
    choices = sorted(choices)
    return closest_match(name, choices) or (
        f"the choices are: {', '.join(choices)}" if choices else "there are none"
    )


def closest_match(name: str, choices: Iterable[str]) -> str:
    """Return `did you mean X?`; empty where no choice is similar."""
    choices = sorted(choices)
    matches = get_close_matches(name, choices, n=1) or get_close_matches(name.upper(), choices, n=1)
    return f"did you mean {matches[0]}?" if matches else ""


ADVICE = {
    "string_type": "is not text; put it in quotes",
    "string_pattern_mismatch": "has other characters than a-z, 0-9, - and _; write it like my-feed",
    "int_type": "is not a whole number; write one without quotes, such as 20",
    "int_parsing": "is not a whole number; write one such as 8",
    "int_from_float": "is not a whole number; write one such as 8",
    "float_type": "is not a number; write one without quotes, such as 7",
    "float_parsing": "is not a number; write one such as 120",
    "decimal_parsing": "is not a number; write one such as 2.50",
    "decimal_type": "is not a number; write one such as 2.50",
    "finite_number": "is not a finite number; write one such as 120",
    "bool_type": "is neither true nor false; write one of the two without quotes",
    "bool_parsing": "is neither yes nor no; write one of the two",
    "tuple_type": "is not a list; write it as [one, two]",
    "dict_type": "is not a mapping; write `name: value` lines under it, indented",
    "model_type": "is not a mapping; write `name: value` lines under it, indented",
}


def suggestion(error: ErrorDetails) -> str:
    """Return what is wrong with a value, from pydantic's error, and what to write instead."""
    kind, limits = error["type"], error.get("ctx", {})
    if "ge" in limits or "gt" in limits:
        return (
            f"is too small; write {limits['ge']} or more" if "ge" in limits else "is not above zero; write 1"
        )
    if "le" in limits:
        return f"is too large; write {limits['le']} or less"
    if kind == "literal_error":
        return _choices(error)
    if kind == "value_error":
        return str(limits["error"])
    return ADVICE.get(kind, f"is wrong: {error['msg']}")


def _choices(error: ErrorDetails) -> str:
    expected = str(error["ctx"]["expected"])
    near = get_close_matches(str(error["input"]).lower(), re.findall(r"'([^']*)'", expected), n=1)
    hint = f"did you mean {near[0]}?" if near else "write one of them"
    return f"is not one of {expected.replace(chr(39), '')}; {hint}"


Loc = tuple[str | int, ...]
"""Location of a value, as in pydantic's errors: `("feeds", 2, "url")`."""

MAX_DEPTH = 50
"""Levels of nesting. Chosen, not measured."""
QUOTING_ADVICE = 'check the indentation, and put text that holds ": " or " #" in quotes'


@dataclass
class YamlDocument:
    """A file's values: mappings as dicts with text keys, lists as tuples, scalars as YAML 1.1 reads them."""

    data: Any = None
    lines: dict[Loc, int] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)
    warnings: list[ConfigProblem] = field(default_factory=list)
    """What is read, and should be written otherwise."""

    def line(self, loc: Loc) -> int:
        """Return the line of `loc`, or of the nearest value around it, from 1."""
        while loc not in self.lines and loc:
            loc = loc[:-1]
        return self.lines.get(loc, 1)

    def report(self, loc: Loc, text: str) -> None:
        """Add a mistake at `loc`."""
        self.problems.append(ConfigProblem(self.line(loc), text))


def read_document(text: str) -> YamlDocument:
    """Return the document in `text`; its mistakes are in `problems`, and are never raised."""
    document = YamlDocument()
    try:
        loader, node = _compose(text)
        if node is not None:
            document.data = _Reader(loader, document).value(node, ())
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        document.problems.append(
            ConfigProblem(line, f"a character that YAML forbids ({error.character!r}); remove it")
        )
    except yaml.MarkedYAMLError as error:
        document.problems.append(_syntax(error))
    except RecursionError:
        document.problems.append(ConfigProblem(1, "nested too deeply; write it as in the sample"))
    return document


_C_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's, ten times as fast, where PyYAML was built with it."""


def _compose(text: str) -> tuple[yaml.SafeLoader, yaml.Node | None]:
    """Return the root of a document with its loader; where anything is wrong, PyYAML's own words for it."""
    if _is_well_formed(text):
        with contextlib.suppress(yaml.YAMLError):
            loader = _C_LOADER(text)
            return loader, loader.get_single_node()
    loader = yaml.SafeLoader(text)
    return loader, loader.get_single_node()


def _is_well_formed(text: str) -> bool:
    """Return whether a text is YAML, and not nested too deeply.

    libyaml crashes the process where it makes nodes of many thousand levels.
    """
    depth = 0
    try:
        for event in yaml.parse(text, Loader=_C_LOADER):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                return False
    except (yaml.YAMLError, RecursionError, UnicodeError):  # libyaml reads UTF-8
        return False
    return True


def _syntax(error: yaml.MarkedYAMLError) -> ConfigProblem:
    mark = error.problem_mark or error.context_mark
    what = " ".join(f"{error.problem or error.context}".split())
    fix = "indent with spaces instead of tabs" if "'\\t'" in what else QUOTING_ADVICE
    fix = "put it in single quotes" if "unknown escape character" in what else fix
    return ConfigProblem(mark.line + 1 if mark else 1, f"not YAML: {what}; {fix}")


class _Reader:
    def __init__(self, loader: yaml.SafeLoader, document: YamlDocument) -> None:
        self.loader = loader
        self.document = document

    def problem(self, node: yaml.Node, text: str) -> None:
        self.document.problems.append(ConfigProblem(node.start_mark.line + 1, text))

    def value(self, node: yaml.Node, loc: Loc) -> object:
        self.document.lines.setdefault(loc, node.start_mark.line + 1)
        if len(loc) > MAX_DEPTH:  # also where an anchor contains itself
            raise RecursionError
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, loc)
        if isinstance(node, yaml.SequenceNode):
            return tuple(self.value(child, (*loc, index)) for index, child in enumerate(node.value))
        return self.scalar(node)

    def scalar(self, node: yaml.Node) -> object:
        try:
            return self.loader.construct_object(node, deep=True)
        except ValueError:  # 2026-02-31 looks like a date, but is none
            self.problem(
                node, f"{quoted(node.value)} is read as a date or number, and is none; put it in quotes"
            )
            return node.value

    def mapping(self, node: yaml.MappingNode, loc: Loc) -> dict[str, object]:
        self.report_duplicate_keys(node)
        self.loader.flatten_mapping(node)
        values: dict[str, object] = {}
        for key, child in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name is None or not isinstance(self.scalar(key), str):
                self.problem(key, f"the name {quoted(name)} is not text; put it in quotes")
                continue
            child_loc = (*loc, name)
            self.document.lines[child_loc] = key.start_mark.line + 1
            values[name] = self.value(child, child_loc)
        return values

    def report_duplicate_keys(self, node: yaml.MappingNode) -> None:
        first: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in first:
                self.problem(key, f"{key.value} is written twice, first in line {first[key.value]}; keep one")
            first.setdefault(key.value, key.start_mark.line + 1)


R = TypeVar("R", bound=BaseModel)


def read_record(path: Path, text: str, shape: type[R], *, before: int = 0) -> R:
    """Return the record in `text`, which begins after line `before` of the file. Raises ConfigError."""
    document = read_document(text)
    if document.problems:
        first = document.problems[0]
        raise entry_error(path, before + first.line, first.text)
    try:
        return shape.model_validate(document.data)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        raise entry_error(path, before + document.line(detail["loc"]), _describe(detail, shape)) from error


def _describe(detail: ErrorDetails, shape: type[BaseModel]) -> str:
    loc = detail["loc"]
    name = ".".join(map(str, loc)) or "all of it"
    if detail["type"] == "extra_forbidden":
        field_names = shape.model_fields if len(loc) == 1 else ()
        return f"unknown key {name}; {did_you_mean(name, field_names) if field_names else 'remove it'}"
    if detail["type"] == "missing":
        return f"{name} is missing; add `{loc[-1]}: …`"
    return f"{name} {quoted(detail['input'])} {suggestion(detail)}"


def read_text(path: Path) -> tuple[bytes, str]:
    """Return a file's bytes and its text. Raises ConfigError where it cannot be read or is not UTF-8."""
    try:
        content = path.read_bytes()
        return content, content.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}", file=path) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8; save it as such", file=path) from error


def entry_error(path: Path, line: int, problem: str) -> ConfigError:
    """Return the error for a mistake in a file."""
    return ConfigError(f"{path}:{line}: {problem}", file=path, line=line)
