"""YAML text as plain values that remember their lines.

PyYAML's own loader forgets lines, and lets a key that is written twice win in silence.
"""

from dataclasses import dataclass, field
from typing import Any

import yaml

from pipeline.settings.problems import Problem, shown

Loc = tuple[str | int, ...]
"""The way to a value, as pydantic tells it: `("feeds", 2, "url")`."""

DEEPEST = 50
QUOTES = 'check the indentation, and put text that holds ": " or " #" in quotes'


@dataclass
class Document:
    """A file's values: mappings as dicts with text keys, lists as tuples, scalars as YAML 1.1 reads them."""

    data: Any = None
    lines: dict[Loc, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, loc: Loc) -> int:
        """Return the line of `loc`, or of the nearest thing around it, from 1."""
        while loc not in self.lines and loc:
            loc = loc[:-1]
        return self.lines.get(loc, 1)

    def report(self, loc: Loc, text: str) -> None:
        """Note a mistake at `loc`."""
        self.problems.append(Problem(self.line(loc), text))


def read_document(text: str) -> Document:
    """Return the one document in `text`; mistakes in it are told in `problems`, never raised."""
    document = Document()
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is not None:
            document.data = _Reader(loader, document).value(node, ())
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        document.problems.append(
            Problem(line, f"a character that YAML forbids ({error.character!r}); remove it")
        )
    except yaml.MarkedYAMLError as error:
        document.problems.append(_syntax(error))
    except RecursionError:
        document.problems.append(Problem(1, "nested too deeply; write it as in the sample"))
    return document


def _syntax(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    what = " ".join(f"{error.problem or error.context}".split())
    fix = "indent with spaces instead of tabs" if "'\\t'" in what else QUOTES
    fix = "put it in single quotes" if "unknown escape character" in what else fix
    return Problem(mark.line + 1 if mark else 1, f"not YAML: {what}; {fix}")


class _Reader:
    def __init__(self, loader: yaml.SafeLoader, document: Document) -> None:
        self.loader = loader
        self.document = document

    def problem(self, node: yaml.Node, text: str) -> None:
        self.document.problems.append(Problem(node.start_mark.line + 1, text))

    def value(self, node: yaml.Node, loc: Loc) -> object:
        self.document.lines.setdefault(loc, node.start_mark.line + 1)
        if len(loc) > DEEPEST:  # also where an anchor holds itself
            raise RecursionError
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, loc)
        if isinstance(node, yaml.SequenceNode):
            return tuple(self.value(child, (*loc, index)) for index, child in enumerate(node.value))
        return self.scalar(node)

    def scalar(self, node: yaml.Node) -> object:
        try:
            return self.loader.construct_object(node, deep=True)
        except ValueError:  # 2026-02-31 looks like a date, and is none
            self.problem(
                node, f"{shown(node.value)} is read as a date or number, and is none; put it in quotes"
            )
            return node.value

    def mapping(self, node: yaml.MappingNode, loc: Loc) -> dict[str, object]:
        self.report_twice(node)
        self.loader.flatten_mapping(node)
        found: dict[str, object] = {}
        for key, child in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name is None or not isinstance(self.scalar(key), str):
                self.problem(key, f"the name {shown(name)} is not text; put it in quotes")
                continue
            here = (*loc, name)
            self.document.lines[here] = key.start_mark.line + 1
            found[name] = self.value(child, here)
        return found

    def report_twice(self, node: yaml.MappingNode) -> None:
        first: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in first:
                self.problem(key, f"{key.value} is written twice, first in line {first[key.value]}; keep one")
            first.setdefault(key.value, key.start_mark.line + 1)
