"""Tells text that is not in the language that was asked for; never of little text, and only where it is sure.

Two signs: the script, and the small words that every sentence of a language has. Words spelled backwards,
shifted by thirteen letters or run together lack those, too.
"""

import re
from itertools import islice

from pipeline.checks.known import Known
from pipeline.checks.seen import Seen
from pipeline.models import Finding, Severity

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


def check_tongue(known: Known, body: Seen, language: str) -> tuple[Finding, ...]:
    """Return a blocking finding for each long paragraph of a body in another language than `language`."""
    code = language.lower().replace("_", "-").partition("-")[0]
    strange = (each for each in _PARAGRAPH.finditer(body.text) if _is_strange(each[0][:_READ], code))
    # What a source quotes in another language may be quoted here: not a source in another language itself.
    theirs = (each for each in strange if not _is_quotation(known, each[0][:_READ], code))
    return tuple(_finding(language, body.span(*each.span())) for each in islice(theirs, 10))


def _is_quotation(known: Known, text: str, code: str) -> bool:
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
