"""Text that is no article: a request's own words, markup, program code, an assistant's talk, encoded text.

What the source has as well may be reported about.

Tells text that is not in the language that was asked for; never of little text, and only where it is sure.

Two signs: the script, and the small words that every sentence of a language has. Words spelled backwards,
shifted by thirteen letters or run together lack those, too.
"""

import re
from collections.abc import Iterator
from itertools import islice, pairwise

from pipeline.checks.injection.source_index import SourceIndex
from pipeline.checks.languages import W, any_of
from pipeline.checks.visible_text import VisibleText
from pipeline.domain.reviews import Finding, Severity

_MOST = 20
_MARKER = re.compile(r"(?<!=)={2,}+\s?item\s[0-9a-f]{4,64}\b[\s=]{0,9}|\bitem\s[0-9a-f]{16}\b", re.IGNORECASE)
_HTML = re.compile(
    r"<(?:/?(?:a|abbr|article|b|base|blockquote|body|br|button|center|code|details|dialog|div|embed|em|font"
    r"|footer|form|frame|h[1-6]|head|header|hr|html|i|iframe|img|input|label|li|link|marquee|math|meta|nav"
    r"|object|ol|option|p|picture|pre|script|section|select|small|source|span|strong|style|sub|summary|sup"
    r"|svg|table|tbody|td|template|textarea|th|thead|title|tr|u|ul|video|audio)(?=[\s/>])[^<>]{0,500}>?"
    r"|!--|!doctype\b|\?(?:php|xml)\b|!\[cdata\[)",
    re.IGNORECASE,
)
_PROMPT = any_of(
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
_LINE = r"^[ \t>*-]{0,8}"
_ASSISTANT = re.compile(
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
_BLOB = re.compile(
    r"(?<![\w+/=-])(?:[A-Za-z0-9+/_-]{28,}+={0,2}(?![\w+/=-])|[0-9a-fA-F]{2}(?:[ :][0-9a-fA-F]{2}){12,400}+"
    r"|[01]{7,8}(?: [01]{7,8}){4,400}+|(?:[.-]{1,6} (?:/ )?){16,400}+)"
)
_EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\u2b50\u2b55]")
_LONG_WORD = re.compile(r"(?<![^\W\d_])[a-zA-Z]{46,}+")
"""Longer than any word that is written between spaces in a newspaper: text without them."""
_MANY = 6


def check_markers(known: SourceIndex | None, body: VisibleText, text: str) -> tuple[Finding, ...]:
    """Return findings about what no article has, whatever its source: a request's marker, raw HTML.

    HTML that is shown as such, so that it does nothing, is found where the source is known and has none.
    """
    markers = (
        ("A request's marker", found[0], body.span(*found.span())) for found in _MARKER.finditer(body.text)
    )
    raw = (("Raw HTML", found[0], found.span()) for found in _HTML.finditer(text))
    shown = _shown_html(known, body, text) if known else ()
    found = [_block(*each) for places in (markers, raw, shown) for each in islice(places, _MOST)]
    # A site would act on it, or a reader would see a machine's talk: nobody can want that.
    return tuple(one.model_copy(update={"firm": True}) for one in found)


def _shown_html(
    known: SourceIndex, body: VisibleText, text: str
) -> Iterator[tuple[str, str, tuple[int, int]]]:
    for found in _HTML.finditer(body.text):
        span = body.span(*found.span())
        if text[span[0]] != "<" and not known.says(found[0]):
            yield "HTML", found[0], span


def check_non_article(known: SourceIndex, body: VisibleText, *, labels: bool = True) -> tuple[Finding, ...]:
    """Return findings about text that is not in the source, and no article either.

    `AI: …` is a speaker's label at the beginning of a line, and a subject at that of a headline: there are
    no `labels` there.
    """
    strays = (
        (found, what)
        for found, what in _strays(body.text)
        if not known.says(found[0]) and (labels or not found[0].rstrip().endswith(":"))
    )
    found = [_block(what, found[0], body.span(*found.span())) for found, what in islice(strays, _MOST)]
    pictures = [each for each in _EMOJI.finditer(body.text) if each[0] not in known.shown]
    if len(pictures) >= _MANY:
        found.append(_block("A row of emoji", pictures[0][0], body.span(*pictures[0].span())))
    return tuple(found)


def _strays(text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Yield what is no news, each with its name."""
    kinds = (
        (_PROMPT, "The request's own wording"),
        (_ASSISTANT, "An assistant's talk"),
        (_CODE, "Program code"),
        (_LONG_WORD, "Text without spaces"),
    )
    for pattern, what in kinds:
        yield from ((found, what) for found in pattern.finditer(text))
    yield from ((found, "Encoded text") for found in _BLOB.finditer(text) if _is_encoded(found[0]))


def _is_encoded(run: str) -> bool:
    """Tell whether a run is more than a long word, or several with hyphens or slashes between them."""
    if " " in run or ":" in run or run.endswith("="):
        return True
    if len(run) >= 32 and run.isalnum() and run == run.lower() and sum(map(str.isdigit, run)) >= 2:
        return True
    changes = sum(one.isupper() != other.isupper() for one, other in pairwise(run))
    return changes >= len(run) / 4 and max(map(len, re.split("[/_-]", run))) >= 20


def _block(what: str, shown: str, span: tuple[int, int]) -> Finding:
    words = " ".join(shown.split())
    said = f'{what} stands in the text ("{words[:60]}"): remove it, or redraft.'
    return Finding(kind="injection", severity=Severity.BLOCK, message=said, span=span)


# fmt: off
_WORDS = {
    "en": (
        "the of and to a in is that it for as was on with by at be are from this has have its an but not "
        "or they their which will would were had more said than who been about also after may could "
    ),
    "de": (
        "der die das und in zu den von mit ist im für des auf dem ein eine nicht als sich auch es an "
        "werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über war hatte zum zur "
    ),
    "fr": (
        "le la les de des du et à un une en est que qui dans pour par sur au aux ce se pas plus avec il "
        "elle ne sont son sa ses ou mais été cette leur ont comme d l qu n s c "
    ),
    "es": (
        "el la los las de del y en un una que es se por con para su al lo como más no sus o pero fue ha "
        "este esta son entre sobre también desde "
    ),
    "it": (
        "il lo la i gli le di del della dei e è un una che in per con su da al alla non si sono come più "
        "anche ha nel nella ma questo dal l d "
    ),
    "pt": (
        "o a os as de do da dos das e é em um uma que no na por com para se não mais como ao à ou foi seu "
        "sua são mas também pelo pela "
    ),
    "nl": (
        "de het een van en in is dat op te voor met zijn niet aan er om ook als bij door maar naar heeft "
        "uit worden dit deze hij ze werd wordt over "
    ),
    "pl": (
        "i w na z do się że nie to jest o jak po co za od dla przez są ale oraz był przy już tym tego "
        "który która które ich "
    ),
    "sv": (
        "och i att det som en på är av för med den till inte om ett har de från var men vid kan ska så "
        "efter eller under sig "
    ),
    "tr": (
        "ve bir bu da de için ile olarak daha çok olan ne gibi kadar sonra ise ancak en o her ya göre "
    ),
    "ru": (
        "и в на не с что по к из за для это о как от его у но то же он она они был были было при также "
        "или до "
    ),
}
_SCRIPTS = {
    "latin": "A-Za-zÀ-ɏḀ-ỿ", "cyrillic": "Ѐ-ԯ", "greek": "Ͱ-Ͽἀ-῿", "hebrew": "֐-׿", "arabic": "؀-ۿݐ-ݿ",
    "devanagari": "ऀ-ॿ", "bengali": "ঀ-৿", "tamil": "஀-௿", "thai": "฀-๿", "georgian": "Ⴀ-ჿ", "armenian": "԰-֏",
    "hangul": "가-힯ᄀ-ᇿ", "han": "㐀-鿿", "kana": "぀-ヿ",
}
_WRITTEN_IN = {
    "ar": "arabic", "be": "cyrillic", "bg": "cyrillic", "bn": "bengali", "el": "greek", "fa": "arabic",
    "he": "hebrew", "hi": "devanagari", "hy": "armenian", "ja": "han kana", "ka": "georgian",
    "kk": "cyrillic latin", "ko": "hangul", "mk": "cyrillic", "mn": "cyrillic", "mr": "devanagari",
    "ne": "devanagari", "ru": "cyrillic", "sr": "cyrillic latin", "ta": "tamil", "th": "thai",
    "uk": "cyrillic", "ur": "arabic", "zh": "han",
} | dict.fromkeys((
    "af", "ca", "cs", "cy", "da", "de", "en", "es", "et", "eu", "fi", "fr", "ga", "gl", "hr", "hu", "id",
    "is", "it", "lt", "lv", "ms", "nb", "nl", "nn", "no", "pl", "pt", "ro", "sk", "sl", "sq", "sv", "sw",
    "tl", "tr", "vi",
), "latin")
# fmt: on
_SETS = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_SCRIPT = {name: re.compile(f"[{chars}]") for name, chars in _SCRIPTS.items()}
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+")
_PARAGRAPH = re.compile(r"[^\n]+")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s*")
_READ = 5000
"""Characters of a paragraph, and of a source, that tell its language."""
_LONG = 40
"""Words of a paragraph, and letters in scripts without spaces, from which on it is looked at."""
_ENOUGH = 0.12
"""Share of a language's small words from which on a text is in it."""
_LEAST = 0.06
"""Of a language's words its small ones are two fifths; fewer than this are met by chance."""


def check_language(known: SourceIndex, body: VisibleText, language: str) -> tuple[Finding, ...]:
    """Return a blocking finding for each long paragraph of a body in another language than `language`."""
    code = language.lower().replace("_", "-").partition("-")[0]
    strange = (each for each in _PARAGRAPH.finditer(body.text) if _is_strange(each[0][:_READ], code))
    # What a source quotes in another language may be quoted here: not a source in another language itself.
    theirs = (each for each in strange if not _is_quotation(known, each[0][:_READ], code))
    return tuple(_finding(language, body.span(*each.span())) for each in islice(theirs, 10))


def _is_quotation(known: SourceIndex, text: str, code: str) -> bool:
    """Tell whether a text is in the language but for sentences of a source that is."""
    own = " ".join(each for each in _SENTENCE_END.split(text) if not known.says(each))
    return not _is_strange(own, code) and not _is_strange(known.shown[:_READ], code)


def _is_strange(text: str, code: str) -> bool:
    scripts = _WRITTEN_IN.get(code)
    latin = text.isascii() and scripts and "latin" in scripts
    letters = 0 if latin else len(_LETTER.findall(text))
    if scripts and letters >= _LONG:
        own = sum(len(_SCRIPT[name].findall(text)) for name in scripts.split())
        if own < letters * 0.25:
            return True
    return code in _SETS and _lacks_small_words(_WORD.findall(text.lower()), code)


def _lacks_small_words(words: list[str], code: str) -> bool:
    """Tell whether a language's small words are missing, or another one's are far more."""
    if len(words) < _LONG // 2:
        return False
    own = _share(words, code)
    if own >= _ENOUGH:
        return False  # as nearly every paragraph: the other languages need not be counted
    most = max(_share(words, other) for other in _SETS if other != code)
    if most > 0.2 and most > 2.5 * own:
        return True
    return own < _LEAST and len(words) >= _LONG


def _share(words: list[str], code: str) -> float:
    small = _SETS[code]
    return sum(word in small for word in words) / len(words)


def _finding(language: str, span: tuple[int, int]) -> Finding:
    said = (
        f'This paragraph is not in the language "{language}", or in none: translate or remove it, or redraft.'
    )
    return Finding(kind="injection", severity=Severity.BLOCK, message=said, span=span)
