"""Reads the section `publish:` of feeds.yaml; every mistake is told with its line."""

from pathlib import Path
from typing import Any

from pipeline.settings.crosschecks import KEY, texts
from pipeline.settings.problems import did_you_mean, shown
from pipeline.settings.reading import record
from pipeline.settings.sitekeys import Shaped, mistakes
from pipeline.settings.targets import KINDS, GitTarget, HookTarget, Target
from pipeline.settings.yamlnodes import Document, Loc

_EXAMPLE = "write one such as `site: {kind: folder, path: ../site/content/news}`"


def targets_in(document: Document, raw: dict[str, Any], base: Path) -> list[Target]:
    """Return the targets of a section; relative paths in it are meant from `base`."""
    found: list[Target] = []
    for name, value in raw.items():
        loc: Loc = ("publish", name)
        if not KEY.fullmatch(name):
            document.report(
                loc, f"{shown(name)} cannot be a target's name; write it like my-site (a-z, 0-9, - and _)"
            )
        elif target := _target(document, loc, name, value):
            document.problems.extend(texts(target, loc, document))
            if isinstance(target, Shaped):
                for key, text in mistakes(target):
                    document.report((*loc, "front_matter", key), f"front_matter.{key} {text}")
            found.append(_placed(target, loc, document, base))
    _report_twice(document, found)
    return found


def _target(document: Document, loc: Loc, name: str, value: object) -> Target | None:
    if not isinstance(value, dict):
        document.report(loc, f"{name} is no target; {_EXAMPLE}")
        return None
    kind = value.get("kind")
    if "kind" not in value:
        document.report(loc, f"kind is missing; add `kind: …`, one of {', '.join(KINDS)}")
        return None
    if not isinstance(kind, str) or kind not in KINDS:
        hint = did_you_mean(str(kind), KINDS)
        document.report((*loc, "kind"), f"kind {shown(kind)} is not known; {hint}")
        return None
    if "name" in value:
        document.report((*loc, "name"), f"a target's name is {name} already; remove the line")
    own = {key: each for key, each in value.items() if key != "name"}
    target: Target | None = record(document, loc, KINDS[kind], own, {"name": name}, unwritten=("name",))
    return target


def _placed(target: Target, loc: Loc, document: Document, base: Path) -> Target:
    """Return a target with an absolute path."""
    if isinstance(target, HookTarget):
        return target
    try:
        path = base.absolute() / Path(target.path).expanduser()
    except RuntimeError:  # ~somebody, who has no home here
        text = f"path {shown(target.path)} names no folder of this machine; write a full path"
        document.report((*loc, "path"), text)
        return target
    return target.model_copy(update={"path": str(path)})


def _report_twice(document: Document, targets: list[Target]) -> None:
    """Two targets in one place would undo each other's work."""
    first: dict[tuple[str, ...], str] = {}
    for target in targets:
        if isinstance(target, HookTarget):
            where: tuple[str, ...] = (target.kind, target.url_variable)
        elif isinstance(target, GitTarget):
            where = (target.kind, target.path, target.folder or "", target.branch)
        else:
            where = (target.kind, target.path)
        other = first.setdefault(where, target.name)
        if other != target.name:
            text = f"{target.name} leads where {other} leads already; keep one of the two"
            document.report(("publish", target.name), text)
