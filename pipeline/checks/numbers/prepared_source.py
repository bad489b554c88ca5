"""The numbers of a source with their contexts, prepared once for all parts of a draft."""

from functools import lru_cache
from typing import NamedTuple

from pipeline.checks.numbers.context import ContextIndex, SourceContexts
from pipeline.checks.numbers.derive import SourceNumbers
from pipeline.checks.numbers.draft_numbers import numbers_outside_dates
from pipeline.checks.numbers.extract import extract_shares
from pipeline.checks.numbers.lexicon import number_lexicon
from pipeline.checks.numbers.other_readings import other_decimals, other_readings
from pipeline.checks.numbers.results import Results
from pipeline.checks.source_texts import PREPARED
from pipeline.checks.tokens import TokenizedText


class PreparedSource(NamedTuple):
    """What is known about the numbers of a source."""

    numbers: SourceNumbers
    contexts: SourceContexts
    results: Results


@lru_cache(maxsize=PREPARED)
def prepare_source(source: TokenizedText, language: str) -> PreparedSource | None:
    """Return the numbers of a source; None where the language has no table."""
    lexicon, text = number_lexicon(language), source.text
    if lexicon is None:
        return None
    mentions = numbers_outside_dates(text, language)
    shares = extract_shares(mentions, text, language)
    readings = (*other_readings(mentions, text), *other_decimals(mentions, text, lexicon))
    numbers = SourceNumbers(mentions, [*shares, *readings])
    return PreparedSource(
        numbers, SourceContexts(ContextIndex(source, lexicon), mentions), Results(mentions, text)
    )
