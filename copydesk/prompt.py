"""`copydesk prompt`: prints the exact request for an item, and checks the prompt templates."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from copydesk.console import err, out, pluralize, print_json, print_line, printable, table
from pipeline.articles.approved_metadata import front_of
from pipeline.articles.files import read_bytes
from pipeline.articles.front_matter import loads
from pipeline.articles.render import build_front_matter, render_body
from pipeline.checks.runner import run_checks
from pipeline.config import (
    ModelConnection,
    Settings,
    Subscriptions,
    connection_named,
    has_writer,
    load_feeds,
    load_settings,
)
from pipeline.domain.errors import ConfigError, CopydeskError, ReviewError
from pipeline.domain.model_calls import Provenance
from pipeline.domain.models import DEFAULT_PROFILE, Beat, FeedConfig, Item, Source, build_source, external_id
from pipeline.domain.reviews import Severity
from pipeline.feeds.pages.fetch import needs_page
from pipeline.llm.capabilities import KnownCapability, RequestMode, cached_mode, profile_of
from pipeline.llm.chat import Attempt, Message, build_request, estimate_prompt_tokens
from pipeline.llm.client import options_of
from pipeline.rewrite.article_schema import WireArticle, WireSectionText, parse_response
from pipeline.rewrite.prompt import Prompt, load_prompt
from pipeline.rewrite.prompt_files import is_packaged, template_names
from pipeline.rewrite.redraft import add_redraft_instructions
from pipeline.rewrite.sentence_repair import PROMPT as REPAIR_PROMPT
from pipeline.services.estimate import CHARS_PER_TOKEN
from pipeline.services.redraft_input import findings_for_redraft
from pipeline.services.subscriptions import load_subscriptions
from pipeline.storage import Database, DraftRow, RedraftContext


def show(ref: str, *, as_json: bool) -> None:
    """Print the full request for an item: its messages, then its other fields with the JSON schema."""
    settings = load_settings()
    subscriptions = load_subscriptions(settings)
    with Database.open(settings.database_url) as db:
        feed, item = _item(db, subscriptions, ref)
        redraft = db.redrafts.pending(feed.key, item.guid)
        row = db.drafts.get(external_id(feed.first_key, item.guid)) if redraft else None
        connection = _connection(settings, subscriptions, feed)
        capability = db.caches.capabilities(connection.cache_key, connection.model)
    beat = subscriptions.beats[feed.beat]
    prompt = load_prompt(settings.prompts, beat.prompt)
    source = build_source(feed, item)
    messages: Sequence[Message] = prompt.messages(source, beat)
    shape: type[BaseModel] = WireArticle
    if redraft and row:
        messages = _redraft_messages(settings, messages, redraft, row, source, beat)
        shape = WireSectionText if redraft.request.section else WireArticle
    body = _request_body(connection, prompt, messages, shape, capability)
    if as_json:
        print_json({"prompt": prompt.id, "request": body})
        return
    for message in body["messages"]:
        print_line(f"[bold]--- {message['role']} ---[/bold]")
        _print_verbatim(message["content"])
    print_line("[bold]--- other fields ---[/bold]")
    _print_verbatim(
        json.dumps({key: body[key] for key in body if key != "messages"}, indent=2, ensure_ascii=False)
    )
    characters = sum(len(message["content"]) for message in body["messages"])
    print_line(
        f"\n{prompt.id}: the messages have about {characters // CHARS_PER_TOKEN:,} tokens, the request "
        f"at most {estimate_prompt_tokens(body):,}; the marker around the item is different in every request."
    )
    if needs_page(item, feed):
        print_line("The feed's text is short or incomplete: a run fetches the item's page first.")


def _connection(settings: Settings, subscriptions: Subscriptions, feed: FeedConfig) -> ModelConnection:
    """Return the feed's writer; without a model, one without a name."""
    if not has_writer(settings, feed):
        settings = settings.model_copy(update={"model": ""})
        return connection_named(settings, {}, DEFAULT_PROFILE)
    return connection_named(settings, subscriptions.models, feed.profiles[0])


def _redraft_messages(
    settings: Settings,
    messages: Sequence[Message],
    redraft: RedraftContext,
    row: DraftRow,
    source: Source,
    beat: Beat,
) -> list[Message]:
    """Return the messages about the draft to redraft: the text on disk, or the stored one without a file."""
    data = read_bytes(settings.output, redraft.previous.path)
    text = data.decode("utf-8", "replace") if data else redraft.previous.text
    metadata, body = loads(text, redraft.previous.path)
    front = front_of(metadata, body, beat)
    findings = run_checks(source, body, beat, front=front)
    relevant = findings_for_redraft(row, source, front, body, findings)
    return add_redraft_instructions(messages, redraft.request, body, relevant)


def _item(db: Database, subscriptions: Subscriptions, ref: str) -> tuple[FeedConfig, Item]:
    """Return the item of a reference; a feed's key means its newest queued item. Raises ReviewError."""
    keys = {key: feed for feed in subscriptions.feeds for key in (feed.key, *feed.previous_keys)}
    if ref in keys:
        waiting = db.items.waiting(keys[ref].key)
        if not waiting:
            raise ReviewError(f"the feed {ref} has no queued item; name a draft or an item's link", draft=ref)
        return keys[ref], waiting[0]
    feed_key, item = db.items.find(ref)
    return subscriptions.feed(feed_key), item


def _request_body(
    connection: ModelConnection,
    prompt: Prompt,
    messages: Sequence[Message],
    shape: type[BaseModel],
    stored_capability: str | None,
) -> dict[str, Any]:
    """Return the JSON body of the request, in the request mode stored for the server."""
    profile = profile_of(connection.base_url, connection.server)
    capability = KnownCapability.model_validate_json(stored_capability) if stored_capability else None
    options = options_of(connection, **prompt.hints.model_dump())
    mode = cached_mode(capability, datetime.now(UTC), RequestMode(length_field=profile.length_field))
    request = build_request(messages, shape, Attempt(mode, options.max_tokens), options)
    return {"model": connection.model or None, **request, **profile.extra, **options.extra}


def _print_verbatim(text: str) -> None:
    out.print(text, markup=False, emoji=False)


def lint(*, as_json: bool) -> None:
    """Check every template with its examples; exits with the exit code of the first error."""
    settings = load_settings()
    folder = settings.prompts
    beats = load_feeds(settings.feeds_file).beats
    names = sorted({*template_names(folder), *_prompt_names(beats)})
    rows: list[tuple[object, ...]] = []
    failed: list[CopydeskError] = []
    for name in names:
        try:
            prompt = load_prompt(folder, name)
            rows.append(_row(name, prompt, beats))
            failed += _example_errors(prompt)
        except CopydeskError as error:
            failed.append(error)
    columns = ("prompt", "beats", "examples", "fixed characters", "fixed tokens, at most", "file")
    if as_json:
        prompts = [dict(zip(columns, row, strict=True)) for row in rows]
        print_json({"prompts": prompts, "errors": [problem.message for problem in failed]})
    else:
        table("Prompts", columns, rows)
        for problem in failed:
            err.print(f"error: {printable(problem.message)}")
    if failed:
        sys.exit(failed[0].exit_code)
    if not as_json:
        print_line(f"\n{pluralize(len(rows), 'prompt')} checked, no errors.")


def _example_errors(prompt: Prompt) -> list[CopydeskError]:
    """Return what the checks object to in the examples' answers, as errors: models copy the examples."""
    errors: list[CopydeskError] = []
    for example in prompt.examples:
        beat = Beat(key="example", vocabulary=(example.source.category,))
        article = parse_response(example.answer, example.source, beat)
        body = render_body(article, beat)
        provenance = Provenance(rewritten=True, model="example", prompt=prompt.id)
        now = example.source.item.published_at
        front = front_of(build_front_matter(example.source, article, provenance, (), now=now), body, beat)
        errors += [
            ConfigError(f"{example.path}: the answer: {finding.message}", file=example.path)
            for finding in run_checks(example.source, body, beat, front=front)
            if finding.severity is not Severity.NOTE
        ]
    return errors


def _prompt_names(beats: dict[str, Beat]) -> set[str]:
    verified = {REPAIR_PROMPT} if any(beat.repair_sentences for beat in beats.values()) else set()
    return {beat.prompt for beat in beats.values()} | verified


def _row(name: str, prompt: Prompt, beats: dict[str, Beat]) -> tuple[object, ...]:
    users = [
        key
        for key, beat in beats.items()
        if name == beat.prompt or (name == REPAIR_PROMPT and beat.repair_sentences)
    ]
    beat = beats[users[0]] if users else Beat(key="sample")
    messages = prompt.messages(SAMPLE, beat)
    fixed = [*messages[:-1], Message(role="user", content=messages[-1]["content"].partition("===")[0])]
    characters = sum(len(message["content"]) for message in fixed)
    tokens = estimate_prompt_tokens({"messages": fixed})
    used = ", ".join(users) or "none"
    file = "packaged" if is_packaged(prompt.path) else prompt.path
    return prompt.id, used, len(prompt.examples), f"{characters:,}", f"{tokens:,}", file


SAMPLE = Source(
    item=Item.model_validate({"guid": "sample", "published_at": "2026-01-01T00:00:00Z"}),
    feed_key="sample",
    feed_name="Sample",
    first_key="sample",
    category="SAMPLE",
    language="en",
)
