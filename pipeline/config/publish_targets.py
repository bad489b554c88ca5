"""Where approved articles are published: the section `publish:` of feeds.yaml, as records.

Reads the section `publish:` of feeds.yaml; every mistake is told with its line.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from pipeline.config.site_keys import PLACEHOLDERS, SiteFrontMatter, check_site_keys
from pipeline.config.validation import KEY, parse_record, string_fields
from pipeline.config.yaml_source import Loc, YamlDocument, did_you_mean, quoted
from pipeline.domain.models import FrozenModel, normalize_feed_url

HOOK_PREFIX = "COPYDESK_HOOK_"
"""How the variables begin that hold the URLs of deploy hooks."""

_VARIABLE = re.compile(HOOK_PREFIX + "[A-Z0-9_]{1,60}")
_BRANCH = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_+-]|[./](?![./]|\Z)){0,199}")


def _below(folder: str) -> str:
    parts = folder.rstrip("/").split("/")
    if folder.startswith(("/", "-")) or {"", ".", "..", ".git"} & {part.lower() for part in parts}:
        raise ValueError("is no folder inside the repository; write one such as content/news")
    return "/".join(parts)


def _branch(name: str) -> str:
    if not _BRANCH.fullmatch(name) or name.endswith(".lock") or ".lock/" in name:
        raise ValueError("is no branch's name; write one such as main")
    return name


def _variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError(
            f"is no variable for a hook; the URL is a secret: put {HOOK_PREFIX}BUILD=https://… into .env, "
            f"and write that name here: {HOOK_PREFIX}BUILD"
        )
    return name


def _web(url: str) -> str:
    if normalize_feed_url(url) is None:
        raise ValueError("is no http(s) URL; write one such as https://site.example/")
    return url


def _article_url(pattern: str) -> str:
    rest = pattern
    for placeholder in PLACEHOLDERS:
        rest = rest.replace(placeholder, "x")
    if rest == pattern or set("{}") & set(rest) or normalize_feed_url(rest) is None:
        raise ValueError(
            "is no http(s) URL with {slug}, {path} or {id} in it; write one such as "
            "'https://site.example/news/{path}/'"
        )
    return pattern


class FolderTarget(SiteFrontMatter):
    """A folder that gets a copy of each approved article, such as a site's content folder."""

    kind: Literal["folder"]
    name: str
    path: str


class GitTarget(SiteFrontMatter):
    """A git repository that gets a commit for each approved article; the editor is its author."""

    kind: Literal["git"]
    name: str
    path: str
    """The repository itself, bare or with its files."""
    folder: Annotated[str, AfterValidator(_below)] | None = None
    """Inside the repository; none: its root."""
    branch: Annotated[str, AfterValidator(_branch)] = "main"
    push: bool = False


class HookTarget(FrozenModel):
    """A deploy hook: a URL that is asked, by POST, to build the site after something has changed."""

    kind: Literal["hook"]
    name: str
    url_variable: Annotated[str, AfterValidator(_variable)]
    """The variable that holds the URL, which is a secret."""


class FeedTarget(FrozenModel):
    """A folder that gets feed.xml (RSS 2.0) and feed.json (JSON Feed 1.1) of the newest articles."""

    kind: Literal["feed"]
    name: str
    path: str
    title: str
    link: Annotated[str, AfterValidator(_web)]
    """The site that the feed is of."""
    article_url: Annotated[str, AfterValidator(_article_url)]
    """Where an article stands there: `{path}` is 2026/02/a-title-57767956, `{slug}` its last part, `{id}` the
    externalId."""
    description: str | None = None
    """Its title, where there is none."""
    limit: int = Field(default=50, ge=1, le=1000)


Target = Annotated[FolderTarget | GitTarget | HookTarget | FeedTarget, Field(discriminator="kind")]
"""Anywhere that approved articles are published."""

KINDS: dict[str, type[FolderTarget] | type[GitTarget] | type[HookTarget] | type[FeedTarget]] = {
    "folder": FolderTarget,
    "git": GitTarget,
    "hook": HookTarget,
    "feed": FeedTarget,
}


_EXAMPLE = "write one such as `site: {kind: folder, path: ../site/content/news}`"


def targets_in(document: YamlDocument, raw: dict[str, Any], base: Path) -> list[Target]:
    """Return the targets of a section; relative paths in it are meant from `base`."""
    found: list[Target] = []
    for name, value in raw.items():
        loc: Loc = ("publish", name)
        if not KEY.fullmatch(name):
            document.report(
                loc, f"{quoted(name)} cannot be a target's name; write it like my-site (a-z, 0-9, - and _)"
            )
        elif target := _target(document, loc, name, value):
            document.problems.extend(string_fields(target, loc, document))
            if isinstance(target, SiteFrontMatter):
                for key, text in check_site_keys(target):
                    document.report((*loc, "front_matter", key), f"front_matter.{key} {text}")
            found.append(_placed(target, loc, document, base))
    _report_twice(document, found)
    return found


def _target(document: YamlDocument, loc: Loc, name: str, value: object) -> Target | None:
    if not isinstance(value, dict):
        document.report(loc, f"{name} is no target; {_EXAMPLE}")
        return None
    kind = value.get("kind")
    if "kind" not in value:
        document.report(loc, f"kind is missing; add `kind: …`, one of {', '.join(KINDS)}")
        return None
    if not isinstance(kind, str) or kind not in KINDS:
        hint = did_you_mean(str(kind), KINDS)
        document.report((*loc, "kind"), f"kind {quoted(kind)} is not known; {hint}")
        return None
    if "name" in value:
        document.report((*loc, "name"), f"a target's name is {name} already; remove the line")
    own = {key: each for key, each in value.items() if key != "name"}
    target: Target | None = parse_record(document, loc, KINDS[kind], own, {"name": name}, unwritten=("name",))
    return target


def _placed(target: Target, loc: Loc, document: YamlDocument, base: Path) -> Target:
    """Return a target with an absolute path."""
    if isinstance(target, HookTarget):
        return target
    try:
        path = base.absolute() / Path(target.path).expanduser()
    except RuntimeError:  # ~somebody, who has no home here
        text = f"path {quoted(target.path)} names no folder of this machine; write a full path"
        document.report((*loc, "path"), text)
        return target
    return target.model_copy(update={"path": str(path)})


def _report_twice(document: YamlDocument, targets: list[Target]) -> None:
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
