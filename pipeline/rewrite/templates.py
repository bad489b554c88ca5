"""Reads a template under prompts/: front matter, what is told to every item, and the item's own part."""

import re
from dataclasses import dataclass
from pathlib import Path

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.nodes import Name
from jinja2.nodes import Template as Tree
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import Field

from pipeline.errors import ConfigError
from pipeline.models import Record
from pipeline.rewrite.yamlfile import read_record, wrong
from pipeline.settings.problems import did_you_mean

FIXED = frozenset(
    {"market", "tone", "language", "vocabulary", "overview", "from_author", "impact", "examples"}
)
"""Variables that are alike for every item of a feed; all that a system part may use."""

PER_ITEM = frozenset({"marker", "item"})
"""Variables that differ with every request; the user part needs both."""

_FILE = re.compile(
    r"\A---\n(?P<front>.*?\n)---\n\s*?^# system\n(?P<system>.*?)^# user\n(?P<user>.*)\Z", re.S | re.M
)


class Hints(Record):
    """What a prompt wants of a request; the operator's settings win."""

    temperature: float | None = Field(default=None, ge=0, le=2)
    max_tokens: int | None = Field(default=None, ge=16)


class Front(Record):
    """The front matter of a template."""

    name: str
    variables: tuple[str, ...]
    examples: tuple[str, ...] = ()
    """Names of files in the folder `examples` beside the template, without their ending."""
    hints: Hints = Hints()


@dataclass(frozen=True)
class Parts:
    """A template's parts, compiled."""

    front: Front
    system: Template
    user: Template


def read_parts(path: Path, text: str) -> Parts:
    """Return the parts of a template's text. Raises ConfigError with file and line."""
    found = _FILE.match(text)
    if found is None:
        raise wrong(path, 1, "needs front matter between two lines `---`, then `# system`, then `# user`")
    front = read_record(path, found["front"], Front, before=1)
    _check(path, text, front)
    first = {part: text.count("\n", 0, found.start(part)) for part in ("system", "user")}
    system = _compile(path, found["system"], first["system"], front, FIXED)
    user = _compile(path, found["user"], first["user"], front, FIXED | PER_ITEM)
    missing = sorted(PER_ITEM - {name for name, _ in _names(_env().parse(found["user"]))})
    if missing:
        raise wrong(path, first["user"], f"`# user` must use {{{{ {missing[0]} }}}}")
    return Parts(front=front, system=system, user=user)


def rendered(path: Path, template: Template, values: dict[str, object]) -> str:
    """Return a part with its variables filled in. Raises ConfigError where that cannot be done."""
    try:
        return template.render(values).strip()
    except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"{path}: the template cannot be rendered: {error}", file=path) from error


def line_of(text: str, key: str, word: str) -> int:
    """Return the line of a file on which a word follows a key of the front matter; else that of the key."""
    begin = re.search(rf"^{key}:", text, re.M)
    at = begin.start() if begin else 0
    found = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])").search(text, begin.end() if begin else 0)
    return text.count("\n", 0, found.start() if found else at) + 1


def _check(path: Path, text: str, front: Front) -> None:
    expected = path.name.removesuffix(".md.j2")
    if front.name != expected:
        said = f"name is {front.name!r}; write `name: {expected}`, as the file is called"
        raise wrong(path, line_of(text, "name", front.name), said)
    for name in front.variables:
        if name not in FIXED | PER_ITEM:
            hint = did_you_mean(name, FIXED | PER_ITEM)
            raise wrong(path, line_of(text, "variables", name), f"there is no variable {name}; {hint}")


def _compile(path: Path, text: str, offset: int, front: Front, allowed: frozenset[str]) -> Template:
    """Compile one part whose first line is line `offset + 1` of the file."""
    try:
        tree = _env().parse(text)
    except TemplateSyntaxError as error:
        raise wrong(path, offset + error.lineno, str(error.message)) from error
    for name, line in _names(tree):
        if name not in allowed:
            raise wrong(
                path, offset + line, f"{name} cannot be used here; known: {', '.join(sorted(allowed))}"
            )
        if name not in front.variables:
            raise wrong(path, offset + line, f"{name} is missing from `variables` in the front matter")
    return _env().from_string(text)


def _names(tree: Tree) -> list[tuple[str, int]]:
    """Return the variables that a template reads from outside, each with its line."""
    local = {node.name for node in tree.find_all(Name) if node.ctx != "load"}
    return [(node.name, node.lineno) for node in tree.find_all(Name) if node.name not in local]


def _env() -> ImmutableSandboxedEnvironment:
    # The output is plain text for a model, so nothing is to be escaped for HTML.
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
