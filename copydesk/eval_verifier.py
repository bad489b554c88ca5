"""`copydesk eval --verifier`: measures a model as second reader, and keeps the result beside its profile."""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from copydesk.console import ask_to_continue, err, pluralize, print_json, print_line, printable, table
from copydesk.eval import load_profiles
from copydesk.eval_verifier_page import lines, measurement_page, rows_of, summary
from pipeline.config import ModelConnection, Settings, load_settings
from pipeline.domain.errors import BudgetExceeded, ConfigError, LLMError
from pipeline.domain.model_calls import LLMResponse, TokenUsage
from pipeline.llm.capabilities import RequestMode
from pipeline.llm.chat import Attempt, build_request
from pipeline.llm.client import build_client, options_of
from pipeline.llm.pricing import Price
from pipeline.llm.structured_output import UnlimitedBudget, request_structured
from pipeline.rewrite.prompt import Prompt, load_prompt
from pipeline.services.estimate import estimate_call
from pipeline.services.writers import priced
from pipeline.storage import dollars
from pipeline.verifier.evaluation.labelled_set import LabelledSet, load_labelled_set
from pipeline.verifier.evaluation.measurement import Measurement, page_path, save_measurement
from pipeline.verifier.evaluation.measuring import questions, verify_all
from pipeline.verifier.evaluation.scoring import Verified, score
from pipeline.verifier.objections import WireObjections
from pipeline.verifier.request import PROMPT, verify_messages

_ANSWER_TOKENS = 300
"""Tokens of a likely answer about a labelled draft, which has five slips. Chosen, not measured."""


class MeasuringBudget(UnlimitedBudget):
    """Adds up what a measuring costs, and keeps it within a cap."""

    def __init__(self, price: Price, cap: int | None) -> None:
        super().__init__()
        self.spent = 0
        """In millionths of a US dollar, as far as the price is known."""
        self._price, self._cap = price, cap
        self._reserved: dict[int, int] = {}
        self._last = 0

    async def reserve(self, prompt_tokens: int, answer_tokens: int) -> tuple[int | None, int]:
        """Reserve the highest cost of a request. Raises BudgetExceeded."""
        usage = TokenUsage(prompt_tokens=prompt_tokens, completion_tokens=answer_tokens)
        highest = self._price.micros(usage) or 0
        if self._cap is not None and self.spent + sum(self._reserved.values()) + highest > self._cap:
            raise BudgetExceeded("COPYDESK_CAP_RUN is reached", cap=self._cap, spent=self.spent)
        self._last += 1
        self._reserved[self._last] = highest
        return self._last, answer_tokens

    async def release(self, reservation: int | None) -> None:
        """Release a reservation: the request got no answer."""
        self._reserved.pop(reservation or 0, None)

    async def record(self, answer: LLMResponse, purpose: str, reservation: int | None) -> None:
        """Add the answer's usage and cost."""
        await super().record(answer, purpose, reservation)
        self.spent += self._price.micros(answer.usage) or 0
        self._reserved.pop(reservation or 0, None)


class Estimate(NamedTuple):
    """What a measuring may cost; in millionths of a US dollar, None where the price is not known."""

    requests: int
    tokens: int
    """Of the prompts, at most."""
    likely: int | None
    highest: int | None
    """If each answer has the maximal length."""

    def __str__(self) -> str:
        """Return the estimate in words."""
        text = f"{pluralize(self.requests, 'request')}, at most {self.tokens:,} tokens"
        if self.likely is None or self.highest is None:
            return text
        return f"{text}, for about {dollars(self.likely)}, at most {dollars(self.highest)}"


def measure_verifier(profile: str | None, others: Mapping[str, object], *, yes: bool, as_json: bool) -> None:
    """Measure a profile's model over the labelled set; `yes`: no question, whatever the cost.

    `others` are the other options, of which none may be given. Raises ConfigError where something is not set
    up, a cap is too low, or the cost needs a confirmation and there is no terminal; LLMError where no request
    was answered.
    """
    if profile is None:
        raise ConfigError("--yes needs --verifier: nothing else asks before it costs money")
    if conflicting := [name for name, value in others.items() if value]:
        raise ConfigError(
            f"--verifier measures a second reader over evals/verifier: leave {conflicting[0]} out"
        )
    settings = load_settings()
    folder = settings.base / "evals"
    labelled = load_labelled_set(folder)
    connection = load_profiles(settings, (), profile).connections[profile]
    price = priced(settings, connection)
    prompt = load_prompt(settings.prompts, PROMPT)
    estimate = _estimate(labelled, prompt, connection, price)
    err.print(f"Sending {estimate} to {connection.model}.", markup=False)
    cap = None if settings.cap_run is None else int(settings.cap_run * 1_000_000)
    if cap is not None and estimate.likely is not None and estimate.likely > cap:
        raise _cap_is_too_low(cap)
    if not yes and not _is_confirmed(estimate, settings):
        err.print("Stopped: nothing was sent.")
        return
    measurement = asyncio.run(_measure(labelled, prompt, connection, price, cap, settings))
    try:
        save_measurement(folder, measurement, measurement_page(measurement))
    finally:  # it was paid for
        if as_json:
            print_json(measurement.model_dump(mode="json") | summary(measurement.scores))
        else:
            _print(measurement, page_path(folder, profile))


def _estimate(labelled: LabelledSet, prompt: Prompt, connection: ModelConnection, price: Price) -> Estimate:
    options = options_of(connection)
    attempt = Attempt(RequestMode(), options.max_tokens)
    calls = []
    for draft, question in questions(labelled.drafts):
        messages = verify_messages(prompt, question, draft.beat)
        request = build_request(messages, WireObjections, attempt, options)
        calls.append(estimate_call(price, options, request, _ANSWER_TOKENS))
    tokens, likely, highest = (sum(counts) for counts in zip(*calls, strict=True))
    return Estimate(len(calls), tokens, *((likely, highest) if price.is_known else (None, None)))


def _is_confirmed(estimate: Estimate, settings: Settings) -> bool:
    """Return whether to go on: the cost is low or not known, or the user says yes. Raises ConfigError."""
    if estimate.likely is None or estimate.likely <= settings.confirm * 1_000_000:
        return True
    return ask_to_continue(f"this would send {estimate}", "add --yes to continue")


def _cap_is_too_low(cap: int) -> ConfigError:
    return ConfigError(
        f"nothing was measured: COPYDESK_CAP_RUN, {dollars(cap)}, is less than that costs; set it higher",
        variable="COPYDESK_CAP_RUN",
    )


async def _measure(
    labelled: LabelledSet,
    prompt: Prompt,
    connection: ModelConnection,
    price: Price,
    cap: int | None,
    settings: Settings,
) -> Measurement:
    budget = MeasuringBudget(price, cap)
    started = time.monotonic()
    try:
        async with build_client(connection) as model:
            ask = partial(request_structured, model, budget=budget)
            results = await verify_all(labelled.drafts, prompt, ask, connection.max_in_flight)
    except BudgetExceeded as error:
        raise _cap_is_too_low(cap or 0) from error
    _require_an_answer(results)
    return Measurement(
        profile=connection.profile,
        model=connection.model,
        prompt=prompt.id,
        labelled_set=labelled.digest,
        measured_at=datetime.now(UTC),
        seconds=round(time.monotonic() - started, 1),
        micros=budget.spent if price.is_known else None,
        usage=budget.usage,
        scores=score(results),
    )


def _require_an_answer(results: list[Verified]) -> None:
    """Raise the first error where no request was answered: that says nothing about the model."""
    errors = [each.error for result in results for each in (result.faulty, result.faultless)]
    if isinstance(errors[0], LLMError) and all(errors):
        raise errors[0]


def _print(measurement: Measurement, page: Path) -> None:
    scores = measurement.scores
    table("Errors found", ("kind", "found", "recall"), rows_of(scores.by_kind, scores.total))
    print_line()
    table("By language", ("language", "found", "recall"), rows_of(scores.by_language))
    print_line()
    for name, value in lines(measurement):
        print_line(f"{name}: {printable(value)}")
    print_line(f"Everything that was missed or objected to falsely: {printable(page)}")
