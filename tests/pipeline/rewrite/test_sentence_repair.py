import json

import pytest

from pipeline.domain.errors import LLMError
from pipeline.domain.reviews import Finding, Severity
from pipeline.llm.chat import Message
from pipeline.rewrite.sentence_repair import add_flags, apply_repairs, flag_sentences, parse_repairs

BODY = (
    "## Overview\n\nThe port closes on 3 March. It costs 9 million euros. Nobody was hurt.\n\n"
    "## Impact on the market\n\n- Ferries may be late.\n- Prices will double.\n"
)


def finding(words: str, severity: Severity = Severity.BLOCK) -> Finding:
    start = BODY.index(words)
    return Finding(
        kind="figures", severity=severity, message=f"About {words}.", span=(start, start + len(words))
    )


def test_the_whole_sentence_is_flagged_once_with_every_reason() -> None:
    flags = flag_sentences(BODY, [finding("9 million"), finding("euros"), finding("Nobody", Severity.NOTE)])
    assert [flag.text for flag in flags] == ["It costs 9 million euros."]
    assert flags[0].reasons == ("About 9 million.", "About euros.")


def test_a_bullet_is_flagged_without_its_sign_and_a_heading_never() -> None:
    flags = flag_sentences(BODY, [finding("double"), finding("Impact")])
    assert [flag.text for flag in flags] == ["Prices will double."]


def test_only_flagged_sentences_change() -> None:
    flags = flag_sentences(BODY, [finding("9 million"), finding("double")])
    after = apply_repairs(BODY, flags, {1: "It costs 6 million euros.", 2: "Prices may rise."})
    assert after == BODY.replace("9 million", "6 million").replace("will double", "may rise")
    assert apply_repairs(BODY, flags, {}) == BODY


def test_a_sentence_may_go_but_not_the_last_of_its_line() -> None:
    flags = flag_sentences(BODY, [finding("9 million"), finding("double")])
    after = apply_repairs(BODY, flags, {1: "", 2: ""})
    assert "3 March. Nobody was hurt." in after
    assert "- Prices will double." in after


def test_the_request_lists_the_sentences_and_what_is_wrong() -> None:
    messages: list[Message] = [{"role": "user", "content": "the item"}]
    [message] = add_flags(messages, BODY, flag_sentences(BODY, [finding("9 million")]))
    assert message["content"].startswith("the item")
    assert json.loads(message["content"].splitlines()[-1]) == {
        "number": 1, "sentence": "It costs 9 million euros.", "wrong": ["About 9 million."],
    }  # fmt: skip


def test_an_answer_about_another_sentence_is_of_no_use() -> None:
    assert parse_repairs('{"sentences": [{"number": 1, "text": "a\\n b"}]}', 1) == {1: "a b"}
    with pytest.raises(LLMError, match="no sentence 2"):
        parse_repairs('{"sentences": [{"number": 2, "text": "a"}]}', 1)
