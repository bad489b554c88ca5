"""Asks for a build: deploy hooks, after articles have come or gone elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from pipeline.config import HookTarget
from pipeline.domain.errors import FeedError, PublishError
from pipeline.domain.text import url_host
from pipeline.publishing.outcome import PublishContext, TargetResult, TargetRunner, run_target
from pipeline.publishing.targets import Result
from pipeline.storage import Publication


@dataclass(frozen=True)
class PublishedItems:
    """What the other targets did, as hooks need to know it."""

    touched: frozenset[int]
    """Items that something was done about in this drain."""
    unfinished: frozenset[int]
    """Items that something is still to be done about elsewhere."""

    @classmethod
    def between(
        cls, before: Sequence[Publication], after: Sequence[Publication], names: set[str]
    ) -> "PublishedItems":
        """Compare what waited for the targets called `names` before and after."""
        left = {row.id for row in after}
        return cls(
            touched=frozenset(row.item_id for row in before if row.target in names and row.id not in left),
            unfinished=frozenset(row.item_id for row in after if row.target in names),
        )


async def call_deploy_hook(
    press: PublishContext,
    hook: HookTarget,
    due: Sequence[Publication],
    settled: PublishedItems,
    now: datetime,
    each: TargetRunner,
) -> TargetResult | None:
    """Ask for a build, once, where an article has changed.

    An article that waits elsewhere still will need another build: its row is kept until then.
    """
    mine = [row for row in due if row.target == hook.name]
    ready = [row for row in mine if row.item_id not in settled.unfinished]
    if not ready and not any(row.item_id in settled.touched for row in mine):
        return None

    async def send() -> Sequence[Result]:
        return [await _posted(press, hook)] * len(ready)

    return await run_target(press, hook, ready, now, each, send)


def check_hook(hooks: Mapping[str, SecretStr], hook: HookTarget) -> str:
    """Say whom a hook asks for a build; nobody is asked. Raises PublishError where its URL is not known."""
    return f"asks {url_host(_address(hooks, hook))} to build"


def _address(hooks: Mapping[str, SecretStr], hook: HookTarget) -> str:
    secret = hooks.get(hook.url_variable)
    if secret is None:
        raise PublishError(f"{hook.url_variable} is not set; put the hook's URL into .env under that name")
    return secret.get_secret_value()


async def _posted(press: PublishContext, hook: HookTarget) -> str:
    """POST to a hook and return its host. Raises PublishError; its URL is a secret and stands nowhere."""
    url = _address(press.hooks, hook)
    host = url_host(url)
    try:
        answer = await press.net.post(url)
    except FeedError as error:
        hidden = error.kind in {"url", "redirects"}
        raise PublishError(f"{host} was not told to build" if hidden else error.message) from None
    if not 200 <= answer.status < 300:
        fix = f"look whether the URL in {hook.url_variable} is still the one that your host gives"
        raise PublishError(f"{host} refuses to build (status {answer.status}); {fix}")
    return host
