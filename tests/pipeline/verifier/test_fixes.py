import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.verifier.confirm import locate_words
from pipeline.verifier.fixes import Fix, FixFault, build_fix
from pipeline.verifier.objections import ErrorKind
from pipeline.verifier.source_evidence import SourceEvidence
from tests.pipeline.verifier.drafts import TEXT, source

SENTENCE = "Norrsund, which Acme founded, will close its route to Hellby in spring."


def built(
    wrong: str,
    proposed: str,
    error: ErrorKind = ErrorKind.CONTRADICTED,
    sentence: str = SENTENCE,
    language: str = "en",
) -> Fix | FixFault:
    (place, *_) = locate_words(sentence, wrong)
    evidence = SourceEvidence(source(language=language), ((0, len(TEXT)),))
    return build_fix(sentence, *place, proposed, error, evidence)


def applied(
    wrong: str, proposed: str, error: ErrorKind = ErrorKind.CONTRADICTED, sentence: str = SENTENCE
) -> str:
    fix = built(wrong, proposed, error, sentence)
    assert isinstance(fix, Fix), fix
    return fix.applied(sentence)


@pytest.mark.parametrize(
    ("wrong", "proposed", "expected"),
    [
        ("will", "may", "Norrsund, which Acme founded, may close its route to Hellby in spring."),
        (
            "in spring",
            "in winter.",
            "Norrsund, which Acme founded, will close its route to Hellby in winter.",
        ),
        ("Norrsund", "the line", "The line, which Acme founded, will close its route to Hellby in spring."),
        # The whole sentence is answered, although the words alone were asked for.
        ("will", "Norrsund, which Acme founded, may close its route to Hellby in spring.", None),
        ("which Acme founded", "Norrsund will close its route to Hellby in spring.", None),
        ("in spring", "Norrsund, which Acme founded, will close its winter route to Hellby.", None),
    ],
)
def test_a_fix_takes_the_place_of_the_words(wrong: str, proposed: str, expected: str | None) -> None:
    assert applied(wrong, proposed) == (expected or proposed)


@pytest.mark.parametrize(
    ("sentence", "wrong", "expected"),
    [
        ("It closes in May.", "in May", "It closes."),
        ("Acme, founded in Oslo, closes.", ", founded in Oslo,", "Acme closes."),
        ("Acme (of Oslo) closes.", "of Oslo", "Acme closes."),
        ("It closes, she said.", "she said", "It closes."),
        ("Sadly, it closes.", "Sadly", "It closes."),
        ("It closes.", "It closes.", ""),
    ],
)
def test_what_is_not_stated_is_cut_cleanly(sentence: str, wrong: str, expected: str) -> None:
    assert applied(wrong, "", ErrorKind.NOT_STATED, sentence).strip(" .") == expected.strip(" .")


def test_the_fix_of_what_is_not_stated_may_only_cut() -> None:
    assert applied("to Hellby in spring", "to Hellby", ErrorKind.NOT_STATED).endswith("its route to Hellby.")
    assert built("in spring", "in winter", ErrorKind.NOT_STATED) is FixFault.NEW_WORDS
    assert built("in spring", "spring in", ErrorKind.NOT_STATED) is FixFault.NEW_WORDS


@pytest.mark.parametrize(
    ("proposed", "fault"),
    [
        ("", FixFault.EMPTY),
        ("**may**", FixFault.MARKUP),
        ("<b>may</b>", FixFault.MARKUP),
        ("may, see [here](https://evil.example/a),", FixFault.MARKUP),
        ("may, see https://evil.example/a,", FixFault.CONTACT),
        ("may, says help@evil.example,", FixFault.CONTACT),
        ("may " * 20, FixFault.LENGTH),
        ("may in 2031", FixFault.NEW_FACT),
        ("may, for 77 crowns,", FixFault.NEW_FACT),
        ("may, with Baltic Freight,", FixFault.NEW_FACT),
    ],
)
def test_a_fix_that_cannot_be_offered_has_a_fault(proposed: str, fault: FixFault) -> None:
    assert built("will", proposed.strip()) is fault


def test_figures_and_names_of_the_source_and_its_metadata_are_no_new_claims() -> None:
    for words in ("may, for 40 crowns,", "may, Ada Brandt said,", "may, Coast Post says,"):
        assert isinstance(built("will", words), Fix)


@pytest.mark.parametrize(
    ("words", "is_fix"), [("kan, Ada Brandt sa,", True), ("kan, Baltic sa,", False), ("kan 77", False)]
)
def test_in_a_language_without_tables_figures_and_capitals_have_to_be_in_the_source(
    words: str, is_fix: bool
) -> None:
    assert isinstance(built("will", words, language="xx"), Fix) is is_fix


TEXTS = st.lists(
    st.sampled_from(["Acme", "may", "close", ",", "(", ")", ".", "in", "Hellby", "  ", "–", "40"]), max_size=9
)


@given(TEXTS, st.integers(0, 12), st.integers(1, 6), TEXTS, st.sampled_from(ErrorKind))
@settings(max_examples=80, deadline=None)
def test_any_fix_lies_in_its_sentence(
    pieces: list[str], first: int, length: int, proposed: list[str], error: ErrorKind
) -> None:
    sentence = " ".join(pieces).strip()
    words = sentence.split()[first : first + length]
    for place in locate_words(sentence, " ".join(words))[:1]:
        evidence = SourceEvidence(source(), ((0, len(TEXT)),))
        fix = build_fix(sentence, *place, " ".join(" ".join(proposed).split()), error, evidence)
        if isinstance(fix, Fix):
            assert 0 <= fix.start <= place[0]
            assert place[1] <= fix.end <= len(sentence)
            assert len(fix.applied(sentence)) <= 1.5 * len(sentence)
