"""Lenient JSON: finds the objects in a text, and repairs slips such as a trailing comma. Pure.

A repair is only taken if the result holds every word of the text, and no other: nothing is made up, and an
object that was cut off stays unreadable.
"""

import contextlib
import json
import re
from collections.abc import Iterator
from typing import NamedTuple

_MAX_STARTS = 200
"""Braces of a text at which an object is looked for. Chosen, not measured: an answer has about ten."""
_MAX_REPAIRS = 8
"""Objects of a text that are repaired, as a repair takes longer than reading. Chosen, not measured."""
_MAX_REPAIRED_CHARS = 60_000
"""Characters of an object that is repaired: several times an article's. Chosen, not measured."""
# Not strict, because models write line breaks into strings.
_DECODER = json.JSONDecoder(strict=False)
_CLOSING_QUOTES = ('"', "”", "'", "’")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
_WRONG_ESCAPE = re.compile(r"""\\(?:(\\|["/bfnrt]|u[0-9a-fA-F]{4})|([^\w\s]|_))""")
"""A valid escape, or a backslash before a sign that needs none, such as `\\'` or `\\%`."""
END_OF_TURN = re.compile(
    r"<\|(?:im_end|eot_id|end_of_text|endoftext|return|end)\|>|<end_of_turn>|</s>|<｜end▁of▁sentence｜>"
)
"""Marks after which a model writes the next speaker's turn. Source: the chat templates of open models."""


class FoundObject(NamedTuple):
    """A JSON object in a text."""

    value: dict[str, object]
    repaired: bool = False
    unclosed: bool = False
    """Its last brace is missing."""


def load_json(text: str) -> object:
    """Return the value of a JSON text; strings may hold line breaks. Raises ValueError."""
    try:
        return _DECODER.decode(text.strip())
    except RecursionError as error:
        raise ValueError("too many nested brackets") from error


def find_objects(text: str) -> Iterator[FoundObject]:
    """Yield the outermost JSON objects of a text in their order, up to the end of the model's turn."""
    at, end, repairs = text.find("{"), 0, 0
    for _ in range(_MAX_STARTS):
        if at < 0 or END_OF_TURN.search(text, end, at):
            return
        item, end_of_object = _decoded(text, at)
        if item is None and repairs < _MAX_REPAIRS:
            repairs += 1
            item, end_of_object = _repaired(text, at)
        if item is not None:
            yield item
            end = end_of_object
        at = text.find("{", end_of_object if item else at + 1)


def object_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the outermost objects of a text that need no repair begin and end."""
    at = text.find("{")
    for _ in range(_MAX_STARTS):
        if at < 0:
            return
        item, end = _decoded(text, at)
        if item is not None:
            yield at, end
        at = text.find("{", max(end, at + 1))


def _decoded(text: str, start: int) -> tuple[FoundObject | None, int]:
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, start
    return FoundObject(value), end


def _repaired(text: str, start: int) -> tuple[FoundObject | None, int]:
    """Return the object that starts at a brace, repaired, and its end; None if that changes its words."""
    for end, unclosed in _possible_ends(text, start):
        if end - start > _MAX_REPAIRED_CHARS:
            continue
        value = repair(text[start:end])
        if isinstance(value, dict):
            return FoundObject(value, repaired=True, unclosed=unclosed), end
    return None, start


def _possible_ends(text: str, start: int) -> Iterator[tuple[int, bool]]:
    """Yield where an object may end, and whether its own brace is missing there."""
    depth, end = 0, start
    for token in _TOKEN.finditer(text, start):
        end = token.end()
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
        if depth == 0 and token[0] == "}":
            yield end, False
            break
    last = text.rfind("}", start) + 1
    if last > start and _brackets_match(text[start:last]):  # quotation marks inside strings hid its brace
        yield last, False
    # With more brackets or a string open, it was cut off.
    if depth == 1 and text.rstrip().endswith((*_CLOSING_QUOTES, "]")) and '"' not in text[end:]:
        yield len(text), True


def _brackets_match(text: str) -> bool:
    return text.count("{") == text.count("}") and text.count("[") == text.count("]")


def repair(text: str) -> object:
    """Return the value of a JSON text with slips; None if no repair keeps its words."""
    import json_repair  # 15 ms, which most runs save

    text = _WRONG_ESCAPE.sub(lambda escape: escape[0] if escape[1] else escape[2], text)
    for slip in (text, _with_straight_quotes(text)):
        with contextlib.suppress(ValueError):
            value = load_json(slip)
            return value if _has_same_words(value, text) else None
    try:
        value = json_repair.loads(text, skip_json_loads=True)
    except (ValueError, RecursionError, IndexError, TypeError):
        return None
    return _join_surrogates(value) if _has_same_words(value, text) else None


_CURLY = "“”„‟"
_CURLY_END = re.compile(
    rf"[{_CURLY}](?=\s*(?:[}}\]]|:\s*[{_CURLY}\"\[{{\dtfn-]|,\s*[{_CURLY}\"\[{{\d}}\]-]))"
)
_CURLY_START = re.compile(rf"([{{\[]\s*|[\"{_CURLY}]\s*:\s*|[\"{_CURLY}}}\]]\s*,\s*)[{_CURLY}]")


def _with_straight_quotes(text: str) -> str:
    """Return a JSON text with straight quotation marks where curly ones stand in JSON's own places."""
    return _CURLY_START.sub(r'\1"', _CURLY_END.sub('"', text))


def _join_surrogates(value: object) -> object:
    """Return a JSON value in which two escapes of one character, such as an emoji, are that character."""
    if isinstance(value, dict):
        return {key: _join_surrogates(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_join_surrogates(inner) for inner in value]
    return (
        value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if isinstance(value, str)
        else value
    )


_QUOTES = "\"'“”„‟‘’`«»"
_SPACE = r"[\s\ufeff\u200b]"
_COMMENT = r"//[^\n]*|/\*.*?\*/|#[^\n]*"
_QUOTE = f"[{_QUOTES}]"
_GAP = re.compile(rf"(?:{_SPACE}|[{{}}\[\],:]|{_QUOTE}|{_COMMENT})*", re.DOTALL)
"""What may stand between two words of a JSON text."""
_AFTER_KEY = rf"{_SPACE}*:"
_AFTER_VALUE = rf"(?:{_SPACE}|{_COMMENT})*(?:[,}}\]]|\Z|(?<=\s){_QUOTE})"


def _has_same_words(value: object, text: str) -> bool:
    """Tell whether keys and values are, in this order, all that a text holds besides JSON's own signs."""
    at = 0
    for word, is_key in _words(value):
        end = _end_of_word(word, text, at, _AFTER_KEY if is_key else _AFTER_VALUE)
        if end is None:
            return False
        at = end
    return _GAP.fullmatch(text, at) is not None


def _end_of_word(word: str, text: str, low: int, after: str) -> int | None:
    """Return where the next word ends: it begins after the gap, or in it, with the gap's signs."""
    bare = re.compile(f"(?:{_LITERALS.get(word) or _as_written(word)})(?={after})", re.DOTALL)
    quoted = re.compile(f"(?:{_as_written(word)})(?={_QUOTE}{after})", re.DOTALL)
    gap = _GAP.match(text, low)
    for start in range(gap.end() if gap else low, low - 1, -1):
        is_quoted = text[start - 1] in _QUOTES and text[max(start - 2, 0)] not in _QUOTES
        if match := (quoted if is_quoted else bare).match(text, start):
            return match.end()
    return None


def _words(value: object) -> Iterator[tuple[str, bool]]:
    """Yield every key and value of a JSON value as it stands in a text, and whether it is a key."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key), True
            yield from _words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _words(inner)
    elif isinstance(value, str):
        yield value, False
    else:
        yield json.dumps(value), False


_LITERALS = {"true": "[Tt]rue", "false": "[Ff]alse", "null": "null|None"}
"""As JSON and as Python write them."""
_WRITTEN = {
    "\n": r"(?:\\n|\r?\n)",
    "\r": r"(?:\\r|\r)",
    "\t": r"(?:\\t|\t)",
    '"': r'\\?"',
    "\\": r"\\(?:\\|(?![\"\\/bfnrt]|u[0-9a-fA-F]{4}))",
    "/": r"\\?/",
}


def _as_written(word: str) -> str:
    """Return a pattern for the ways to write a string in JSON."""
    return "".join(_WRITTEN.get(char) or _sign(char) for char in word)


def _sign(char: str) -> str:
    if char.isascii() and char.isprintable():
        return re.escape(char)
    escaped = re.escape(json.dumps(char)[1:-1])
    return f"(?:{re.escape(char)}|(?i:{escaped}))"
