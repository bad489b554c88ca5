"""Names of months and time zones, as feeds write them."""

import unicodedata

# fmt: off
_NAMES = (
    "january jan janvier janv januar janner enero ene janeiro gennaio gen января январь янв",
    "february feb fevrier fevr fev februar febrero fevereiro febbraio февраля февраль фев февр",
    "march mar mars marz maerz mrz marzo marco марта март мар",
    "april apr avril avr abril abr aprile апреля апрель апр",
    "may mai mayo maio maggio mag мая май",
    "june jun juin juni junio junho giugno giu июня июнь июн",
    "july jul juillet juil juli julio julho luglio lug июля июль июл",
    "august aug aout aou agosto ago августа август авг",
    "september sep sept septembre septiembre setiembre setembro set settembre сентября сентябрь сен сент",
    "october oct octobre oktober okt octubre outubro out ottobre ott октября октябрь окт",
    "november nov novembre noviembre novembro ноября ноябрь ноя нояб",
    "december dec decembre dezember dez diciembre dic dezembro dicembre декабря декабрь дек",
)
_ZONE_HOURS = (
    # North and South America
    "nst -3.5 ndt -2.5 ast -4 adt -3 at -4 est -5 edt -4 et -5 cst -6 cdt -5 ct -6 mst -7 mdt -6 mt -7 "
    "pst -8 pdt -7 pt -8 akst -9 akdt -8 hst -10 brt -3 art -3 clt -4 clst -3 cot -5 pet -5 uyt -3 "
    # Europe and Africa
    "ut 0 utc 0 gmt 0 z 0 wet 0 west 1 bst 1 cet 1 cest 2 met 1 mest 2 mez 1 mesz 2 eet 2 eest 3 "
    "msk 3 msd 4 trt 3 wat 1 cat 2 sast 2 eat 3 "
    # Asia and Oceania; IST is India's here, which has more feeds than Israel and Ireland
    "ist 5.5 irst 3.5 gst 4 pkt 5 npt 5.75 ict 7 wib 7 sgt 8 myt 8 hkt 8 pht 8 awst 8 jst 9 kst 9 "
    "acst 9.5 acdt 10.5 aest 10 aedt 11 nzst 12 nzdt 13"
)
# fmt: on


def folded(text: str) -> str:
    """Return text in small letters without accents."""
    if text.isascii():
        return text.lower()
    split = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in split if not unicodedata.combining(char))


MONTHS = {name: at + 1 for at, names in enumerate(_NAMES) for name in folded(names).split()}
"""Folded names, whole and short, to 1–12: English, French, German, Spanish, Portuguese, Italian, Russian."""

_WORDS = _ZONE_HOURS.split()
ZONES = {name: float(hours) for name, hours in zip(_WORDS[::2], _WORDS[1::2], strict=True)}
"""Abbreviations in small letters to hours ahead of UTC."""
