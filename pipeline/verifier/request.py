"""The request to the second reader: instructions, the source once, then the draft's numbered sentences.

Source and draft are data, each between two random marker lines, against prompt injection.
"""

from collections.abc import Iterator
from itertools import groupby

from pipeline.domain.models import Beat
from pipeline.domain.prompt_markers import marked
from pipeline.domain.text import one_line, replace_surrogates
from pipeline.llm.chat import Message
from pipeline.rewrite.hidden_text import strip_hidden_text
from pipeline.rewrite.prompt import Prompt
from pipeline.verifier.question import Question
from pipeline.verifier.source_windows import excerpt, shown_source

PROMPT = "verify"
"""Name of the template in prompts/."""


def verify_messages(prompt: Prompt, question: Question, beat: Beat) -> list[Message]:
    """Return the messages: the fixed part first, then the source, then the sentences.

    Raises ConfigError when the template cannot be rendered.
    """
    source = question.source
    shown = shown_source(source, excerpt(source.item.text, question.windows))
    *fixed, last = prompt.messages(shown, beat)
    article = marked("article", replace_surrogates(strip_hidden_text("\n".join(_lines(question)))))
    return [*fixed, Message(role=last["role"], content=f"{last['content']}\n\n{article}")]


def _lines(question: Question) -> Iterator[str]:
    """Yield a line for each part of the draft, and one for each of its sentences."""
    draft = question.draft
    sentences = [sentence for sentence in draft.sentences if sentence.number in question.numbers]
    for part, group in groupby(sentences, key=lambda each: "opinion" if each.is_opinion else each.field):
        yield f"{part}:"
        for sentence in group:
            mark = "## " if sentence.is_heading else ""
            yield f"{sentence.number}. {mark}{one_line(draft.text_of(sentence))}"
