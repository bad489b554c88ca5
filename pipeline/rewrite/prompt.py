"""Reads the templates under prompts/ and lays out what a model is told about one item."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

import yaml
from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.nodes import Name
from jinja2.nodes import Template as Tree
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import ConfigError
from pipeline.models import Beat, Item, Source
from pipeline.rewrite.hidden import visible
from pipeline.rewrite.text import encodable, one_line

FIXED = frozenset({"market", "tone", "language", "vocabulary", "overview", "from_author", "impact"})
"""Variables that are alike for every item of a feed; all that a system part may use."""

PER_ITEM = frozenset({"marker", "item"})
"""Variables that differ with every request; the user part needs both."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_FILE = re.compile(
    r"\A---\n(?P<front>.*?\n)---\n\s*?^# system\n(?P<system>.*?)^# user\n(?P<user>.*)\Z", re.S | re.M
)


class Message(TypedDict):
    """One message of a chat request."""

    role: str
    content: str


class _Front(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    variables: list[str]


class Hints(BaseModel):
    """What a prompt wants of a request; the operator's settings win."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float | None = None
    max_tokens: int | None = None


@dataclass(frozen=True)
class Prompt:
    """A template that has rendered once already, so that it fails before anything starts."""

    id: str
    """`name@hash`, the hash 8 hex digits of SHA-256 of the file."""
    path: Path
    system: Template
    user: Template
    hints: Hints = Hints()

    def messages(self, source: Source, beat: Beat) -> list[Message]:
        """Return the messages about one source: what is fixed first, the item last.

        The item is data: a value that is put in, never rendered, between two lines with a marker
        that is random for each request. Raises ConfigError where the template cannot be rendered.
        """
        fixed = _fixed(source, beat)
        item = {"marker": f"=== item {secrets.token_hex(8)} ===", "item": describe(source)}
        try:
            system = self.system.render(fixed)
            user = self.user.render(fixed | item)
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise ConfigError(f"{self.path}: the template cannot be rendered: {error}") from error
        return [Message(role="system", content=system.strip()), Message(role="user", content=user.strip())]


def load_prompt(folder: Path, name: str) -> Prompt:
    """Read `<folder>/<name>.md.j2`. Raises ConfigError naming the file, and the line where there is one."""
    path = folder / f"{name}.md.j2"
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is no name for a prompt: use letters a to z, digits, - and _", file=path)
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}", file=path) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8; save it as such", file=path) from error
    prompt = _parse(path, text, hashlib.sha256(content).hexdigest()[:8])
    prompt.messages(_SAMPLE, Beat(key="sample", vocabulary=("SAMPLE",)))
    return prompt


def describe(source: Source) -> str:
    """Return what is known of an item, a labelled line each and the text last, as data for a model."""
    item = source.item
    lines = [("feed", source.feed_name), ("title", item.title), ("author", item.author or "")]
    if item.dated:
        lines.append(("published", f"{item.published_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"))
    lines += [("category", source.category), ("labels", ", ".join(item.categories))]
    head = "\n".join(f"{label}: {one_line(value)}" for label, value in lines if value)
    return encodable(visible(f"{head}\ntext:\n{item.text}").rstrip())


def _fixed(source: Source, beat: Beat) -> dict[str, object]:
    return {
        "market": beat.market,
        "tone": beat.tone,
        "language": source.language,
        "vocabulary": beat.vocabulary,
        "overview": beat.overview,
        "from_author": beat.from_author,
        "impact": f"{beat.impact} {beat.market}",
    }


def _parse(path: Path, text: str, digest: str) -> Prompt:
    parts = _FILE.match(text)
    if parts is None:
        raise _wrong(path, 1, "needs front matter between two lines `---`, then `# system`, then `# user`")
    front = _front(path, parts["front"])
    first = {part: text.count("\n", 0, parts.start(part)) for part in ("system", "user")}
    system = _compile(path, parts["system"], first["system"], front, FIXED)
    user = _compile(path, parts["user"], first["user"], front, FIXED | PER_ITEM)
    missing = sorted(PER_ITEM - {name for name, _ in _names(_env().parse(parts["user"]))})
    if missing:
        raise _wrong(path, first["user"], f"`# user` must use {{{{ {missing[0]} }}}}")
    return Prompt(id=f"{front.name}@{digest}", path=path, system=system, user=user)


def _front(path: Path, text: str) -> _Front:
    try:
        return _Front.model_validate(yaml.safe_load(text))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise _wrong(path, line, f"front matter: {error.problem}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "all of it"
        raise _wrong(path, 2, f"front matter: {key}: {first['msg']}") from error


def _compile(path: Path, text: str, offset: int, front: _Front, allowed: frozenset[str]) -> Template:
    """Compile one part whose first line is line `offset + 1` of the file."""
    try:
        tree = _env().parse(text)
    except TemplateSyntaxError as error:
        raise _wrong(path, offset + error.lineno, str(error.message)) from error
    for name, line in _names(tree):
        if name not in allowed:
            raise _wrong(
                path, offset + line, f"{name} cannot be used here; known: {', '.join(sorted(allowed))}"
            )
        if name not in front.variables:
            raise _wrong(path, offset + line, f"{name} is missing from `variables` in the front matter")
    return _env().from_string(text)


def _names(tree: Tree) -> list[tuple[str, int]]:
    """Return the variables that a template reads from outside, each with its line."""
    local = {node.name for node in tree.find_all(Name) if node.ctx != "load"}
    return [(node.name, node.lineno) for node in tree.find_all(Name) if node.name not in local]


def _env() -> ImmutableSandboxedEnvironment:
    # The output is plain text for a model, so nothing is to be escaped for HTML.
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


def _wrong(path: Path, line: int, what: str) -> ConfigError:
    return ConfigError(f"{path}:{line}: {what}", file=path, line=line)


_SAMPLE = Source(
    item=Item(guid="sample", title="Sample", text="Sample.", published_at=datetime(2026, 1, 1, tzinfo=UTC)),
    feed_key="sample",
    feed_name="Sample",
    first_key="sample",
    category="SAMPLE",
    language="en",
)
