"""Texts of feeds.yaml that name variables for their secrets, and what looks like a secret in their place."""

import re
from collections.abc import Iterator
from string import Template

from pipeline.config.env_values import header
from pipeline.config.yaml_source import Loc, quoted
from pipeline.domain.feed_access import HIDDEN

TO_ENV = f"{HIDDEN}; keys are never in this file: put it into .env, and write the name of its variable here"
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,99}")
_HEADER = re.compile(r"[A-Za-z0-9_-]{1,60}")
_SENT_BY_US = {"host", "content-length", "content-type", "transfer-encoding", "connection", "accept"}
KEY_START = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|hf|r8|ghp|pplx|nvapi|csk)[-_][A-Za-z0-9_-]{8,}|\bAIza[\w-]{16,}|\beyJ[\w-]{16,}"
    r"|\b(?:Bearer|Basic)\s+[^\s$]",
    re.IGNORECASE,
)
"""Starts of keys. Source: the documentation of the providers that give them."""
RANDOM = re.compile(r"(?<![\w-])(?!org-|proj_)(?=[\w-]*\d)(?=[\w-]*[A-Za-z])\w{24,}")
_NAMES_A_SECRET = re.compile(
    r"(?:^|[-_])(?:api)?(?:key|token|secret|password|authorization|auth|cookie)$", re.I
)


class SecretTemplate(Template):
    """A text with `$NAME` or `${NAME}` for the value of a variable, and `$$` for a dollar."""

    idpattern = "[A-Z_][A-Z0-9_]*"
    flags = 0  # type: ignore[assignment] # upper case only: the base class ignores case

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that the text names. Raises ValueError for a single `$`."""
        if not self.is_valid():
            raise ValueError("has a $ without a variable's name; write $NAME, or $$ for a dollar")
        return tuple(dict.fromkeys(self.get_identifiers()))


def shown(field: Loc) -> str:
    """Return a field's name for a message."""
    return ".".join(map(str, field))


def how(field: Loc) -> str:
    """Return how a variable is named in a field, as the end of a message."""
    if str(field[0]).endswith("_variable"):
        return f": `{field[0]}: STRONG_KEY`"
    return f": `{field[1]}: $STRONG_KEY`" if len(field) == 2 else ""


def header_mistakes(field: Loc, name: str, text: str) -> Iterator[tuple[Loc, str]]:
    """Yield the mistakes of a header that is sent besides ours."""
    if not _HEADER.fullmatch(name) or name.lower() in _SENT_BY_US:
        yield field, f"{quoted(name)} is no header that can be added; write one such as api-key"
    yield from text_mistakes(field, text)


def variable_mistakes(field: Loc, name: str) -> Iterator[tuple[Loc, str]]:
    """Yield the mistakes in the name of a variable that holds a secret."""
    if not _VARIABLE.fullmatch(name) or RANDOM.search(name.replace("_", "-")):
        yield field, f"{field[0]} is no name of a variable {TO_ENV}, in capitals{how(field)}"
    elif name.startswith("COPYDESK_"):
        yield field, f"{name} would be a setting of Copydesk; choose a name that does not begin so"


def text_mistakes(field: Loc, text: str) -> Iterator[tuple[Loc, str]]:
    """Yield the mistakes in a text with variables, such as the value of a header."""
    try:
        header(text)
        variables = SecretTemplate(text).variables
    except ValueError as error:
        yield field, f"{shown(field)} {HIDDEN} {error}"
        return
    for variable in variables:
        if variable.startswith("COPYDESK_"):
            yield from variable_mistakes(field, variable)
    if not variables and (RANDOM.search(text) or _NAMES_A_SECRET.search(str(field[1]))):
        yield field, f"{shown(field)} looks like a key {TO_ENV}{how(field)}"
