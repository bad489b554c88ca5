"""`copydesk eval`: scores recorded answers or new answers of the model against the golden set in evals/.

Model calls of an evaluation are not stored in the database and not counted against the spending caps.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from copydesk import eval_report
from copydesk.console import err, pluralize, print_json
from pipeline.articles.approved_metadata import front_of
from pipeline.articles.files import write_atomically
from pipeline.articles.render import build_front_matter, render_body
from pipeline.checks.runner import run_checks
from pipeline.config import (
    ModelConnection,
    Settings,
    connection_named,
    load_feeds,
    load_settings,
    require_secrets,
)
from pipeline.domain.errors import ConfigError, LLMError, LLMRejected
from pipeline.domain.model_calls import LLMResponse, TokenUsage
from pipeline.domain.models import DEFAULT_PROFILE, Beat, Source
from pipeline.llm.chat import estimate_prompt_tokens
from pipeline.llm.client import LLMClient, build_client
from pipeline.llm.pricing import Price as PublishedPrice
from pipeline.llm.structured_output import StructuredRequest, UnlimitedBudget, request_structured
from pipeline.rewrite.article_schema import WireArticle, parse_response
from pipeline.rewrite.evaluation.golden_set import (
    KEY,
    RECORDED,
    GoldenCase,
    load_cases,
    load_recorded,
    record,
)
from pipeline.rewrite.evaluation.scoring import EvaluatedArticle, Score, pair_scores, score
from pipeline.rewrite.prompt import Prompt, load_prompt
from pipeline.services.subscriptions import example_texts
from pipeline.services.writers import price_of
from pipeline.storage import dollars


class Writer(Protocol):
    """Answers requests to rewrite an item."""

    async def write(self, source: Source, beat: Beat) -> LLMResponse:
        """Return the accepted answer, with the token usage of all its calls. Raises LLMError."""


class Profiles(NamedTuple):
    """The model profiles of an evaluation."""

    connections: Mapping[str, ModelConnection]
    chosen: str | None = None
    """The profile for every beat; None: each beat's own."""

    def name(self, beat: Beat) -> str:
        """Return the name of a beat's profile."""
        return self.chosen or beat.model or DEFAULT_PROFILE

    def price(self, beat: Beat, model: str | None = None) -> "Price":
        """Return the price of answers about a beat by its profile, or by another model: its published one."""
        connection = self.connections.get(self.name(beat))
        if connection and model in {None, connection.model}:
            return price_of(connection).micros
        return PublishedPrice(model, "").micros if model else lambda _usage: None


def load_profiles(settings: Settings, cases: Sequence[GoldenCase], chosen: str | None) -> Profiles:
    """Return the profiles that will be asked. Raises ConfigError where one is not set up."""
    names = {chosen} if chosen else {case.beat.model or DEFAULT_PROFILE for case in cases}
    defined = load_feeds(settings.feeds_file).models if names != {DEFAULT_PROFILE} else {}
    connections = {name: connection_named(settings, defined, name) for name in sorted(names)}
    for connection in connections.values():
        require_secrets(connection)
    return Profiles(connections, chosen)


@contextlib.asynccontextmanager
async def open_writer(settings: Settings, profiles: Profiles, prompt: str | None) -> AsyncIterator[Writer]:
    """Yield the models, with the prompt `prompt` or each beat's own."""
    async with contextlib.AsyncExitStack() as stack:
        clients = {
            name: await stack.enter_async_context(build_client(connection))
            for name, connection in profiles.connections.items()
        }
        yield ModelWriter(lambda beat: clients[profiles.name(beat)], settings.prompts, prompt)


class ModelWriter:
    """Rewrites items with the models of their beats and the prompt templates of a folder."""

    def __init__(self, model_of: Callable[[Beat], LLMClient], folder: Path, name: str | None = None) -> None:
        self._model_of = model_of
        self._folder = folder
        self._name = name
        self._prompts: dict[str, Prompt] = {}

    async def write(self, source: Source, beat: Beat) -> LLMResponse:
        """Return the accepted answer, with the token usage of all its calls. Raises LLMError, ConfigError."""
        prompt = self._prompt(self._name or beat.prompt)
        budget = UnlimitedBudget()
        task = StructuredRequest(
            messages=prompt.messages(source, beat),
            prompt_id=prompt.id,
            response_model=WireArticle,
            parse=partial(parse_response, source=source, beat=beat),
            purpose="eval",
            max_tokens=prompt.hints.max_tokens,
            temperature=prompt.hints.temperature,
        )
        answer, _ = await request_structured(self._model_of(beat), task, budget)
        return answer.model_copy(update={"usage": budget.usage})

    def _prompt(self, name: str) -> Prompt:
        if name not in self._prompts:
            self._prompts[name] = load_prompt(self._folder, name)
        return self._prompts[name]


Price = Callable[[TokenUsage], int | None]
"""Returns the cost of tokens in millionths of a US dollar; None if the price is unknown."""
Answers = Mapping[str, LLMResponse | LLMError]
"""Answers by item key; an error if the request failed."""
Keep = Callable[[str, LLMResponse], None]
"""Saves the answer of an item key."""
DEFAULT = "hand-written"


def evaluate(
    answers: str | None,
    *,
    ask: bool,
    prompt: str | None,
    against: str | None,
    save: str | None,
    as_json: bool,
    model: str | None = None,
) -> None:
    """Score a set of answers, and compare it with the set `against`; exit code 1 if an article fails."""
    _validate_options(answers, {"--prompt": prompt, "--model": model, "--save": save}, save, ask=ask)
    settings = load_settings()
    folder = settings.base / "evals"
    cases = with_examples(settings, load_cases(folder), prompt)
    if save and os.path.lexists(folder / RECORDED / save):
        raise ConfigError(f"the recorded answers {save!r} already exist; choose another name for --save")
    if ask:
        profiles = load_profiles(settings, cases, model)
    else:
        named = [DEFAULT_PROFILE] if settings.model else []
        profiles = Profiles({name: connection_named(settings, {}, name) for name in named})
    before = _score_all(cases, load_recorded(folder, against), profiles) if against else None
    recorded: Answers
    if ask:
        recorded = asyncio.run(
            _ask_models(settings, cases, prompt, profiles, partial(_save_answer, folder, save))
        )
    else:
        recorded = load_recorded(folder, answers or DEFAULT)
    scores = _score_all(cases, recorded, profiles)
    if not scores:
        raise ConfigError(
            f"the recorded answers {answers or DEFAULT!r} contain no item of the golden set; name another set"
        )
    _print(scores, before, cases, recorded, as_json=as_json)
    if not all(result.passed for result in scores):
        sys.exit(1)


def with_examples(
    settings: Settings, cases: Sequence[GoldenCase], prompt: str | None = None
) -> list[GoldenCase]:
    """Return the cases with the texts of their prompts' examples, which articles must not copy."""
    names = [prompt or case.beat.prompt for case in cases]
    texts = {name: example_texts(settings, name) for name in set(names)}
    return [
        replace(case, beat=case.beat.model_copy(update={"example_texts": texts[name]}))
        for case, name in zip(cases, names, strict=True)
    ]


def score_answer(case: GoldenCase, answer: LLMResponse | LLMError, price: Price) -> Score:
    """Return the score of one answer."""
    if isinstance(answer, LLMError):
        return Score(item=case.key, trouble=answer.message)
    micros = price(answer.usage) if answer.usage != TokenUsage() else None
    try:
        article = parse_response(answer.text, case.source, case.beat)
    except LLMError as error:
        return Score(item=case.key, trouble=error.message, usage=answer.usage, micros=micros)
    body = render_body(article, case.beat)
    published = case.source.item.published_at
    metadata = build_front_matter(case.source, article, answer.provenance, (), now=published)
    findings = run_checks(case.source, body, case.beat, front=front_of(metadata, body, case.beat))
    evaluated = EvaluatedArticle(article, body, findings, answer.usage, micros)
    return score(case.key, case.source.item.text, case.expectation, evaluated)


async def write_all(
    cases: Sequence[GoldenCase], writer: Writer, at_once: int, keep: Keep = lambda _item, _answer: None
) -> dict[str, LLMResponse | LLMError]:
    """Return the writer's answers for all cases, `at_once` at a time; `keep` saves each one immediately.

    Raises LLMRejected, since then every other request would fail too.
    """
    free = asyncio.Semaphore(at_once)

    async def write_one(case: GoldenCase) -> LLMResponse | LLMError:
        async with free:
            try:
                answer = await writer.write(case.source, case.beat)
            except LLMRejected:
                raise
            except LLMError as error:
                return error
            keep(case.key, answer)
            return answer

    answers = await asyncio.gather(*map(write_one, cases))
    return {case.key: answer for case, answer in zip(cases, answers, strict=True)}


def _score_all(cases: Sequence[GoldenCase], answers: Answers, profiles: Profiles) -> list[Score]:
    def scored(case: GoldenCase, answer: LLMResponse | LLMError) -> Score:
        model = answer.provenance.model if isinstance(answer, LLMResponse) else None
        return score_answer(case, answer, profiles.price(case.beat, model))

    return [scored(case, answers[case.key]) for case in cases if case.key in answers]


async def _ask_models(
    settings: Settings, cases: Sequence[GoldenCase], name: str | None, profiles: Profiles, keep: Keep
) -> Answers:
    async with open_writer(settings, profiles, name) as writer:
        tokens = [_estimate(settings.prompts, case, name) for case in cases]
        highest = [
            profiles.price(case.beat)(TokenUsage(prompt_tokens=count, completion_tokens=1000))
            for case, count in zip(cases, tokens, strict=True)
        ]
        known_prices = [micros for micros in highest if micros is not None]
        cost = f", at most about {dollars(sum(known_prices))}" if len(known_prices) == len(cases) else ""
        items = pluralize(len(cases), "item")
        models = " and ".join(connection.model for connection in profiles.connections.values())
        err.print(f"Sending {items} to {models}: {sum(tokens):,} tokens{cost}.", markup=False)
        return await write_all(cases, writer, settings.max_in_flight, keep)


def _estimate(folder: Path, case: GoldenCase, name: str | None) -> int:
    messages = load_prompt(folder, name or case.beat.prompt).messages(case.source, case.beat)
    return estimate_prompt_tokens({"messages": messages})


def _save_answer(folder: Path, name: str | None, item: str, answer: LLMResponse) -> None:
    if name:
        recorded = record(answer).model_dump(mode="json")
        text = json.dumps(recorded, indent=2, ensure_ascii=False) + "\n"
        write_atomically(folder, f"{RECORDED}/{name}/{item}.json", text.encode("utf-8", "replace"))


def _validate_options(
    answers: str | None, with_ask: Mapping[str, str | None], save: str | None, *, ask: bool
) -> None:
    """Raise ConfigError where options exclude each other; those of `with_ask` need --ask."""
    if ask and answers:
        raise ConfigError("name recorded answers or use --ask, not both")
    for option in () if ask else [name for name, value in with_ask.items() if value]:
        raise ConfigError(f"{option} needs --ask: recorded answers are not changed")
    if save and (not KEY.fullmatch(save) or save == DEFAULT):
        raise ConfigError(f"--save {save!r}: use letters a to z, digits and -; {DEFAULT!r} is reserved")


def _print(
    scores: list[Score],
    before: list[Score] | None,
    cases: Sequence[GoldenCase],
    answers: Answers,
    *,
    as_json: bool,
) -> None:
    pairs = pair_scores(scores, before or [])
    if as_json:
        print_json([eval_report.as_dict(score, other) for score, other in pairs])
        return
    if before is not None:
        eval_report.compare(pairs)
    eval_report.show(scores, len(cases))
    eval_report.print_origin(
        [answer.provenance for answer in answers.values() if isinstance(answer, LLMResponse)],
        sorted(answers.keys() - {case.key for case in cases}),
    )
