"""Calls deploy hooks after the other targets have changed."""

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
    """Items that the other targets have changed, or still have to change."""

    touched: frozenset[int]
    """Items with a publication that is done."""
    unfinished: frozenset[int]
    """Items with a publication that is still pending."""

    @classmethod
    def between(
        cls, before: Sequence[Publication], after: Sequence[Publication], names: set[str]
    ) -> "PublishedItems":
        """Compare the pending publications of the targets called `names` before and after sending."""
        left = {row.id for row in after}
        return cls(
            touched=frozenset(row.item_id for row in before if row.target in names and row.id not in left),
            unfinished=frozenset(row.item_id for row in after if row.target in names),
        )


async def call_deploy_hook(
    ctx: PublishContext,
    hook: HookTarget,
    due: Sequence[Publication],
    settled: PublishedItems,
    now: datetime,
    runner: TargetRunner,
) -> TargetResult | None:
    """Call a hook once where an article has changed; None where none has.

    An article that is still pending at another target needs another build, so its row stays pending.
    """
    rows = [row for row in due if row.target == hook.name]
    ready = [row for row in rows if row.item_id not in settled.unfinished]
    if not ready and not any(row.item_id in settled.touched for row in rows):
        return None

    async def send() -> Sequence[Result]:
        return [await _post(ctx, hook)] * len(ready)

    return await run_target(ctx, hook, ready, now, runner, send)


def check_hook(hooks: Mapping[str, SecretStr], hook: HookTarget) -> str:
    """Return what a hook does, without calling it. Raises PublishError where its URL is not set."""
    return f"asks {url_host(_hook_url(hooks, hook))} to build"


def _hook_url(hooks: Mapping[str, SecretStr], hook: HookTarget) -> str:
    secret = hooks.get(hook.url_variable)
    if secret is None:
        raise PublishError(f"{hook.url_variable} is not set; put the hook's URL into .env under that name")
    return secret.get_secret_value()


async def _post(ctx: PublishContext, hook: HookTarget) -> str:
    """POST to a hook and return its host. Raises PublishError, without the URL, which is a secret."""
    url = _hook_url(ctx.hooks, hook)
    host = url_host(url)
    try:
        answer = await ctx.net.post(url)
    except FeedError as error:
        hidden = error.kind in {"url", "redirects"}
        raise PublishError(
            f"the deploy hook at {host} was not called: check the URL in {hook.url_variable}"
            if hidden
            else error.message
        ) from None
    if not 200 <= answer.status < 300:
        fix = f"look whether the URL in {hook.url_variable} is still the one that your host gives"
        raise PublishError(f"{host} refuses to build (status {answer.status}); {fix}")
    return host
