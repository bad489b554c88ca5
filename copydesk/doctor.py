"""`copydesk doctor`: checks settings, database, output, Prefect, model, targets, feeds; names fixes."""

import asyncio
import contextlib
import errno
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from copydesk.console import error_message, pluralize, print_json, print_line, printable, without_feed_key
from copydesk.feeds import check_feeds
from copydesk.installation_checks import (
    check_alerts,
    check_caps,
    check_clock,
    check_disk,
    check_schedules,
    poll_states,
)
from copydesk.sample import serve_sample_feeds
from flows.prefect_api import has_server, require_api, require_api_url
from pipeline.config import (
    ModelConnection,
    Settings,
    Subscriptions,
    Target,
    connection_named,
    has_writer,
    load_feeds,
    load_settings,
    require_user_secret,
    used_profiles,
    used_verifiers,
    verifier_of,
)
from pipeline.domain.errors import ConfigError, DatabaseError, OutputError
from pipeline.domain.models import DEFAULT_PROFILE
from pipeline.http_client import require_usable_proxies
from pipeline.llm.client import build_client
from pipeline.publishing import check_target as examine_target
from pipeline.rewrite.prompt import load_prompt
from pipeline.rewrite.prompt_files import is_packaged
from pipeline.rewrite.sentence_repair import PROMPT as REPAIR_PROMPT
from pipeline.services.estimate import next_call_micros
from pipeline.services.second_reader import measurement_of
from pipeline.services.writers import price_of, priced
from pipeline.storage import Database
from pipeline.verifier.request import PROMPT as VERIFY_PROMPT

_NO_MODEL = "not set: drafts are offline briefs; set COPYDESK_MODEL and OPENAI_API_KEY to rewrite items"
_LAST_ANSWERS = 20
"""Answers of the model that are looked at for their usage. Chosen, not measured."""
_NO_READER = (
    "none: COPYDESK_VERIFIER=default has the model read each draft beside its source and mark who did what, "
    "may or will, why, said by whom, where it is wrong; half as many tokens again as writing it"
)

_READER_WITHOUT_MODEL = "COPYDESK_VERIFIER=default is set, but no model is: set COPYDESK_MODEL"


class CheckResult(NamedTuple):
    """Result of one check."""

    name: str
    ok: bool
    message: str


def doctor(*, as_json: bool, test_alert: bool = False) -> None:
    """Run every check and print the results; exit code 1 if a check fails.

    Raises ConfigError if the environment names an unusable proxy: then no host is reachable.
    """
    require_usable_proxies()
    with serve_sample_feeds():
        results = _results(test_alert=test_alert)
    if as_json:
        print_json([{"what": name, "ok": ok, "said": message} for name, ok, message in results])
    else:
        for name, ok, message in results:
            mark = "[green]ok[/green]   " if ok else "[red]error[/red]"
            print_line(f"{mark} {printable(name)}: {printable(message)}")
    sys.exit(not all(result.ok for result in results))


def _results(*, test_alert: bool) -> list[CheckResult]:
    try:
        settings = load_settings()
    except Exception as error:  # noqa: BLE001 - every error is a line of the report
        return [CheckResult("settings", False, error_message(error))]
    results = [CheckResult("settings", True, f"read for {settings.base}")]
    try:
        subscriptions = load_feeds(settings.feeds_file)
    except Exception as error:  # noqa: BLE001
        return [*results, CheckResult("feeds.yaml", False, error_message(error))]
    feeds_count, beats_count = len(subscriptions.feeds), len(subscriptions.beats)
    summary = f"{pluralize(feeds_count, 'feed')}, {pluralize(beats_count, 'beat')}"
    results += [
        CheckResult("feeds.yaml", True, "; ".join((summary, *subscriptions.warnings))),
        _check("prompts", lambda: _prompts(settings, subscriptions)),
        _check("database", lambda: _database(settings, subscriptions)),
        _check("output", lambda: _output(settings)),
        _check("disk", lambda: check_disk(settings)),
        _check("desk", lambda: _desk(settings)),
        _check("runs", lambda: _runs(settings)),
        _check("schedule", lambda: _schedule(settings, subscriptions)),
        *_models(settings, subscriptions),
        _check("caps", lambda: _caps(settings, subscriptions)),
        _check("alerts", lambda: check_alerts(settings, test=test_alert)),
        *(_check(f"target {target.name}", _target(settings, target)) for target in subscriptions.publish),
    ]
    enabled = [feed for feed in subscriptions.feeds if feed.enabled]
    try:
        feeds, offsets = asyncio.run(check_feeds(settings, enabled, subscriptions.logins))
    except Exception as error:  # noqa: BLE001
        return [*results, CheckResult("feeds", False, error_message(error))]
    results.append(_check("clock", lambda: check_clock(offsets)))
    return results + [CheckResult(f"feed {feed['feed']}", feed["ok"], _feed(feed)) for feed in feeds]


def _feed(feed: dict[str, object]) -> str:
    return without_feed_key(str(feed["feed"]), str(feed["said"]))


def _check(name: str, step: Callable[[], str]) -> CheckResult:
    try:
        return CheckResult(name, True, step())
    except Exception as error:  # noqa: BLE001 - the other checks still run
        return CheckResult(name, False, error_message(error))


def _models(settings: Settings, subscriptions: Subscriptions) -> list[CheckResult]:
    """Check each model that a run needs; without feeds, that of `.env`."""
    feeds = [feed for feed in subscriptions.feeds if feed.enabled]
    used = used_profiles(settings, feeds) or ([DEFAULT_PROFILE] if settings.model else [])
    readers = _check("second reader", lambda: _second_readers(settings, subscriptions))
    if readers.ok:
        names = used_verifiers(settings, subscriptions.models, subscriptions.beats, feeds)
        used = list(dict.fromkeys((*used, *names)))
    results = [
        _check(
            "model" if name == DEFAULT_PROFILE else f"model {name}",
            partial(_model, settings, subscriptions, name),
        )
        for name in used
    ]
    if not used or not all(has_writer(settings, feed) for feed in feeds):
        results.append(CheckResult("model", True, _NO_MODEL))
    return [*results, readers]


def _caps(settings: Settings, subscriptions: Subscriptions) -> str:
    return check_caps(settings, next_call_micros(settings, subscriptions))


def _schedule(settings: Settings, subscriptions: Subscriptions) -> str:
    return check_schedules(subscriptions.feeds, poll_states(settings), datetime.now(UTC))


def _second_readers(settings: Settings, subscriptions: Subscriptions) -> str:
    """Return which profiles verify drafts, and how good they are as far as that was measured."""
    models, beats = subscriptions.models, subscriptions.beats
    names = used_verifiers(settings, models, beats, subscriptions.feeds)
    if not names:
        lacks_model = settings.verifier == DEFAULT_PROFILE and settings.model is None
        return _READER_WITHOUT_MODEL if lacks_model else _NO_READER
    prompt = load_prompt(settings.prompts, VERIFY_PROMPT).id
    return "; ".join(
        _measured(settings, name, connection_named(settings, models, name).model, prompt) for name in names
    )


def _measured(settings: Settings, profile: str, model: str, prompt: str) -> str:
    measurement = measurement_of(settings, profile, model, prompt)
    if measurement is None:
        return f"{profile} ({model}), not measured: `copydesk eval --verifier {profile}` does that"
    scores, at = measurement.scores, measurement.measured_at.date()
    rates = f"{scores.recall:.0%} of errors, {scores.false_per_draft:.2f} false objections a faultless draft"
    return f"{profile} ({model}), measured on {at}: finds {rates}"


def _target(settings: Settings, target: Target) -> Callable[[], str]:
    return lambda: examine_target(settings.output, target, settings.hooks)


def _prompts(settings: Settings, subscriptions: Subscriptions) -> str:
    beats = subscriptions.beats
    names = {beat.prompt for beat in beats.values()}
    if any(has_writer(settings, feed) for feed in subscriptions.feeds):
        names |= {REPAIR_PROMPT for beat in beats.values() if beat.repair_sentences}
    with contextlib.suppress(ConfigError):  # a line of its own says what is wrong
        if any(verifier_of(settings, subscriptions.models, beat) for beat in beats.values()):
            names.add(VERIFY_PROMPT)
    prompts = [load_prompt(settings.prompts, name) for name in sorted(names)]
    return ", ".join(f"{each.id}{' (packaged)' if is_packaged(each.path) else ''}" for each in prompts)


def _database(settings: Settings, subscriptions: Subscriptions) -> str:
    with Database.open(settings.database_url) as db:
        db.feeds.sync(subscriptions.feeds)
        return f"{db.shown_url}, {sum(sum(c.values()) for c in db.feeds.item_counts().values())} items"


def _output(settings: Settings) -> str:
    try:
        settings.output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.output) as probe:
            probe.write(b"test")
    except OSError as error:
        fix = "free some space" if error.errno == errno.ENOSPC else "make it writable"
        raise OutputError(
            f"{settings.output}: {error.strerror}; {fix} or set COPYDESK_OUTPUT", path=settings.output
        ) from error
    return str(settings.output)


def _desk(settings: Settings) -> str:
    require_user_secret(settings)
    if settings.desk_user_header:
        return f"a proxy names the editor in the header {settings.desk_user_header} and sends the secret"
    return "editors sign in with its token"


def _runs(settings: Settings) -> str:
    if not settings.prefect:
        return "runs without Prefect (COPYDESK_PREFECT=off); `copydesk serve` needs COPYDESK_PREFECT=on"
    require_api_url()
    asyncio.run(require_api())
    if has_server():
        return "Prefect flow runs, on the server of PREFECT_API_URL or Prefect's profile; the server answers"
    return "Prefect flow runs, on a server that each run starts; COPYDESK_PREFECT=off runs without Prefect"


def _model(settings: Settings, subscriptions: Subscriptions, profile: str) -> str:
    connection = connection_named(settings, subscriptions.models, profile)
    priced(settings, connection)
    return "; ".join([asyncio.run(_ping(connection)), *_money(settings, connection)])


async def _ping(connection: ModelConnection) -> str:
    async with build_client(connection) as model:
        return await model.probe()


def _money(settings: Settings, connection: ModelConnection) -> Iterator[str]:
    """Yield what keeps the cost of the model's answers from being known exactly."""
    if not price_of(connection).is_known:
        yield f"its price is unknown: set {connection.names.price} to see costs and to cap them"
    try:
        db = Database.open(settings.database_url)
    except DatabaseError:  # a line of its own says so
        return
    with db:
        estimated = db.budget.estimated_among_last(connection.profile, connection.model, _LAST_ANSWERS)
    if estimated:
        yield "the server tells no usage, or not all of it: counted at its upper bound"
