"""Measures a second reader: verifies every labelled draft, with its slips and without."""

import asyncio
from collections.abc import Iterable, Sequence

from pipeline.domain.errors import BudgetExceeded, LLMRejected
from pipeline.rewrite.prompt import Prompt
from pipeline.verifier.evaluation.labelled_set import LabelledDraft
from pipeline.verifier.evaluation.scoring import Verified
from pipeline.verifier.question import Question
from pipeline.verifier.verify import Ask, Verification, verify


async def verify_all(
    drafts: Sequence[LabelledDraft], prompt: Prompt, ask: Ask, at_once: int
) -> list[Verified]:
    """Return the verifications of both texts of every draft, `at_once` calls at a time.

    Raises LLMRejected when every other call would fail too, BudgetExceeded at a cap.
    """
    free = asyncio.Semaphore(at_once)

    async def verify_one(question: Question, draft: LabelledDraft) -> Verification:
        async with free:
            result = await verify(question, prompt, draft.beat, ask, profile="")
        if isinstance(result.error, LLMRejected | BudgetExceeded):
            raise result.error
        return result

    tasks = []
    try:
        async with asyncio.TaskGroup() as group:
            for draft, question in questions(drafts):
                tasks.append(group.create_task(verify_one(question, draft)))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    answers = [task.result() for task in tasks]
    return [Verified(*each) for each in zip(drafts, answers[::2], answers[1::2], strict=True)]


def questions(drafts: Iterable[LabelledDraft]) -> list[tuple[LabelledDraft, Question]]:
    """Return what is asked about each draft: with its slips, and without."""
    return [
        (draft, Question(draft.source, draft.numbered(text)))
        for draft in drafts
        for text in (draft.faulty, draft.faultless)
    ]
