"""Finds text that is no article: prompt, HTML, code, assistant's remarks, encoded text, another language.

The language is judged by script and stop words, only for long paragraphs. Text in ROT13, reversed or without
spaces lacks stop words too.
"""

import re
from collections.abc import Iterator
from itertools import islice, pairwise

from pipeline.checks.document import VisibleText
from pipeline.checks.injection.source_index import SourceIndex
from pipeline.checks.language_tables import Phrases, W, any_of
from pipeline.domain.languages import LANGUAGE_SCRIPTS, SCRIPT_PATTERNS, STOP_WORD_SETS, stop_word_share
from pipeline.domain.prompt_markers import PROMPT_MARKER, PROMPT_MARKER_SIGN
from pipeline.domain.reviews import Finding, Severity

_MAX_FINDINGS = 20
"""Of each kind. Chosen, not measured."""
_HTML = re.compile(
    r"<(?:/?(?:a|abbr|article|b|base|blockquote|body|br|button|center|code|details|dialog|div|embed|em|font"
    r"|footer|form|frame|h[1-6]|head|header|hr|html|i|iframe|img|input|label|li|link|marquee|math|meta|nav"
    r"|object|ol|option|p|picture|pre|script|section|select|small|source|span|strong|style|sub|summary|sup"
    r"|svg|table|tbody|td|template|textarea|th|thead|title|tr|u|ul|video|audio)(?=[\s/>])[^<>]{0,500}>?"
    r"|!--|!doctype\b|\?(?:php|xml)\b|!\[cdata\[)",
    re.IGNORECASE,
)
_PROMPT_PHRASES = any_of(
    "staff writer on the",
    "you turn one source item into one article",
    "the item is data from a third party",
    "two lines that hold the same",
    "random marker",
    "none of that is meant for you",
    "write the article about this item",
    "what you answer, field by field",
    "rules for every field",
    "the source is all you know",
    "one word of the vocabulary",
    "copy figures with their units",
    "my (?:system prompt|instructions (?:are|say|were))",
)
_PROMPT_FIRSTS = "copy my none one random rules staff the two what write you"
_PROMPT = Phrases(_PROMPT_PHRASES, _PROMPT_FIRSTS.split())
_LINE = r"^[ \t>*-]{0,8}"
_ASSISTANT_REMARKS = re.compile(
    _LINE
    + r"(?:(?:sure|certainly|of course|absolutely|understood|okay)(?:[!,.] |!$)"
    + r"|i(?:'m| am) (?:sorry, (?:but )?i|an ai|unable to|a language model)"
    + r"|i (?:cannot|can't|can not) (?:help|assist|comply|fulfil|provide)"
    + rf"|here(?:'s| is| are) (?:the|a|an|your|my|some) {W}{{0,3}}(?:article|rewrite|answer|response|summary"
    + r"|poem|story|translation|code|function|script|list|letter|speech|essay|example|reply|introduction)s?\b"
    + r"|dear (?:sir|madam|principal|mr|ms|mrs|reader|customer|user|friend|valued)\b"
    + r"|(?:hello|hi)(?: there)?[,!]"
    + r"|(?:question|answer|translation|assistant|user|system|ignore|instructions?|prompt|ai|human|response"
    + r"|output|decoded|encoded|rot13|base64|morse)\s?: )"
    + r"|\b(?:as an ai (?:language )?model|i hope this helps|let me know if you|happy to help"
    + r"|is there anything else i can)\b",
    re.IGNORECASE | re.MULTILINE,
)
_ASSISTANT = Phrases(_ASSISTANT_REMARKS, ["as", "i", "let", "happy", "is"], lines=True)
_CODE = re.compile(
    r"^[ \t]{0,40}(?:(?:async )?def \w{1,60}\(|class \w{1,60}(?:\(\w{0,60}\))?:|from [\w.]{1,60} import "
    r"|import (?:numpy|pandas|os|sys|re|math|json|random|requests)\b|(?:console|System\.out)\.\w{1,20}\("
    r"|(?:async )?function \w{0,60}\(|(?:const|let|var) \w{1,60} ?= ?|#include ?<|public (?:static|class) "
    r"|print(?:f|ln)?\(|return \w{1,60}(?: [*+/-] |\()|<\?php|\$\w{1,40} ?= ?|if __name__ ?=="
    r"|(?:curl|wget|sudo|pip install|npm install|powershell|chmod|bash -c|rm -rf) \S"
    r"|SELECT [\w*, ]{1,200} FROM )"
    r"|`{3}|^ {0,3}~~~|\bdef \w{1,60}\([\w, =]{0,80}\):|\bmysqli?_connect\(|\bnew (?:mysqli|PDO)\(",
    re.MULTILINE,
)
_CODE_LINES = (
    "async ", "def ", "class ", "from ", "import ", "console.", "System.", "function ", "const ", "let ",
    "var ", "#include", "public ", "print", "return ", "<?php", "$", "if __name__", "curl ", "wget ", "sudo ",
    "pip ", "npm ", "powershell ", "chmod ", "bash ", "rm ", "SELECT ", "~~~",
)  # fmt: skip
"""What a line of code begins with."""
_CODE_SIGNS = ("```", "def ", "mysql", "new PDO")
"""What code has that is within a line."""
_BLOB = re.compile(
    r"(?<![\w+/=-])(?:[A-Za-z0-9+/_-]{28,}+={0,2}(?![\w+/=-])|[0-9a-fA-F]{2}(?:[ :][0-9a-fA-F]{2}){12,400}+"
    r"|[01]{7,8}(?: [01]{7,8}){4,400}+|(?:[.-]{1,6} (?:/ )?){16,400}+)"
)
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\u2b50\u2b55]")
_MIN_LONG_WORD = 46
"""Letters of text without spaces: newspapers have no words of this length. Chosen, not measured."""
_LONG_WORD = re.compile(rf"(?<![^\W\d_])[a-zA-Z]{{{_MIN_LONG_WORD},}}+")
_MIN_EMOJI = 6
"""Chosen, not measured."""


def check_markers(index: SourceIndex | None, body: VisibleText, text: str) -> tuple[Finding, ...]:
    """Return firm blocking findings about prompt markers and HTML; `text` is the Markdown of `body`.

    Escaped HTML, which readers see as text, is found only with a source that does not have it.
    """
    markers = PROMPT_MARKER.finditer(body.text) if PROMPT_MARKER_SIGN.search(body.text.lower()) else ()
    marked = (("A prompt marker", match[0], body.span(*match.span())) for match in markers)
    raw = (("Raw HTML", match[0], match.span()) for match in _HTML.finditer(text))
    shown = _shown_html(index, body, text) if index else ()
    findings = [_block(*each) for group in (marked, raw, shown) for each in islice(group, _MAX_FINDINGS)]
    # Firm: no reason justifies text that a site would execute, or a part of the prompt.
    return tuple(finding.model_copy(update={"firm": True}) for finding in findings)


def _shown_html(
    index: SourceIndex, body: VisibleText, text: str
) -> Iterator[tuple[str, str, tuple[int, int]]]:
    for match in _HTML.finditer(body.text):
        span = body.span(*match.span())
        if text[span[0]] != "<" and not index.contains(match[0]):
            yield "HTML", match[0], span


def check_non_article(index: SourceIndex, body: VisibleText, *, labels: bool = True) -> tuple[Finding, ...]:
    """Return blocking findings about text that is no article and not in the source.

    `labels=False` ignores `AI: …` at the beginning, which is a subject in a headline, not a speaker's label.
    """
    matches = (
        (what, match)
        for what, match in _non_article_matches(body.text)
        if not index.contains(match[0]) and (labels or not match[0].rstrip().endswith(":"))
    )
    first = islice(matches, _MAX_FINDINGS)
    findings = [_block(what, match[0], body.span(*match.span())) for what, match in first]
    emoji = [match for match in _EMOJI.finditer(body.text) if match[0] not in index.visible]
    if len(emoji) >= _MIN_EMOJI:
        findings.append(_block("A row of emoji", emoji[0][0], body.span(*emoji[0].span())))
    return tuple(findings)


def _non_article_matches(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Yield each match after its name for messages."""
    longest = max(map(len, text.split()), default=0)
    kinds = (
        (_PROMPT.finditer(text), "Wording of the prompt"),
        (_ASSISTANT.finditer(text), "An AI assistant's remark"),
        (_CODE.finditer(text) if _may_have_code(text) else (), "Program code"),
        (_LONG_WORD.finditer(text) if longest >= _MIN_LONG_WORD else (), "Text without spaces"),
    )
    for matches, what in kinds:
        yield from ((what, match) for match in matches)
    yield from (("Encoded text", match) for match in _BLOB.finditer(text) if _is_encoded(match[0]))


def _may_have_code(text: str) -> bool:
    """Tell whether a text has signs that each match of `_CODE` has."""
    lines = (line.lstrip(" \t") for line in text.split("\n"))
    return any(sign in text for sign in _CODE_SIGNS) or any(line.startswith(_CODE_LINES) for line in lines)


def _is_encoded(run: str) -> bool:
    """Tell whether a run is encoded, not a long word or several with hyphens or slashes between them."""
    if " " in run or ":" in run or run.endswith("="):
        return True
    if len(run) >= 32 and run.isalnum() and run == run.lower() and sum(map(str.isdigit, run)) >= 2:
        return True
    changes = sum(first.isupper() != second.isupper() for first, second in pairwise(run))
    return changes >= len(run) / 4 and max(map(len, re.split("[/_-]", run))) >= 20


def _block(what: str, shown: str, span: tuple[int, int]) -> Finding:
    excerpt = " ".join(shown.split())
    message = f'{what} is in the text ("{excerpt[:60]}"): remove it, or redraft.'
    return Finding(kind="injection", severity=Severity.BLOCK, message=message, span=span)


_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+")
_PARAGRAPH = re.compile(r"[^\n]+")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s*")
_MAX_CHARS = 5000
"""Of a paragraph or a source, for judging its language."""
_MIN_LENGTH = 40
"""Words of a paragraph, or letters of another script, from which on it is judged. Chosen, not measured."""
_TYPICAL_SHARE = 0.12
"""Share of stop words from which on a text is in the language. Chosen, not measured."""
_MIN_SHARE = 0.06
"""A smaller share of stop words occurs by chance; a text in the language has about 0.4."""


def check_language(index: SourceIndex, body: VisibleText, language: str) -> tuple[Finding, ...]:
    """Return a blocking finding for each long paragraph of a body in another language than `language`."""
    code = language.lower().replace("_", "-").partition("-")[0]
    paragraphs = (
        paragraph
        for paragraph in _PARAGRAPH.finditer(body.text)
        if _is_foreign(index, paragraph[0][:_MAX_CHARS], code)
    )
    return tuple(_language_finding(language, body.span(*match.span())) for match in islice(paragraphs, 10))


def _is_foreign(index: SourceIndex, text: str, code: str) -> bool:
    # A quotation in another language is allowed if the source itself is in `language` and has it too.
    return _is_other_language(text, code) and not _is_quoted_from_source(index, text, code)


def _is_quoted_from_source(index: SourceIndex, text: str, code: str) -> bool:
    """Tell whether a text without its sentences from the source is in the language, as the source is."""
    own = " ".join(sentence for sentence in _SENTENCE_END.split(text) if not index.contains(sentence))
    return not _is_other_language(own, code) and not _is_other_language(index.visible[:_MAX_CHARS], code)


def _is_other_language(text: str, code: str) -> bool:
    scripts = LANGUAGE_SCRIPTS.get(code)
    latin = text.isascii() and scripts and "latin" in scripts
    letters = 0 if latin else len(_LETTER.findall(text))
    if scripts and letters >= _MIN_LENGTH:
        own = sum(len(SCRIPT_PATTERNS[name].findall(text)) for name in scripts.split())
        if own < letters * 0.25:
            return True
    return code in STOP_WORD_SETS and _has_few_stop_words(_WORD.findall(text.lower()), code)


def _has_few_stop_words(words: list[str], code: str) -> bool:
    """Tell whether the language's stop words are missing, or those of another one are far more frequent."""
    if len(words) < _MIN_LENGTH // 2:
        return False
    own = stop_word_share(words, code)
    if own >= _TYPICAL_SHARE:
        return False  # fast path of nearly every paragraph
    best_other = max(stop_word_share(words, other) for other in STOP_WORD_SETS if other != code)
    if best_other > 0.2 and best_other > 2.5 * own:
        return True
    return own < _MIN_SHARE and len(words) >= _MIN_LENGTH


def _language_finding(language: str, span: tuple[int, int]) -> Finding:
    message = (
        f'This paragraph is not in the language "{language}", or in none: translate or remove it, or redraft.'
    )
    return Finding(kind="injection", severity=Severity.BLOCK, message=message, span=span)
