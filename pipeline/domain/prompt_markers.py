"""The marker lines around data in prompts: random, so that the data cannot imitate them."""

import re
import secrets

_KINDS = "item|draft|findings|article"
PROMPT_MARKER = re.compile(
    rf"(?<!=)={{2,}}+\s?(?:{_KINDS})\s[0-9a-f]{{4,64}}\b[\s=]{{0,9}}|\b(?:{_KINDS})\s[0-9a-f]{{16}}\b",
    re.IGNORECASE,
)
"""A marker line in a text, also without its signs."""
PROMPT_MARKER_SIGN = re.compile(r"(?:item|draft|findings|article)\s[0-9a-f]{4}")
"""What every match of it has, in lower case."""


def marker_line(kind: str, digits: str = "") -> str:
    """Return a marker line of a kind (`item`, `draft`, `findings`, `article`), random without `digits`."""
    return f"=== {kind} {digits or secrets.token_hex(8)} ==="


def marked(kind: str, text: str) -> str:
    """Return a text between two equal random marker lines."""
    marker = marker_line(kind)
    return f"{marker}\n{text}\n{marker}"
