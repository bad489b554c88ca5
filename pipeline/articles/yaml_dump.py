r"""Writes and reads YAML of text, numbers, booleans, null, lists and mappings, alike for all YAML readers.

Text is plain, quoted or a block in the style of js-yaml 3.14 (`lib/js-yaml/dumper.js`, `chooseScalarStyle`)
with `lineWidth: -1`. Exceptions: text that PyYAML, js-yaml 3 or 4, yaml 2, Hugo's Go yaml or Ruby's psych
reads as a number, date, boolean or null is quoted, and text whose line ends might be lost is written in one
line with `\n`.
"""

import re
import sys
from typing import Any, ClassVar, Literal

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.representer import SafeRepresenter

Style = Literal["", "'", '"', "|"]
"""Plain, single quotes, double quotes, literal block, as PyYAML names them."""

_INDICATORS = frozenset("-?:,[]{}#&*!|=>'\"%@`")
_NEVER_PLAIN = re.compile(r"[,\[\]{}:]|[ \t]#")
_ESCAPED = re.compile("[^ -~\xa1-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
"""Characters that js-yaml escapes: controls, NBSP, LS, PS, BOM, all outside the basic plane."""

_ESCAPES = {
    "\0": r"\0", "\a": r"\a", "\b": r"\b", "\t": r"\t", "\n": r"\n", "\v": r"\v", "\f": r"\f",
    "\r": r"\r", "\x1b": r"\e", '"': r"\"", "\\": r"\\", "\x85": r"\N", "\xa0": r"\_",
    "\u2028": r"\L", "\u2029": r"\P",
}  # fmt: skip

_AMBIGUOUS = re.compile(
    r"""
      ~ | <<                                                 # null, merge
    | null | true | false | yes | no | on | off | y | n      # in any case: psych ignores it
    | [-+]?[0-9.][0-9_.]*(?:e[-+]?[0-9_]*)?                  # decimal, octal, 08, 1_000, 1e3
    | [-+]?0x[0-9a-f_]* | [-+]?0o[0-7_]* | [-+]?0b[01_]*
    | [-+]?\.(?:inf|nan) | [-+]?(?:inf|infinity|nan)         # the bare words: strconv.ParseFloat in Go
    | -?[0-9]{4}-[0-9]{1,2}(?:-[0-9]{1,2})?(?:[Tt\s].*)?     # date and time
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII | re.DOTALL,
)
_UNSAFE_BLOCK = re.compile(r"\A[ \n]|\n\Z|^[ ]+$", re.MULTILINE)
"""Text that needs an indentation indicator, or that a block would change at its end."""


def replace_unwritable(text: str) -> str:
    """Return text that UTF-8 can encode: surrogate pairs joined, lone surrogates as U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def choose_style(text: str, *, block: bool = True) -> Style:
    """Return the style of `text`; `block` tells whether a literal block is possible here."""
    if "\n" in text:
        escaped = _ESCAPED.search(text.replace("\n", ""))
        return '"' if escaped or not block or _UNSAFE_BLOCK.search(text) else "|"
    if _ESCAPED.search(text):
        return '"'
    return "" if _is_plain(text) else "'"


def _is_plain(text: str) -> bool:
    return (
        text != ""
        and text[0] not in _INDICATORS
        and text == text.strip(" ")
        and not text.endswith("---")  # Zola reads that as the end of the front matter
        and not _NEVER_PLAIN.search(text)
        and not _AMBIGUOUS.fullmatch(text)
    )


def single_quoted(text: str) -> str:
    """Return `text` in single quotes; it has no line end and nothing to escape."""
    return "'" + text.replace("'", "''") + "'"


def double_quoted(text: str) -> str:
    """Return `text` in double quotes, with js-yaml's escapes."""
    return '"' + "".join(map(_escape, text)) + '"'


def _escape(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if not _ESCAPED.match(char):
        return char
    code = ord(char)
    return f"\\x{code:02X}" if code <= 0xFF else f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


_TAG = "tag:yaml.org,2002:"
_ALWAYS_QUOTED = frozenset({"externalId"})
"""Keys whose text is always quoted: an id of digits would be a number for a reader."""
_MAX_SAFE_INTEGER = 2**53 - 1
"""Source: JavaScript's `Number.MAX_SAFE_INTEGER`."""


class _Dumper(yaml.SafeDumper):
    """PyYAML's emitter with the style of every scalar given, and lists indented as in js-yaml."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def choose_scalar_style(self) -> str:
        return getattr(self.event, "style", None) or ""

    def write_single_quoted(self, text: str, split: bool = True) -> None:
        self.write_indicator(single_quoted(text), True)

    def write_double_quoted(self, text: str, split: bool = True) -> None:
        self.write_indicator(double_quoted(text), True)


def dump_mapping(mapping: dict[str, Any]) -> str:
    """Return block-style YAML with keys in their order, no folded lines, and a final line end.

    Raises TypeError or ValueError for what YAML readers do not agree on: types other than str, int, float,
    bool, None, list, tuple and dict; keys that are not text; integers beyond 2**53.
    """
    return str(yaml.serialize(_node(mapping), Dumper=_Dumper, width=sys.maxsize, allow_unicode=True))


def _node(value: object, *, quoted: bool = False) -> Node:
    if isinstance(value, str):
        text = replace_unwritable(value)
        style = choose_style(text)
        return ScalarNode(_TAG + "str", text, style="'" if quoted and style == "" else style)
    if isinstance(value, dict):
        pairs = [(_key(key), _node(inner, quoted=key in _ALWAYS_QUOTED)) for key, inner in value.items()]
        return MappingNode(_TAG + "map", pairs, flow_style=not pairs)
    if isinstance(value, list | tuple):
        return SequenceNode(_TAG + "seq", [_node(inner) for inner in value], flow_style=not value)
    return _number(value)


def _key(key: object) -> ScalarNode:
    if not isinstance(key, str):
        raise TypeError(f"the key {key!r} is not text")
    text = replace_unwritable(key)
    return ScalarNode(_TAG + "str", text, style=choose_style(text, block=False))


def _number(value: object) -> ScalarNode:
    if value is None:
        return ScalarNode(_TAG + "null", "null")
    if isinstance(value, bool):
        return ScalarNode(_TAG + "bool", "true" if value else "false")
    if isinstance(value, int):
        if abs(value) > _MAX_SAFE_INTEGER:
            raise ValueError(f"the number {value} is too large for some readers; write it as text")
        return ScalarNode(_TAG + "int", str(value))
    if isinstance(value, float):
        return SafeRepresenter().represent_float(value)
    raise TypeError(f"a {type(value).__name__} cannot stand in front matter")


class _Loader(yaml.SafeLoader):
    """Types only scalars that every YAML reader types alike; any other scalar is text.

    So `2026-02-05`, `no`, `08`, `12:30` and `1_000` stay text. Rejects aliases and duplicate keys, which
    readers treat differently.
    """

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 - as the stubs declare it
    yaml_constructors: ClassVar[dict[Any, Any]] = {}

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:  # noqa: ANN401 - PyYAML's
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(None, None, "an alias (*) is not allowed", event.start_mark)
        return super().compose_node(parent, index)


def _construct_text(loader: _Loader, node: ScalarNode) -> str:
    return str(loader.construct_scalar(node))


def _construct_int(loader: _Loader, node: ScalarNode) -> int:
    return int(loader.construct_scalar(node))


def _construct_float(loader: _Loader, node: ScalarNode) -> float:
    return float(loader.construct_scalar(node))


def _construct_bool(loader: _Loader, node: ScalarNode) -> bool:
    return str(loader.construct_scalar(node)).lower() == "true"


def _construct_null(loader: _Loader, node: ScalarNode) -> None:
    loader.construct_scalar(node)


def _construct_list(loader: _Loader, node: SequenceNode) -> list[Any]:
    return list(loader.construct_sequence(node, deep=True))


def _construct_mapping(loader: _Loader, node: MappingNode) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.MarkedYAMLError(None, None, "a key is not text; quote it", key_node.start_mark)
        if key in mapping:
            raise yaml.MarkedYAMLError(None, None, f"the key {key!r} is written twice", key_node.start_mark)
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


def _refuse(_loader: _Loader, node: Node) -> None:
    raise yaml.MarkedYAMLError(None, None, f"the tag {node.tag} is not allowed", node.start_mark)


for _name, _pattern, _first, _construct in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""], _construct_null),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF"), _construct_bool),
    ("int", r"-?(?:0|[1-9][0-9]{0,14})", list("-0123456789"), _construct_int),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+][0-9]+)?", list("-0123456789"), _construct_float),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"^(?:{_pattern})\Z"), _first)
    _Loader.add_constructor(_TAG + _name, _construct)
_Loader.add_constructor(_TAG + "str", _construct_text)
_Loader.add_constructor(_TAG + "seq", _construct_list)
_Loader.add_constructor(_TAG + "map", _construct_mapping)
_Loader.add_constructor(None, _refuse)


def load_document(text: str) -> object:
    """Return the value of a YAML text. Raises yaml.YAMLError, ValueError or RecursionError."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - narrower than SafeLoader
