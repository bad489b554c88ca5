"""The request to the second reader: instructions, the source once, then the draft's numbered sentences.

Source and draft are data, each between two random marker lines, against prompt injection.
"""

import secrets
from collections.abc import Iterator, Sequence
from itertools import groupby

from pipeline.domain.models import Beat, Source
from pipeline.domain.text import one_line, replace_surrogates
from pipeline.llm.chat import Message
from pipeline.rewrite.hidden_text import strip_hidden_text
from pipeline.rewrite.prompt import Prompt
from pipeline.verifier.numbered_draft import NumberedDraft, NumberedSentence
from pipeline.verifier.source_windows import excerpt, source_windows

PROMPT = "verify"
"""Name of the template in prompts/."""


def verify_messages(
    prompt: Prompt, source: Source, draft: NumberedDraft, beat: Beat, only: frozenset[int] | None = None
) -> list[Message]:
    """Return the messages: the fixed part first, then the source, then the sentences.

    `only` are the numbers to verify after an edit; None for all. Raises ConfigError when the template cannot
    be rendered.
    """
    windows = source_windows(source.item.text, draft, source.language)
    item = source.item.model_copy(update={"text": excerpt(source.item.text, windows)})
    *fixed, last = prompt.messages(source.model_copy(update={"item": item}), beat)
    marker = f"=== article {secrets.token_hex(4)} ==="
    lines = "\n".join(_lines(draft, only))
    content = f"{last['content']}\n\n{marker}\n{replace_surrogates(strip_hidden_text(lines))}\n{marker}"
    return [*fixed, Message(role=last["role"], content=content)]


def _lines(draft: NumberedDraft, only: frozenset[int] | None) -> Iterator[str]:
    """Yield a line for each part of the draft, and one for each of its sentences."""
    sentences: Sequence[NumberedSentence] = [
        sentence for sentence in draft.sentences if only is None or sentence.number in only
    ]
    for part, group in groupby(sentences, key=lambda each: "opinion" if each.is_opinion else each.field):
        yield f"{part}:"
        for sentence in group:
            mark = "## " if sentence.is_heading else ""
            yield f"{sentence.number}. {mark}{one_line(draft.text_of(sentence))}"
