"""The words of notes about corrections and retractions, by language."""

from datetime import datetime
from typing import NamedTuple


class CorrectionLabels(NamedTuple):
    """One language's words; the fields in braces are texts of the article and of the editor."""

    language: str
    """Its code, as Babel knows it."""
    date: str
    """A day, as a pattern of CLDR (UTS 35)."""
    on: str
    """When it was corrected: field `date`."""
    changed: str
    """What a sentence was and is: fields `was` and `now`."""
    removed: str
    added: str
    more: str
    """How many further sentences changed: field `count`."""
    retracted_title: str
    """Title of a retracted article: field `title`."""
    notice: str
    """Text in place of a retracted article: field `date`."""
    reason: str
    """Why: field `note`."""


_ENGLISH = CorrectionLabels(
    language="en",
    date="d MMMM y",
    on="Corrected on {date}:",
    changed="Before: “{was}” Now: “{now}”",
    removed="Removed: “{was}”",
    added="Added: “{now}”",
    more="Further sentences that changed: {count}.",
    retracted_title="Retracted: {title}",
    notice="This article was retracted on {date}.",
    reason="Reason: {note}",
)
_LABELS = {
    "en": _ENGLISH,
    "de": CorrectionLabels(
        language="de",
        date="d. MMMM y",
        on="Berichtigt am {date}:",
        changed="Vorher: „{was}“ Jetzt: „{now}“",
        removed="Entfernt: „{was}“",
        added="Ergänzt: „{now}“",
        more="Weitere geänderte Sätze: {count}.",
        retracted_title="Zurückgezogen: {title}",
        notice="Dieser Artikel wurde am {date} zurückgezogen.",
        reason="Grund: {note}",
    ),
    "es": CorrectionLabels(
        language="es",
        date="d 'de' MMMM 'de' y",
        on="Corregido el {date}:",
        changed="Antes: «{was}» Ahora: «{now}»",
        removed="Eliminado: «{was}»",
        added="Añadido: «{now}»",
        more="Otras frases cambiadas: {count}.",
        retracted_title="Retirado: {title}",
        notice="Este artículo fue retirado el {date}.",
        reason="Motivo: {note}",
    ),
    "fr": CorrectionLabels(
        language="fr",
        date="d MMMM y",
        on="Corrigé le {date} :",
        changed="Avant : « {was} » Maintenant : « {now} »",
        removed="Supprimé : « {was} »",
        added="Ajouté : « {now} »",
        more="Autres phrases modifiées : {count}.",
        retracted_title="Rétracté : {title}",
        notice="Cet article a été rétracté le {date}.",
        reason="Motif : {note}",
    ),
}


def correction_labels(language: str) -> CorrectionLabels:
    """Return the words for a language code such as `en` or `de-AT`; English for an unknown language."""
    return _LABELS.get(language.lower().replace("_", "-").partition("-")[0], _ENGLISH)


def day_text(labels: CorrectionLabels, moment: datetime) -> str:
    """Return the day of a moment in words."""
    from babel.dates import format_date

    return format_date(moment, labels.date, locale=labels.language)
