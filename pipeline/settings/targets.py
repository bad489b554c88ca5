"""Where approved articles are published: the section `publish:` of feeds.yaml, as records."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from pipeline.models import Record, feed_address
from pipeline.settings.sitekeys import PLACEHOLDERS, Shaped

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
    if feed_address(url) is None:
        raise ValueError("is no http(s) URL; write one such as https://site.example/")
    return url


def _article_url(pattern: str) -> str:
    rest = pattern
    for placeholder in PLACEHOLDERS:
        rest = rest.replace(placeholder, "x")
    if rest == pattern or set("{}") & set(rest) or feed_address(rest) is None:
        raise ValueError(
            "is no http(s) URL with {slug}, {path} or {id} in it; write one such as "
            "'https://site.example/news/{path}/'"
        )
    return pattern


class FolderTarget(Shaped):
    """A folder that gets a copy of each approved article, such as a site's content folder."""

    kind: Literal["folder"]
    name: str
    path: str


class GitTarget(Shaped):
    """A git repository that gets a commit for each approved article; the editor is its author."""

    kind: Literal["git"]
    name: str
    path: str
    """The repository itself, bare or with its files."""
    folder: Annotated[str, AfterValidator(_below)] | None = None
    """Inside the repository; none: its root."""
    branch: Annotated[str, AfterValidator(_branch)] = "main"
    push: bool = False


class HookTarget(Record):
    """A deploy hook: a URL that is asked, by POST, to build the site after something has changed."""

    kind: Literal["hook"]
    name: str
    url_variable: Annotated[str, AfterValidator(_variable)]
    """The variable that holds the URL, which is a secret."""


class FeedTarget(Record):
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
