"""Publishing targets: reads the section `publish:` of feeds.yaml as records."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from pipeline.config.site_keys import PLACEHOLDERS, SiteFrontMatter, check_site_keys
from pipeline.config.validation import KEY, parse_record, string_fields
from pipeline.config.yaml_source import Loc, YamlDocument, did_you_mean, quoted
from pipeline.domain.models import FrozenModel
from pipeline.domain.urls import normalize_feed_url

HOOK_PREFIX = "COPYDESK_HOOK_"
"""Prefix of the variables that hold the URLs of deploy hooks."""

_VARIABLE = re.compile(HOOK_PREFIX + "[A-Z0-9_]{1,60}")
_BRANCH = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_+-]|[./](?![./]|\Z)){0,199}")


def _relative_folder(folder: str) -> str:
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
    """A git repository that gets a commit for each approved article, with the editor as its author."""

    kind: Literal["git"]
    name: str
    path: str
    """The root of the repository, bare or not."""
    folder: Annotated[str, AfterValidator(_relative_folder)] | None = None
    """Folder inside the repository; None: its root."""
    branch: Annotated[str, AfterValidator(_branch)] = "main"
    push: bool = False


class HookTarget(FrozenModel):
    """A deploy hook: a URL that gets a POST after articles have changed, so that the site is built."""

    kind: Literal["hook"]
    name: str
    url_variable: Annotated[str, AfterValidator(_variable)]
    """Name of the environment variable that holds the URL. The URL is a secret."""


class FeedTarget(FrozenModel):
    """A folder that gets feed.xml (RSS 2.0) and feed.json (JSON Feed 1.1) of the newest articles."""

    kind: Literal["feed"]
    name: str
    path: str
    title: str
    link: Annotated[str, AfterValidator(_web)]
    """URL of the site."""
    article_url: Annotated[str, AfterValidator(_article_url)]
    """URL of an article: `{path}` is 2026/02/a-title-57767956, `{slug}` its last part, `{id}` the
    externalId."""
    description: str | None = None
    """None: the title."""
    limit: int = Field(default=50, ge=1, le=1000)


Target = Annotated[FolderTarget | GitTarget | HookTarget | FeedTarget, Field(discriminator="kind")]
"""A destination of approved articles."""

KINDS: dict[str, type[FolderTarget] | type[GitTarget] | type[HookTarget] | type[FeedTarget]] = {
    "folder": FolderTarget,
    "git": GitTarget,
    "hook": HookTarget,
    "feed": FeedTarget,
}


_EXAMPLE = "write one such as `site: {kind: folder, path: ../site/content/news}`"


def parse_targets(document: YamlDocument, raw: dict[str, Any], base: Path) -> list[Target]:
    """Return the targets of the section; relative paths are resolved against `base`. Reports mistakes."""
    targets: list[Target] = []
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
            targets.append(_with_absolute_path(target, loc, document, base))
    _report_conflicts(document, targets)
    return targets


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
    fields = {key: each for key, each in value.items() if key != "name"}
    target: Target | None = parse_record(document, loc, KINDS[kind], fields, {"name": name})
    return target


def _with_absolute_path(target: Target, loc: Loc, document: YamlDocument, base: Path) -> Target:
    """Return a target with an absolute path."""
    if isinstance(target, HookTarget):
        return target
    try:
        path = base.absolute() / Path(target.path).expanduser()
    except RuntimeError:  # ~name of a user that does not exist
        text = f"path {quoted(target.path)} names no folder of this machine; write a full path"
        document.report((*loc, "path"), text)
        return target
    return target.model_copy(update={"path": str(path)})


def _report_conflicts(document: YamlDocument, targets: list[Target]) -> None:
    """Report targets with the same destination: they would overwrite each other's files."""
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
            text = f"{target.name} has the same destination as {other}; keep one of the two"
            document.report(("publish", target.name), text)
