"""Words of dates: months in the languages of CLDR, time zones of IANA, times relative to now."""

import re
import unicodedata
import zoneinfo
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import product

from babel import Locale

_LANGUAGES = (
    "nl pl tr uk cs ro hu sv da nb fi el ar he fa vi id ms hi bn th ko bg hr sr sk sl lt lv et ca eu gl is "
    "ga cy sq mk be ka hy az kk uz sw ur ta te mr gu pa ml kn ne si km lo my mn"
)
"""Beside those of dates.py. Where two languages give one name to two months, the first one counts."""
_WEEKDAYS = frozenset(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
_MORE_MONTHS = {"noi": 11}
"""Short names in use that CLDR does not have: Romanian."""
_WORD = re.compile(r"[^\W\d_]+")
_ZONE_NAME = re.compile(
    r"[\s\[(]*\b([A-Z][A-Za-z]{2,20}/[A-Z][A-Za-z_-]{1,30}(?:/[A-Z][A-Za-z_-]{1,30})?)[\])]?\Z"
)


def fold_accents(text: str) -> str:
    """Return text in lower case without accents."""
    if text.isascii():
        return text.lower()
    split = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in split if unicodedata.category(char)[0] != "M")


_UNITS = (
    (1, "seconds? secs? sekunden? secondes? segundos? secondi second[eo]n? sekund(?:er|y)? секунд[уы]? saniye"
     " 秒 초"),
    (60, "minutes? mins? m minuten? minutos? minuti minut(?:er|y)? minuut минут[уы]? dakika 分 分钟 分鐘 분"),
    (3600, "hours? hrs? h stunden? heures? horas? ore ora uur uren timm(?:ar|e) timer? godzin[aey]?"
     " час(?:ов|а)? saat 時間 小时 小時 시간"),
    (86_400, "days? d tag(?:en)? tage jours? dias? giorni giorno dag(?:en|ar|e)? dni dzien дн(?:я|ей) день"
     " gun 日 天 일"),
    (604_800, "weeks? wks? w wochen? semaines? semanas? settimane settimana weken week veck(?:or|a)"
     " tygodni[ae]? недел[юиь] hafta 週間 周 주"),
)  # fmt: skip
"""Folded names; Korean ones are folded when they are compared."""
_AGO = re.compile(
    r"(?:(vor|il y a|hace|ha|for) )?(?:about |ca\.? |environ )?(\d{1,4}|an?|one) ?([^\W\d_]{1,10}?)\.?"
    r"( ago| fa| geleden| atras| sedan| siden| temu| назад| once| ?前| ?전)?".replace(
        "전", fold_accents("전")
    )
)
_NOW = re.compile(r"(?:just |right )?now|gerade eben|a l.instant")
_RELATIVE_DAY = re.compile(
    r"(today|heute|aujourd.hui|hoy|hoje|oggi|vandaag|i ?dag|dzisiaj|dzis|сегодня|bugun|今日|今天|오늘)"
    r"|(yesterday|gestern|hier|ayer|ontem|ieri|gisteren|i ?gar|wczoraj|вчера|dun|昨日|昨天|어제)"
    .replace("오늘", fold_accents("오늘")).replace("어제", fold_accents("어제"))
)  # fmt: skip


@lru_cache(maxsize=1)
def cldr_months() -> dict[str, int]:
    """Return the folded names of months, full and short, to 1-12. It takes half a second once."""
    months = dict(_MORE_MONTHS)
    for language in _LANGUAGES.split():
        names = Locale.parse(language).months
        for context, width in product(("format", "stand-alone"), ("wide", "abbreviated")):
            for number, name in names[context][width].items():
                words = _WORD.findall(fold_accents(name))
                if len(words) == 1 and len(words[0]) > 1 and words[0] not in _WEEKDAYS:
                    months.setdefault(words[0], number)
    return months


def split_zone_name(raw: str) -> tuple[str, zoneinfo.ZoneInfo | None]:
    """Return a date without the name of an IANA time zone at its end, and that zone; None if it has none."""
    match = _ZONE_NAME.search(raw)
    if match is None:
        return raw, None
    try:
        return raw[: match.start()], zoneinfo.ZoneInfo(match[1])
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return raw[: match.start()], None


def read_relative(raw: str, now: datetime) -> datetime | None:
    """Return the time that `2 hours ago` means, None for other texts; `now` is aware UTC."""
    text = " ".join(fold_accents(raw).split())
    if _NOW.fullmatch(text):
        return now
    match = _AGO.fullmatch(text)
    if match is None or not (match[1] or match[4]):
        return None
    count = int(match[2]) if match[2].isdigit() else 1
    for seconds, names in _UNITS:
        if any(re.fullmatch(name, match[3]) for name in fold_accents(names).split()):
            return now - timedelta(seconds=count * seconds)
    return None


def with_named_day(raw: str, now: datetime) -> str | None:
    """Return a text with the date that `yesterday` or `today` means, None if it has neither."""
    text = fold_accents(raw)
    match = _RELATIVE_DAY.match(text.strip())
    if match is None:
        return None
    day = now - timedelta(days=1 if match[2] else 0)
    rest = re.sub(r"\A[\s,]*(?:at|um|a|as|alle|om|o|в|kl|saat)?\b", "", text.strip()[match.end() :])
    return f"{day:%Y-%m-%d} {rest.strip()}".strip()
