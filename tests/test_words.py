"""Identifiers use the words of the glossary in docs/architecture.md; retired words do not come back."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("copydesk", "desk", "flows", "pipeline")

VAGUE = frozenset(
    (
        "asked", "found", "given", "kept", "known", "least", "met", "most", "one", "ones", "said", "seen",
        "standing", "stands", "stood", "told", "wanted",
    )
)  # fmt: skip
"""Words that name anything: refused as a whole identifier. A noun is better: `item`, `finding`, `message`."""
RETIRED = {
    "room": "ctx, RunContext",
    "newsroom": "open_run",
    "office": "ctx, WebContext",
    "press": "PublishContext",
    "book": "PollStateCache",
    "books": "CallBudget",
    "ledger": "db, Database",
    "manner": "RequestMode",
    "rung": "OutputMode",
    "verdict": "Review, review",
    "trouble": "error, alert",
    "troubles": "errors, alerts",
    "tongue": "language, lexicon",
    "told": "message, details",
    "said": "message, details",
    "anew": "again",
    "mended": "repaired",
    "mender": "repair prompt",
    "oddities": "warnings",
    "fates": "item_outcomes",
    "forgetting": "erasure",
    "apart": "sandbox",
    "story": "duplicate_group (an event's story is not built yet)",
    "stories": "duplicate_groups",
    "sitting": "edit session",
    "figures": "numbers, metrics",
    "borne": "supported",
}
"""Words that the glossary replaced, as a part of an identifier: word to what is used today."""
KEPT = frozenset(
    (
        "copydesk/feeds_check.py: asked",
        "desk/filters.py: asked",
        "pipeline/llm/capabilities.py: manner",
        "pipeline/llm/capabilities.py: rung",
        "pipeline/rewrite/evaluation/golden_set.py: wanted",
        "pipeline/rewrite/evaluation/scoring.py: trouble",
        "pipeline/services/estimate.py: most",
        "pipeline/storage/draft_query.py: asked",
        "pipeline/storage/schema.py: stories",
    )
)
"""Names that users or stored data see: JSON keys, query parameters, tables."""
OWNERS = {
    "lease": ("pipeline/domain", "pipeline/services", "pipeline/storage"),
    "claim": ("copydesk", "desk", "pipeline/checks", "pipeline/domain"),
    "cooldown": ("pipeline/feeds", "pipeline/llm", "pipeline/services", "pipeline/storage"),
    "objection": ("pipeline/domain/readings", "pipeline/verifier"),
}
"""Glossary terms with one meaning: word to the packages whose subject it is."""


def sources() -> list[Path]:
    return [
        path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if "versions" not in path.parts  # migrations stay as they were applied
    ]


def identifiers(tree: ast.AST) -> Iterator[str]:
    """Yield the names that a module defines: functions, classes, parameters, variables, attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.id if isinstance(node, ast.Name) else node.attr
        elif isinstance(node, ast.alias | ast.ExceptHandler):
            yield (node.asname if isinstance(node, ast.alias) else node.name) or ""


def parts(name: str) -> list[str]:
    """Return the words of an identifier in lower case: `_draft_view`, `DraftView` -> draft, view."""
    spaced = "".join(f"_{char}" if char.isupper() else char for char in name) if not name.isupper() else name
    return [part for part in spaced.lower().split("_") if part]


@cache
def names(path: Path) -> tuple[str, ...]:
    return tuple(dict.fromkeys(identifiers(ast.parse(path.read_text()))))


def refused(path: Path) -> list[str]:
    place = path.relative_to(ROOT).as_posix()
    return [
        f"{place}: {name}"
        for name in names(path)
        if name.strip("_").lower() in VAGUE or any(part in RETIRED for part in parts(name))
    ]


def elsewhere(path: Path) -> list[str]:
    """Return the identifiers with a glossary term of other packages."""
    place = path.relative_to(ROOT).as_posix()
    terms = {word for word, owners in OWNERS.items() if not place.startswith(owners)}
    return [
        f"{place}: {name}" for name in names(path) if terms & {part.removesuffix("s") for part in parts(name)}
    ]


def test_no_identifier_uses_a_retired_word_and_a_term_names_one_thing() -> None:
    # One test, so that one worker process parses all modules.
    assert {line for path in sources() for line in refused(path)} <= KEPT
    assert [line for path in sources() for line in elsewhere(path)] == []


def test_a_retired_word_is_found_in_each_kind_of_name(tmp_path: Path) -> None:
    code = "def told(room):\n    one = self.books = 1\nclass Newsroom: ...\n"
    assert sorted(identifiers(ast.parse(code))) == ["Newsroom", "books", "one", "room", "told"]
    assert parts("_PressRoom") == ["press", "room"]
    assert parts("_MOST") == ["most"]
