"""The alt text of a cover is there, is no headline, and is checked against the source, as a look at most."""

from typing import Any

import pytest

from pipeline.articles.approved_metadata import front_of
from pipeline.checks.runner import run_checks
from pipeline.domain.alt_text import describes, is_headline
from pipeline.domain.models import Beat, CheckLevels, Source
from pipeline.domain.reviews import Finding, Front, Severity
from pipeline.verifier.numbered_draft import number_sentences
from tests.pipeline.checks.articles import ARTICLE, BEAT, source
from tests.pipeline.checks.test_front_matter import GOOD

NONE = "The image has no description for readers who cannot see it: write what it shows."
HEADLINE = "The description of the image is the headline: write what the image shows."
URL = "https://news.example/a.jpg"


def check(alt: object, of: Source | None = None, beat: Beat = BEAT, **cover: Any) -> list[Finding]:
    metadata = GOOD | {"coverImage": {"regular": URL, "alt": alt, **cover}}
    findings = run_checks(of or source(), ARTICLE, beat, front=front_of(metadata, ARTICLE, beat))
    return [finding for finding in findings if finding.kind != "front-matter"]


@pytest.mark.parametrize("alt", ["", "  ", None, 7, ["A mill"], {}])
def test_a_cover_without_a_description_is_a_look(alt: object) -> None:
    [finding] = check(alt)
    assert (finding.kind, finding.severity, finding.message) == ("form", Severity.WARN, NONE)
    assert (finding.field, finding.span, finding.firm) == ("alt", None, False)


def test_a_missing_key_is_a_look_and_no_cover_is_none() -> None:
    covers: list[dict[str, Any]] = [{}, {"coverImage": {}}, {"coverImage": {"credit": {"name": "G"}}}]
    for cover in covers:
        assert run_checks(source(), ARTICLE, BEAT, front=Front(metadata=GOOD | cover)) == ()
    front = Front(metadata=GOOD | {"coverImage": {"raw": URL}})
    assert [finding.message for finding in run_checks(None, ARTICLE, BEAT, front=front)] == [NONE]


def test_a_dismissal_counts_for_one_image_only() -> None:
    [first], [again], [other] = check(""), check(""), check("", regular="https://news.example/b.jpg")
    assert first.key == again.key != other.key


@pytest.mark.parametrize(
    "alt",
    [
        "Arden loses its mill",  # the title of GOOD
        "Arden: loses its mill!",
        "Arden mill to close",  # the source's title
    ],
)
def test_the_headline_is_no_description(alt: str) -> None:
    [finding] = check(alt)
    assert (finding.kind, finding.severity, finding.message) == ("form", Severity.WARN, HEADLINE)
    assert (finding.field, finding.span) == ("alt", (0, len(alt)))


@pytest.mark.parametrize(
    "alt",
    [
        "A paper mill beside a river in winter",
        "Two men in suits shake hands in front of a flag",
        "a person holding a cell phone in their hand",
        "The mill at Arden, seen from the river",
        "Maren Tolle in front of the mill",
    ],
)
def test_a_description_of_the_picture_has_no_finding(alt: str) -> None:
    assert check(alt) == []


@pytest.mark.parametrize(
    ("alt", "kind", "words"),
    [
        ("Minister Karl Mustermann inside the mill", "name", "Karl Mustermann"),
        ("Some of the 340 workers of the mill", "figure", "340"),
        ("Workers leave the mill on 3 June 2019", "date", "3 June 2019"),
    ],
)
def test_what_the_source_lacks_is_a_look_at_most(alt: str, kind: str, words: str) -> None:
    for beat in (
        BEAT,
        BEAT.model_copy(update={"checks": CheckLevels(name="block", figure="block", date="block")}),
    ):
        [finding] = check(alt, beat=beat)
        assert (finding.kind, finding.severity, finding.field) == (kind, Severity.WARN, "alt")
        assert finding.span
        assert words in alt[slice(*finding.span)]


@pytest.mark.parametrize(
    "alt",
    [
        "Write to win@scam.example and claim your prize",
        "Picture: visit http://scam.example/win now",
        "A mill {{ site.secret }} by a river",
        "As an AI language model, I cannot see the image",
    ],
)
def test_planted_text_blocks(alt: str) -> None:
    assert any(finding.severity is Severity.BLOCK and finding.field == "alt" for finding in check(alt))


def test_html_is_taken_out_as_in_a_title() -> None:
    cover = {"coverImage": {"regular": URL, "alt": 'A <b>mill</b><script>alert(1)</script> "><img src=x>'}}
    front = front_of(GOOD | cover, ARTICLE, BEAT)
    assert "<" not in front.text("alt")
    assert "script" not in front.text("alt")
    assert any("coverImage has HTML" in note.message for note in front.notes)


def test_the_same_error_in_text_and_alt_text_is_one_finding() -> None:
    body = ARTICLE.replace("240 jobs", "340 jobs")
    front = front_of(GOOD | {"coverImage": {"regular": URL, "alt": "Of 340 jobs"}}, body, BEAT)
    figures = [each for each in run_checks(source(), body, BEAT, front=front) if each.kind == "figure"]
    [finding] = figures
    assert finding.severity is Severity.BLOCK
    assert {field for field, _ in finding.places} == {"body", "alt"}


def test_the_publishers_own_description_is_not_checked_for_claims() -> None:
    own = source()
    item = own.item.model_copy(update={"image_alt": "Karl Mustermann beside 340 reams"})
    assert check("Karl Mustermann beside 340 reams", own.model_copy(update={"item": item})) == []


def test_the_second_reader_is_not_shown_the_alt_text() -> None:
    front = Front(metadata=GOOD | {"coverImage": {"regular": URL, "alt": "A mill"}})
    assert set(number_sentences(source(), ARTICLE, BEAT, front).documents) == {"title", "body"}


@pytest.mark.parametrize(
    ("alt", "title", "same"),
    [
        ("", "", False),
        ("A mill", "", False),
        ("Bitcoin", "Bitcoin", True),
        (
            "Bitcoin miners could face a crisis after the price fall",
            "Bitcoin miners could face crisis after the price fall",
            True,
        ),
        ("Bitcoin miners could face crisis - The Gull", "Bitcoin miners could face crisis", True),
        ("A bitcoin mine in Texas", "Bitcoin miners could face crisis", False),
        ("Hong Kong Monetary Authority", "Hong Kong Monetary Authority grants a licence", False),
        ("比特币矿工面临危机", "比特币矿工面临危机", True),
    ],
)
def test_nearly_the_headline_is_the_headline(alt: str, title: str, same: bool) -> None:
    assert is_headline(alt, title) is same


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mill",
        "IMG_1234.jpg",
        "mill-at-arden-final.png",
        "Photo: AFP",
        "Image credit: Shutterstock",
        "© The Gull",
        "Arden mill closes",
        "long " * 101,
    ],
)
def test_a_publishers_text_that_describes_nothing_is_not_taken(text: str) -> None:
    assert not describes(text, "Arden mill closes")


@pytest.mark.parametrize(
    "text", ["A mill", "河边的造纸厂", "Photo of a mill by a river", "A photo: two men and a mill"]
)
def test_a_publishers_description_is_taken(text: str) -> None:
    assert describes(text, "Arden mill closes")
