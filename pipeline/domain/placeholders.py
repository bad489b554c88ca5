"""Fixed texts of offline briefs by language, with their placeholders for an editor's text."""

from typing import NamedTuple


class BriefLabels(NamedTuple):
    """One language's fixed texts; the two placeholders are in a body character by character."""

    by: str
    """Attribution with the fields `feed`, `author` and `link`."""
    without_author: str
    """Attribution with the fields `feed` and `link`."""
    untitled: str
    facts: str
    """Heading of the section that lists what the source holds."""
    numbers: str
    names: str
    dates: str
    nothing: str
    """Text under `facts` where the source has none."""
    from_author: str
    """Placeholder that blocks approval while it is in the body."""
    impact: str
    """Placeholder that blocks approval while it is in the body."""


_LABELS = {
    "en": BriefLabels(
        by="From {feed}, by {author}: {link}",
        without_author="From {feed}: {link}",
        untitled="untitled item",
        facts="Facts in the source",
        numbers="Figures",
        names="Names",
        dates="Dates",
        nothing="The source gives no figures, names or dates.",
        from_author="The editor writes this part: no model has rewritten the source.",
        impact="The editor writes what this means for the market.",
    ),
    "de": BriefLabels(
        by="Aus {feed}, von {author}: {link}",
        without_author="Aus {feed}: {link}",
        untitled="Meldung ohne Titel",
        facts="Fakten in der Quelle",
        numbers="Zahlen",
        names="Namen",
        dates="Daten",
        nothing="Die Quelle nennt keine Zahlen, Namen oder Daten.",
        from_author="Diesen Teil schreibt die Redaktion: Kein Modell hat die Quelle umgeschrieben.",
        impact="Was das für den Markt bedeutet, schreibt die Redaktion.",
    ),
    "es": BriefLabels(
        by="De {feed}, por {author}: {link}",
        without_author="De {feed}: {link}",
        untitled="noticia sin título",
        facts="Datos de la fuente",
        numbers="Cifras",
        names="Nombres",
        dates="Fechas",
        nothing="La fuente no da cifras, nombres ni fechas.",
        from_author="Esta parte la escribe el editor: ningún modelo ha reescrito la fuente.",
        impact="El editor escribe qué significa esto para el mercado.",
    ),
    "fr": BriefLabels(
        by="De {feed}, par {author} : {link}",
        without_author="De {feed} : {link}",
        untitled="article sans titre",
        facts="Les faits dans la source",
        numbers="Chiffres",
        names="Noms",
        dates="Dates",
        nothing="La source ne donne ni chiffres, ni noms, ni dates.",
        from_author="Cette partie revient à la rédaction : aucun modèle n’a réécrit la source.",
        impact="La rédaction écrit ici ce que cela signifie pour le marché.",
    ),
}


def brief_labels(language: str) -> BriefLabels:
    """Return the texts for a language code such as `en` or `de-AT`; English for an unknown language."""
    return _LABELS.get(language.lower().replace("_", "-").partition("-")[0], _LABELS["en"])


PLACEHOLDERS = tuple(text for words in _LABELS.values() for text in (words.from_author, words.impact))
"""Every placeholder for an editor's text, in all languages."""
