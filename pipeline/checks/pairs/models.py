"""Records of the rules that compare a draft sentence with its window."""

from typing import NamedTuple

from pipeline.checks.pairs.align import Alignment
from pipeline.checks.pairs.lexicon import PairLexicon
from pipeline.checks.pairs.names import SourceNames
from pipeline.checks.tokens import TokenizedText


class Contradiction(NamedTuple):
    """A span of words in the draft that a span of words in the source contradicts."""

    draft: tuple[int, int]
    """Half-open range of word indexes."""
    source: tuple[int, int]
    message: str
    replacement: str = ""


class PairTexts(NamedTuple):
    """Both texts of an alignment, with what the rules need."""

    draft: TokenizedText
    source: TokenizedText
    alignment: Alignment
    lexicon: PairLexicon
    names: SourceNames

    def source_phrase(self, first: int, behind: int) -> str:
        """Return a range of the source's words on one line."""
        words = self.source.words
        return " ".join(self.source.text[words[first].start : words[behind - 1].end].split())
