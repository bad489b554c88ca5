"""The reader of answers: what it reads as the object that was asked for, what it refuses, what it notes."""

import json
import re
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from pipeline.domain.errors import FailureCause, LLMError
from pipeline.llm.answers import is_complete, read_answer


class Mood(StrEnum):
    POSITIVE = "POSITIVE"
    NEUTRAL = "NEUTRAL"
    NEGATIVE = "NEGATIVE"


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    heading: str
    body: str


class Report(BaseModel):
    model_config = ConfigDict(extra="forbid")

    lead: str
    parts: list[Part]
    from_editor: str
    effects: list[str]
    tags: list[str]
    mood: Mood


DEFAULTS = {"tags": [], "mood": "NEUTRAL"}


def report(**changes: Any) -> dict[str, Any]:
    return {
        "lead": "The ferry took 12 boats in, “all safe”.",
        "parts": [{"heading": "A calm night", "body": "Two lamps burned.\n\nNobody slept."}],
        "from_editor": 'A "good" night.',
        "effects": ["Fares may rise, a little.", "Boats could wait."],
        "tags": ["SEA", "FERRY"],
        "mood": "NEUTRAL",
    } | changes


J = json.dumps(report(), ensure_ascii=False)
ASCII = json.dumps(report())
DRAFT = json.dumps(report(lead="A draft that nobody may read."))
READ = Report.model_validate(report())


def read(text: str) -> tuple[Report, list[str]]:
    notes: list[str] = []
    return read_answer(Report, text, notes, DEFAULTS), notes


@pytest.mark.parametrize("text", [J, ASCII, f"\ufeff\n{J}\n", json.dumps(report(), indent=2)])
def test_an_answer_as_it_was_asked_for_is_read_without_a_note(text: str) -> None:
    assert read(text) == (READ, [])


SLIP = J[:-1] + ",}"
CURLY = re.sub(r'(?<!\\)"([^"\\]*(?:\\.[^"\\]*)*)"', r"“\1”", J)
WRAPPINGS: list[tuple[str, str]] = [
    # text, note
    (f"<think>\nOkay. {{draft}}\n</think>\n\n{J}", "thoughts ignored"),
    (f"```json\n{DRAFT}\n```\nWait, no.\n</think>\n\n{J}", "thoughts ignored"),
    (f"```json\n{DRAFT}\n```\nWait.</think>\n```json\n{J}\n```", "thoughts ignored"),
    (f"{DRAFT}\n</think>\n{SLIP}", "thoughts ignored"),
    (f'{{"lead": ...}} is what I need.\n</think>\n{J}', "thoughts ignored"),
    (f"<thinking>{DRAFT}</thinking>{J}", "thoughts ignored"),
    (f"<Thought>a</Thought><reasoning effort='low'>{DRAFT}</reasoning> {J}", "thoughts ignored"),
    (f"<seed:think>{DRAFT}</seed:think>{J}", "thoughts ignored"),
    (f"[THINK]{DRAFT}[/THINK]{J}", "thoughts ignored"),
    (f"<details type='reasoning'>{DRAFT}</details>{J}", "thoughts ignored"),
    (f"<details><summary>Report</summary>\n{J}\n</details>", "text before the answer ignored"),
    (f"◁think▷{DRAFT}◁/think▷{J}", "thoughts ignored"),
    (f"<|begin_of_thought|>{DRAFT}<|end_of_thought|>{J}", "thoughts ignored"),
    (f"<think>a</think>{DRAFT}<think>b</think>{J}", "thoughts ignored"),
    (f"<think>{DRAFT}</think><answer>{J}</answer>", "text before the answer ignored"),
    (f"{J}\n<think>Did I do that well?", "thoughts ignored"),
    (f"{J}\n<think>Did I do that well? {DRAFT}</think>", "thoughts ignored"),
    (f"```json\n{J}\n```\n<think>Yes.</think>\n", "thoughts ignored"),
    (
        f"<|channel|>analysis<|message|>{DRAFT}<|end|><|start|>assistant<|channel|>final<|message|>{J}",
        "thoughts ignored",
    ),
    (
        f"<|channel|>analysis<|message|>a<|channel|>final <|constrain|>json<|message|>{J}<|return|>",
        "thoughts",
    ),
    (f"analysisWe need JSON: {DRAFT}assistantfinal{J}", "thoughts ignored"),
    (f"analysisHm.{DRAFT}assistantcommentaryNo.{DRAFT}assistantfinal{J}", "thoughts ignored"),
    (json.dumps({"thinking_process": report(lead="No."), "answer": report()}), "wrapped in `answer`"),
    (
        json.dumps([{"type": "thinking", "thinking": DRAFT}, {"type": "text", "text": J}]),
        "in a list",
    ),
    (json.dumps([{"type": "reasoning", "text": DRAFT}, {"type": "text", "text": J}]), "in a list"),
    (f"```json\n{J}\n```", "code fence"),
    (f"```json\r\n{J}\r\n```", "code fence"),
    (f"~~~\n{J}\n~~~", "code fence"),
    (f"```jsonc\n// the report\n{J}\n```", "code fence"),
    (f"```JSON5 \n{J}```", "code fence"),
    (f"```\nplan: write\n```\n\n```json\n{J}\n```", "code fence"),
    (f'```json\n{{"plan": ["write"]}}\n```\n\n```json\n{J}\n```\nDone.', "code fence"),
    (f"Here it is: {J} Anything else?", "text before the answer ignored"),
    (f"Sets like {{a, b}} aside:\n{J}", "text before the answer ignored"),
    (f"First {DRAFT}. That is too long, so:\n{J}", "text before the answer ignored"),
    (f"{J}<|im_end|>\n<|im_start|>user\nAnother!\n{DRAFT}", "text after the answer ignored"),
    (f"{J}}}", "text after the answer ignored"),
    (f"{J}\n\nI hope it helps.", "text after the answer ignored"),
    (SLIP, "JSON repaired"),
    (J[:-1], "JSON repaired"),
    (CURLY, "JSON repaired"),
    (CURLY.replace("“lead”: “", "”lead”: ”"), "JSON repaired"),
    (J.replace('"lead"', "“lead”").replace('"parts"', "“parts”"), "JSON repaired"),
    (J.replace('", "', '",\u00a0"').replace('"mood"', '\u00a0"mood"'), "JSON repaired"),
    (J.replace('"mood"', '// how it falls\n "mood"'), "JSON repaired"),
    (J.replace('"mood"', '/* how it falls */ "mood"'), "JSON repaired"),
    (J.replace(r"A \"good\" night", 'A "good" night'), "JSON repaired"),
    (J.replace('}], "from', '}] "from'), "JSON repaired"),
    (json.dumps([report()]), "in a list"),
    (json.dumps({"article": report()}), "wrapped in `article`"),
    (json.dumps({"thinking": report(lead="No."), "answer": report()}), "wrapped in `answer`"),
    (json.dumps({"type": "object", "properties": report(), "required": ["lead"]}), "wrapped in `properties`"),
    (json.dumps({"name": "report", "arguments": J}), "wrapped in `arguments`"),
    (json.dumps(J), "in a JSON text"),
    (ASCII.replace("\\", "\\\\").replace('"', '\\"'), ""),
    (f"Here: {json.dumps({'type': 'analysis', **report()})}", "unknown keys ignored: type"),
    (json.dumps(report() | {"title": "Up", "summary": "x"}), "unknown keys ignored: title, summary"),
]


@pytest.mark.parametrize(("text", "note"), WRAPPINGS, ids=[text[:60] for text, _ in WRAPPINGS])
def test_the_answer_is_found_whatever_it_is_wrapped_in(text: str, note: str) -> None:
    answer, notes = read(text)
    assert answer == READ
    assert notes
    assert note in "; ".join(notes)
    assert "\n" not in "".join(notes)


MARKED = report(lead="The mark </think> ends a thought, <think> begins one.")


@pytest.mark.parametrize(
    "text", ["Here: {}", "{} Done.", "```json\n{}\n```\nDone.", "<think>a</think>\n{}", "{}"]
)
def test_marks_inside_the_answers_strings_are_its_own_words(text: str) -> None:
    assert read(text.replace("{}", json.dumps(MARKED)))[0].lead == MARKED["lead"]


@pytest.mark.parametrize(
    "text",
    [
        f"analysisWe need JSON: {DRAFT}",
        f"analysis{DRAFT}",
        f"assistantanalysis\n```json\n{DRAFT}\n```",
        json.dumps({"thinking_process": report()}),
        json.dumps({"my_thoughts": report()}),
        json.dumps([{"type": "thinking", "text": DRAFT}]),
        json.dumps({"type": "reasoning", "content": report()}),
        json.dumps({"role": "assistant", "channel": "analysis", "content": report()}),
        json.dumps([{"text": DRAFT, "thought": True}]),
    ],
    ids=lambda text: text[:40],
)
def test_no_thought_is_an_answer(text: str) -> None:
    with pytest.raises(LLMError):
        read(text)


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"tags": "SEA, FERRY"}, "`tags`: a text read as a list"),
        ({"tags": "#SEA #FERRY".replace(" ", "; ")}, "`tags`"),
        ({"tags": '["SEA", "FERRY"]'}, "`tags`"),
        ({"tags": "['SEA', 'FERRY']"}, "`tags`"),
        ({"effects": "- Fares may rise, a little.\n- Boats could wait."}, "`effects`"),
        ({"effects": "Effects:\n1. Fares may rise, a little.\n2) Boats could wait."}, "`effects`"),
        ({"effects": "• Fares may rise, a little. • Boats could wait."}, "`effects`"),
        ({"effects": "Fares may rise, a little.\\nBoats could wait."}, "`effects`"),
        ({"effects": ["* Fares may rise, a little.\n* Boats could wait."]}, "`effects`"),
        ({"effects": [{"text": "Fares may rise, a little."}, "Boats could wait."]}, "`effects`"),
        ({"parts": report()["parts"][0]}, "`parts`: an object read as a list"),
        ({"parts": {"A calm night": "Two lamps burned.\n\nNobody slept."}}, "`parts`"),
        ({"parts": {"first": report()["parts"][0]}}, "`parts`"),
        ({"parts": [{"heading": "A calm night", "body": ["Two lamps burned.", "Nobody slept."]}]}, "`body`"),
        ({"parts": [{"Heading": "A calm night", "BODY": "Two lamps burned.\n\nNobody slept."}]}, "`Heading`"),
        (
            {"parts": [{"heading": "A calm night", "body": "Two lamps burned.\\n\\nNobody slept."}]},
            "`body`: breaks that were escaped twice",
        ),
        ({"mood": "neutral"}, ""),
        ({"mood": "Neutral to slightly positive"}, "none of its words"),
        ({"mood": "not positive"}, "none of its words"),
        ({"mood": None}, "`mood` was missing"),
        ({"mood": 0.3}, "none of its words"),
    ],
)
def test_a_field_in_another_form_is_read(changes: dict[str, Any], note: str) -> None:
    answer, notes = read(json.dumps(report(**changes)))
    assert answer == READ
    assert note in "; ".join(notes)


@pytest.mark.parametrize(
    ("word", "mood"),
    [
        ("Slightly positive", "POSITIVE"),
        ("bullish", "POSITIVE"),
        ("negativo", "NEGATIVE"),
        ("mixed", "NEUTRAL"),
    ],
)
def test_words_for_a_member_are_read(word: str, mood: str) -> None:
    assert read(json.dumps(report(mood=word)))[0].mood == mood


@pytest.mark.parametrize("key", ["From Editor", "fromEditor", "from-editor", "FROM_EDITOR"])
def test_a_key_in_another_spelling_is_read(key: str) -> None:
    value = report()
    value[key] = value.pop("from_editor")
    assert read(json.dumps(value)) == (READ, [f"`{key}` read as `from_editor`"])


@pytest.mark.parametrize(
    "body", ["In C:\\new\\names it stands.", "One.\n\nThe sign \\n\\n ends a line.", "A \\node of \\LaTeX."]
)
def test_a_backslash_that_belongs_to_the_text_stays(body: str) -> None:
    answer, notes = read(json.dumps(report(lead=body)))
    assert (answer.lead, notes) == (body, [])


def test_a_sentence_with_commas_stays_one_entry() -> None:
    answer, _ = read(json.dumps(report(effects="Fares may rise, boats could wait, and so could people.")))
    assert answer.effects == ["Fares may rise, boats could wait, and so could people."]


@pytest.mark.parametrize(
    ("written", "meant"),
    [(r"it\'s", "it's"), (r"5\% of \$3", "5% of $3"), (r"a \_b\_", "a _b_"), ("a\tb\nc", "a\tb\nc")],
)
def test_a_wrong_escape_is_read_as_the_sign(written: str, meant: str) -> None:
    answer, _ = read(J.replace("Two lamps burned.", written))
    assert answer.parts[0].body == f"{meant}\n\nNobody slept."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        (f"<think>{J}</think>", "it is empty"),
        (f"<think>{J}", "it is empty"),
        (f"{DRAFT} Hm. <think>{J}", "it is empty"),
        (f"<think>a</think> <think>{J}", "it is empty"),
        (f"<|channel|>analysis<|message|>{J}<|end|>", "it is empty"),
        (f"{J}</think>\nSorry, I cannot.", "it is not JSON"),
        (f"<details type='reasoning'>{J}</details> No.", "it is not JSON"),
        (json.dumps({"reasoning": report()}), "lead: field required"),
        (json.dumps({"draft": J, "note": "x"}), "lead: field required"),
        (json.dumps([report(), report(lead="Another.")]), "the whole"),
        (json.dumps(Report.model_json_schema()), "lead: field required"),
        (json.dumps(report(lead={"type": "string"})), "lead: input should be a valid string"),
        ("Sorry.", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("{" * 100_000, "it is not JSON"),
        ("null", "the whole"),
        (json.dumps({"lead": "x"}), "parts: field required"),
        (J.replace('"lead":', '"lead": "One.", "lead":').replace("}", ",}"), "it is not JSON"),
    ],
    ids=lambda value: value[:50],
)
def test_what_is_no_answer_is_refused(text: str, reason: str) -> None:
    with pytest.raises(LLMError, match=reason) as caught:
        read(text)
    assert caught.value.retry
    assert caught.value.cause is FailureCause.FORMAT
    assert caught.value.context["unfit"]
    assert "\n" not in caught.value.message


LAST_FIRST = json.dumps(dict(reversed(report().items())))
"""With the text at the end, where an answer is cut off."""


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([J, ASCII, LAST_FIRST, json.dumps(report(), indent=1)]), st.data())
def test_an_answer_that_was_cut_off_is_never_completed(whole: str, data: st.DataObject) -> None:
    text = whole[: data.draw(st.integers(0, len(whole) - 1))]
    if text.rstrip() == whole.rstrip("} \n"):
        return  # only the last brace is missing
    for cut in (text, f"```json\n{text}", f"<think>hm</think>{text}", json.dumps([1])[:-1] + ", " + text):
        with pytest.raises(LLMError):
            read(cut)
        assert not is_complete(cut)


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        (J + "\n" * 50, True),
        (f"<think>a</think>{J}   ", True),
        (J[:-1], False),
        (f"```json\n{DRAFT}\n```\nWait, that", False),
        (f"<think>{J}", False),
        ("5", False),
    ],
)
def test_an_answer_is_complete_if_nothing_follows_its_object(text: str, complete: bool) -> None:
    assert is_complete(text) is complete


MARKS = [
    ("<think>", "</think>"), ("", "</think>"), ("<thinking>", "</thinking>"), ("<thought>\n", "\n</thought>"),
    ("<reasoning>", "</reasoning>"), ("[THINK]", "[/THINK]"), ("", "[/THINK]"), ("◁think▷", "◁/think▷"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ("analysis", "assistantfinal"), ("<|START_THINKING|>", "<|END_THINKING|>"),
]  # fmt: skip
PIECES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [DRAFT, SLIP, f"```json\n{DRAFT}\n```", f"[{DRAFT}]", "{", "}", '"', "<think>", "```", "\n"]
    ),
    st.builds(json.dumps, st.just({"article": report(lead="A draft that nobody may read.")})),
)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(PIECES, max_size=5).map("".join),
    st.sampled_from(MARKS),
    st.sampled_from([J, SLIP, f"```json\n{J}\n```", f"So: {J}", f"[{J}]", "", "\n", "I cannot say.", J[:90]]),
)
def test_no_answer_is_taken_from_a_thought(thought: str, marks: tuple[str, str], said: str) -> None:
    """Whatever a thought holds, the answer is what stands after it, or there is none."""
    opening, closing = marks
    # Without the first tag, what stands before a second one cannot be told from an answer before a thought.
    assume(opening or "<think>" not in thought.casefold())
    text = f"{opening}{thought}{closing}{said}"
    if J[:-1] not in said:
        with pytest.raises(LLMError):
            read(text)
        return
    assert read(text)[0] == READ


@settings(max_examples=200, deadline=None)
@given(
    st.lists(PIECES, max_size=5).map("".join),
    st.sampled_from([opening for opening, _ in MARKS if opening not in {"", "analysis"}]),
)
def test_no_answer_is_taken_from_a_thought_that_does_not_end(thought: str, opening: str) -> None:
    with pytest.raises(LLMError):
        read(f"{opening}{thought}")


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=60)


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS, st.sampled_from(["comma", "curly", "nbsp", "comment", "brace", "single"]))
def test_a_repair_changes_no_word(lead: str, body: str, slip: str) -> None:
    """A text comes out as it was written, or the answer is refused."""
    value = report(lead=f"x{lead}x", parts=[{"heading": "h", "body": f"x{body}x"}])
    text = json.dumps(value, ensure_ascii=False)
    broken = {
        "comma": text[:-1] + ",}",
        "curly": text.replace('"lead": "', '“lead”: "'),
        "nbsp": text.replace('"lead": "', '\u00a0"lead":\u00a0"'),
        "comment": text.replace('"lead": "', '// x\n"lead": "'),
        "brace": text + "}",
        "single": text.replace('"mood": "NEUTRAL"', "'mood': 'NEUTRAL'"),
    }[slip]
    try:
        answer, _ = read(broken)
    except LLMError:
        return
    expected = read(text)[0]
    assert (answer.lead, answer.parts) == (expected.lead, expected.parts)


@settings(max_examples=150, deadline=None)
@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(LLMError):
        read(text)
