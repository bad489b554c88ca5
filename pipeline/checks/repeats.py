"""Kind `form`: sentences that say what another one said, and articles far longer than their source."""

import re
from collections import Counter, defaultdict, deque
from collections.abc import Sequence

from pipeline.checks.reading import Reading
from pipeline.models import Finding, Severity

_LEAST = 8
"""Words of a sentence from which on it is compared."""
_SHARED = 0.8
"""Part of a sentence's telling words which, standing in one earlier sentence, makes it a repetition."""
_TELLING = 4
"""Letters of a word that says something; figures always do."""
_FEWEST = 5
"""Telling words without which a sentence is not compared."""
_LAST = 20
"""Earlier sentences with a word in common that are looked at: the nearest ones."""
_MOST = 20
_RATIO, _ROOM = 1.5, 100
"""Words for each of the source's, and words besides, which an article may have."""
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_COUNTED = 500
"""Characters of a text that tell whether its words have spaces between them."""


def check_repeats(draft: Reading, listed: Sequence[tuple[int, int]] = ()) -> list[Finding]:
    """Return a warning for each sentence most of whose telling words stood in one earlier sentence.

    What stands in the `listed` places is no sentence that is told.
    """
    told = [place for place in draft.sentences if not any(one <= place[0] < end for one, end in listed)]
    sentences = [(place, _telling(draft, place)) for place in told]
    often = Counter(word for _, words in sentences for word in words)
    earlier: dict[str, deque[int]] = defaultdict(lambda: deque(maxlen=_LAST))
    found: list[Finding] = []
    for number, (place, words) in enumerate(sentences):
        if len(words) < _FEWEST or len(found) >= _MOST:
            continue
        # At the most one word in five may be missing, so that one of the rarest is there.
        rare = sorted(words, key=often.__getitem__)[: int(len(words) * (1 - _SHARED)) + 1]
        near = {other for word in rare for other in earlier[word]}
        if any(len(words.keys() & sentences[other][1].keys()) >= _SHARED * len(words) for other in near):
            said = "This says again what a sentence before said: leave one of the two out."
            found.append(Finding(kind="form", severity=Severity.WARN, message=said, span=place))
        for word in words:
            earlier[word].append(number)
    return found


def _telling(draft: Reading, place: tuple[int, int]) -> dict[str, None]:
    """Return the words of a sentence that say something, each once and in their order."""
    first, behind = draft.between(*place)
    words = draft.folded[first:behind] if behind - first >= _LEAST else ()
    return dict.fromkeys(word for word in words if len(word) >= _TELLING or word[0].isdigit())


def check_length(draft: Reading, source: Reading) -> list[Finding]:
    """Return a warning where a draft has far more words than its source has matter for."""
    told, given = len(draft.words), len(source.words)
    if told <= _RATIO * given + _ROOM or _unspaced(draft) or _unspaced(source):
        return []
    said = f"The article has {told} words, its source {given}: cut what the source does not bear out."
    return [Finding(kind="form", severity=Severity.WARN, message=said)]


def _unspaced(reading: Reading) -> bool:
    """Tell whether a text is written without spaces, so that its words cannot be counted."""
    text = reading.text[:_COUNTED]
    return len(_UNSPACED.findall(text)) > len(text) / 5
