"""`copydesk doctor`: settings, ledger, output, Prefect, model, targets, feeds; each trouble with its fix."""

import asyncio
import sys
import tempfile
from collections.abc import Callable

from copydesk.console import without_feed_key, print_json, print_line, printable, error_message
from copydesk.feeds import check_feeds
from copydesk.sample import serve_sample_feeds
from flows.prefect_api import has_server, require_api, require_api_url
from pipeline.config import Settings, Subscriptions, Target, load_feeds, load_settings, require_user_secret
from pipeline.domain.errors import OutputError
from pipeline.http_client import require_usable_proxies
from pipeline.llm.client import OPENAI_URL, ClientConfig, LLMClient
from pipeline.publishing import check_target as examine_target
from pipeline.rewrite.prompt import load_prompt
from pipeline.storage import Database

CheckResult = tuple[str, bool, str]


def doctor(*, as_json: bool) -> None:
    """Run every examination; exit code 1 if one finds trouble.

    Raises ConfigError where the environment names a proxy that cannot be used: nothing could be reached.
    """
    require_usable_proxies()
    with serve_sample_feeds():
        results = _results()
    if as_json:
        print_json([{"what": what, "ok": ok, "said": said} for what, ok, said in results])
    else:
        for what, ok, message in results:
            print_line(
                f"{'[green]ok[/green]     ' if ok else '[red]trouble[/red]'} {printable(what)}: "
                f"{printable(message)}"
            )
    sys.exit(not all(ok for _, ok, _ in results))


def _results() -> list[CheckResult]:
    try:
        settings = load_settings()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a line of the report
        return [("settings", False, error_message(error))]
    results = [("settings", True, f"read for {settings.base}")]
    try:
        subscriptions = load_feeds(settings.feeds_file)
    except Exception as error:  # noqa: BLE001
        return [*results, ("feeds.yaml", False, error_message(error))]
    results += [
        ("feeds.yaml", True, f"{len(subscriptions.feeds)} feeds, {len(subscriptions.beats)} beats"),
        _check("prompts", lambda: _prompts(settings, subscriptions)),
        _check("ledger", lambda: _database(settings, subscriptions)),
        _check("output", lambda: _output(settings)),
        _check("desk", lambda: _desk(settings)),
        _check("runs", lambda: _runs(settings)),
        _check("model", lambda: _model(settings)),
        *(_check(f"target {target.name}", _target(settings, target)) for target in subscriptions.publish),
    ]
    enabled = [feed for feed in subscriptions.feeds if feed.enabled]
    try:
        feeds = asyncio.run(check_feeds(settings, enabled))
    except Exception as error:  # noqa: BLE001
        return [*results, ("feeds", False, error_message(error))]
    return results + [(f"feed {feed['feed']}", feed["ok"], _feed(feed)) for feed in feeds]


def _feed(feed: dict[str, object]) -> str:
    return (
        f"{feed['items']} items; {feed['said']}"
        if feed["ok"]
        else without_feed_key(str(feed["feed"]), str(feed["said"]))
    )


def _check(what: str, step: Callable[[], str]) -> CheckResult:
    try:
        return what, True, step()
    except Exception as error:  # noqa: BLE001 - the other examinations are still to come
        return what, False, error_message(error)


def _target(settings: Settings, target: Target) -> Callable[[], str]:
    return lambda: examine_target(settings.output, target, settings.hooks)


def _prompts(settings: Settings, subscriptions: Subscriptions) -> str:
    names = {beat.prompt for beat in subscriptions.beats.values()}
    return ", ".join(load_prompt(settings.base / "prompts", name).id for name in sorted(names))


def _database(settings: Settings, subscriptions: Subscriptions) -> str:
    with Database.open(settings.database_url) as db:
        db.feeds.sync(subscriptions.feeds)
        return f"{db.shown_url}, {sum(sum(c.values()) for c in db.feeds.item_counts().values())} items"


def _output(settings: Settings) -> str:
    try:
        settings.output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.output) as probe:
            probe.write(b"a draft could stand here")
    except OSError as error:
        raise OutputError(
            f"{settings.output}: {error.strerror}; make it writable or set COPYDESK_OUTPUT",
            path=settings.output,
        ) from error
    return str(settings.output)


def _desk(settings: Settings) -> str:
    require_user_secret(settings)
    if settings.desk_user_header:
        return f"a proxy names editors in {settings.desk_user_header}, and shows the secret that is set"
    return "its token signs editors in"


def _runs(settings: Settings) -> str:
    if not settings.prefect:
        return "runs without Prefect (COPYDESK_PREFECT=off); `copydesk serve` needs it on"
    require_api_url()
    asyncio.run(require_api())
    if has_server():
        return (
            "flow runs of Prefect, on the server that PREFECT_API_URL or Prefect's profile names; it answers"
        )
    return "flow runs of Prefect, on a server that is started for them; COPYDESK_PREFECT=off does without"


def _model(settings: Settings) -> str:
    if settings.model is None:
        return "none set: drafts are offline briefs; set COPYDESK_MODEL and OPENAI_API_KEY for rewrites"
    return asyncio.run(_ping(settings, settings.model))


async def _ping(settings: Settings, name: str) -> str:
    config = ClientConfig(
        base_url=settings.base_url or OPENAI_URL,
        api_key=settings.api_key.get_secret_value() if settings.api_key else None,
        timeout_s=settings.model_timeout_s,
        deadline_s=settings.deadline_s,
    )
    async with LLMClient(name, config) as model:
        return await model.probe()
