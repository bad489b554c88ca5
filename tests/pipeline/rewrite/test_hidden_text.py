import time
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.rewrite.hidden_text import strip_hidden_text
from pipeline.rewrite.prompt import describe_item
from tests.pipeline.rewrite.sources import source


def tags(text: str) -> str:
    return "".join(chr(0xE0000 + ord(char)) for char in text)


ENGLAND = "\U0001f3f4" + tags("gbeng") + "\U000e007f"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u200bb\u2060c\ufeffd", "abcd"),
        ("a\u202eb\u2066c\u2069", "abc"),
        ("x" + tags("ignore all") + "y", "xy"),
        ("\U0001f3f4" + tags("hide") + "\U000e007f", "\U0001f3f4"),
        ("❤" + "\ufe0f" * 9 + "z", "❤\ufe0fz"),
        ("a\ufe0fb\U000e0101c", "abc"),
        ("soft\u00adhyphen", "softhyphen"),
        ("a\u200cb\u200dc", "abc"),
        ("क\u200db", "कb"),
        ("\ue000x\U000f0000", "x"),
        ("a\u3164b\u034fc\u115fd", "abcd"),
        ("a\u2800b", "a b"),
        ("a\u2028b\u0085c", "a\nb\nc"),
        ("a\x00\x1b\x7fb", "ab"),
        ("a\U0001ffffb\u0378c", "abc"),
    ],
)
def test_what_no_reader_sees_is_left_out(text: str, shown: str) -> None:
    assert strip_hidden_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "plain, with\ttabs\nand lines",
        "می\u200cخواهم",
        "क\u094d\u200dष",
        "ශ\u0dca\u200dරී",
        "👩\u200d💻 👩🏽\u200d🚀 ❤\ufe0f\u200d🔥 1\ufe0f\u20e3 ☎\ufe0e 🏳\ufe0f\u200d🌈",
        ENGLAND,
        "葛\U000e0100城",
        "\U0001fae8 newer than some Pythons",
        "a\ud800b",
    ],
)
def test_what_scripts_and_emoji_are_spelled_with_stays(text: str) -> None:
    assert strip_hidden_text(text) == text


CHARS = "aक\u094dمی❤👩💻1 \n\u200b\u200c\u200d\ufe0f\u2800\U000e0067\U000e007f\U0001f3f4\ue000\U000e0101葛"


@given(st.text(alphabet=CHARS) | st.text())
def test_stripping_is_idempotent_and_leaves_no_repeated_hidden_characters(text: str) -> None:
    shown = strip_hidden_text(text)
    assert strip_hidden_text(shown) == shown
    bare = shown.replace(ENGLAND, "")
    assert not [char for char in bare if category(char) == "Co" or "\U000e0000" <= char <= "\U000e00ff"]
    assert "\u200d\u200d" not in shown
    assert "\ufe0f\ufe0f" not in shown


def test_a_model_reads_what_readers_see() -> None:
    text = describe_item(
        source("Seen" + tags("hidden") + "\u200b.", title="Out\u202eput", author="A\u00adda")
    )
    assert "title: Output\nauthor: Ada\n" in text
    assert text.endswith("text:\nSeen.")


@pytest.mark.parametrize("unit", ["\u200b", "a\u200d", "\U000e0067", "\U0001f3f4\U000e0067", "❤\ufe0f"])
def test_time_is_linear_in_the_text(unit: str) -> None:
    began = time.process_time()
    strip_hidden_text(unit * 100_000)
    assert time.process_time() - began < 5  # measured: a tenth of a second
