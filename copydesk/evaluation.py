"""`copydesk eval`: what a prompt is worth, by the golden set; recorded answers, or a model's own."""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from copydesk import evalpage
from copydesk.console import counted, err, machine
from copydesk.writer import Writer, open_writer
from pipeline.checks import run_checks
from pipeline.errors import ConfigError, ModelError, ModelRefused
from pipeline.ledger import dollars
from pipeline.models import Answer, Usage
from pipeline.output.files import write_atomically
from pipeline.output.render import build_metadata, render_body
from pipeline.output.settling import front_of
from pipeline.rewrite.evaluation import Score, changed, score
from pipeline.rewrite.golden import KEY, RECORDED, Case, load_cases, load_recorded, record
from pipeline.rewrite.model import OPENAI_URL
from pipeline.rewrite.price import Price as Published
from pipeline.rewrite.price import Rates
from pipeline.rewrite.prompt import load_prompt
from pipeline.rewrite.request import estimate
from pipeline.rewrite.wire import read_answer
from pipeline.settings import Settings, load_settings

Price = Callable[[Usage], int | None]
"""What tokens cost, in millionths of a US dollar; None where nobody knows."""
Answers = Mapping[str, Answer | ModelError]
"""By item; an error where there is none."""
Keep = Callable[[str, Answer], None]
"""Takes an item's key and its answer, which was paid for."""
DEFAULT = "hand-written"


def evaluate(
    answers: str | None,
    *,
    ask: bool,
    prompt: str | None,
    against: str | None,
    save: str | None,
    as_json: bool,
    price: Price | None = None,
) -> None:
    """Score a set of answers, beside another set where one is named; exit code 1 where one fails."""
    _refuse_unfit(answers, prompt, save, ask=ask)
    settings = load_settings()
    folder = settings.base / "evals"
    cases = load_cases(folder)
    if save and (folder / RECORDED / save).exists():
        raise ConfigError(f"answers are recorded as {save!r} already; choose another name for --save")
    price = price or _price(settings)
    before = _replayed(cases, load_recorded(folder, against), price) if against else None
    told: Answers
    if ask:
        told = asyncio.run(_asked(settings, cases, prompt, price, partial(_keep, folder, save)))
    else:
        told = load_recorded(folder, answers or DEFAULT)
    scores = _replayed(cases, told, price)
    if not scores:
        raise ConfigError(f"the answers {answers or DEFAULT!r} are about no item of the golden set")
    _print(scores, before, cases, told, as_json=as_json)
    if not all(one.passed for one in scores):
        sys.exit(1)


def judge(case: Case, answer: Answer | ModelError, price: Price) -> Score:
    """Return what one answer is worth."""
    if isinstance(answer, ModelError):
        return Score(item=case.key, trouble=answer.message)
    micros = price(answer.usage) if answer.usage != Usage() else None
    try:
        article = read_answer(answer.text, case.source, case.beat)
    except ModelError as error:
        return Score(item=case.key, trouble=error.message, usage=answer.usage, micros=micros)
    body = render_body(article, case.beat)
    published = case.source.item.published_at
    metadata = build_metadata(case.source, article, answer.provenance, (), now=published)
    findings = run_checks(case.source, body, case.beat, front=front_of(metadata, body, case.beat))
    return score(case.key, case.source.item.text, case.wanted, article, body, findings, answer.usage, micros)


async def write_all(
    cases: Sequence[Case], writer: Writer, at_once: int, keep: Keep = lambda _item, _answer: None
) -> dict[str, Answer | ModelError]:
    """Return what a writer answers about every item; each answer is kept as soon as it is there.

    Raises ModelRefused where no other item would fare better.
    """
    free = asyncio.Semaphore(at_once)

    async def one(case: Case) -> Answer | ModelError:
        async with free:
            try:
                answer = await writer.write(case.source, case.beat)
            except ModelRefused:
                raise
            except ModelError as error:
                return error
            keep(case.key, answer)
            return answer

    told = await asyncio.gather(*map(one, cases))
    return {case.key: answer for case, answer in zip(cases, told, strict=True)}


def _replayed(cases: Sequence[Case], told: Answers, price: Price) -> list[Score]:
    return [judge(case, told[case.key], price) for case in cases if case.key in told]


async def _asked(
    settings: Settings, cases: Sequence[Case], name: str | None, price: Price, keep: Keep
) -> Answers:
    async with open_writer(settings, name) as writer:
        asked = [_estimate(settings.base / "prompts", case, name) for case in cases]
        most = price(Usage(prompt_tokens=sum(asked), completion_tokens=1000 * len(cases)))
        cost = "" if most is None else f", about {dollars(most)} at the most"
        items = counted(len(cases), "item")
        err.print(f"Asking {settings.model} about {items}: {sum(asked):,} tokens{cost}.", markup=False)
        return await write_all(cases, writer, settings.max_in_flight, keep)


def _estimate(folder: Path, case: Case, name: str | None) -> int:
    messages = load_prompt(folder, name or case.beat.prompt).messages(case.source, case.beat)
    return estimate({"messages": messages})


def _price(settings: Settings) -> Price:
    if settings.model is None:
        return lambda _usage: None
    rates = Rates(*settings.price) if settings.price else None
    return Published(settings.model, settings.base_url or OPENAI_URL, rates).micros


def _keep(folder: Path, name: str | None, item: str, answer: Answer) -> None:
    if name:
        kept = record(answer).model_dump(mode="json")
        text = json.dumps(kept, indent=2, ensure_ascii=False) + "\n"
        write_atomically(folder, f"{RECORDED}/{name}/{item}.json", text.encode("utf-8", "replace"))


def _refuse_unfit(answers: str | None, prompt: str | None, save: str | None, *, ask: bool) -> None:
    if ask and answers:
        raise ConfigError("name recorded answers or say --ask, not both")
    if not ask and (prompt or save):
        raise ConfigError(
            f"{'--prompt' if prompt else '--save'} goes with --ask: recorded answers stay as they are"
        )
    if save and (not KEY.fullmatch(save) or save == DEFAULT):
        raise ConfigError(f"--save {save!r}: write letters a to z, digits and -, and not {DEFAULT}")


def _print(
    scores: list[Score], before: list[Score] | None, cases: Sequence[Case], told: Answers, *, as_json: bool
) -> None:
    pairs = changed(scores, before or [])
    if as_json:
        machine([evalpage.as_dict(one, other) for one, other in pairs])
        return
    if before is not None:
        evalpage.compare(pairs)
    evalpage.show(scores, len(cases))
    evalpage.origin(
        [one.provenance for one in told.values() if isinstance(one, Answer)],
        sorted(told.keys() - {case.key for case in cases}),
    )
