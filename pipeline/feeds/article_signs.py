"""Tells what is no article: show notes, video descriptions, advertising, sign-up pages, listings. Pure.

One sign decides nothing: a podcast's page may be an article, and an article may name its sponsor. Each sign
has a weight, and from _ENOUGH on an item is no article; that its author says who paid for it is enough.
Words and weights: chosen, and tried on real feeds.
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from pipeline.domain.models import Item
from pipeline.feeds.html_pieces import split_html
from pipeline.feeds.listings import listing_kind

_ENOUGH = 4
_MAX_CHARS = 6_000
"""Characters of a text that are searched for signs."""
_PROSE_LINE_CHARS, _PROSE_CHARS = 100, 1_200
"""A line of prose, and prose from which on an episode's text is an article."""
_SIGN_UP_CHARS = 1_000
"""Characters from which on a text is more than an invitation to sign up."""
_MIN_CHAPTERS = 3
"""Lines with a time that YouTube shows as chapters. Source: https://support.google.com/youtube/answer/9884579."""
_MIN_LINKS, _LINK_SHARE, _CHARS_PER_LINK = 3, 0.6, 150
"""Links of a list, the share of its characters in them, and the most characters for each."""

_TIME_CODE = re.compile(r"^\W{0,4}\[?\(?\d{1,2}:\d\d(?::\d\d)?\b", re.MULTILINE)
_START = re.compile(r"(?<![\d:])(?:00?:)?00?:00(?![\d:])")
_VIDEO_LINK = re.compile(r"/watch\?v=|//youtu\.be/|//(?:www\.|player\.)?vimeo\.com/\d", re.IGNORECASE)
_EPISODE_TITLE = re.compile(
    r"\b(?:episode|ep\.?|folge|épisode|episodio|episódio|aflevering|avsnitt|odcinek"
    r"|podcast)\s{0,3}#?\d{1,4}\b"
    r"|\bS\d{1,2}\W{0,3}E\d{1,3}\b|\A#\d{1,4}\b",
    re.IGNORECASE,
)
_EPISODE_WORDS = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        r"(?:in|on) this (?:week's |week’s )?episode|this episode (?:is|was)|show notes"
        r"|\bepisodes? of (?:this|the|my|our) podcast"
        r"|in dieser (?:folge|episode)"
        r"|dans cet épisode|en este episodio|neste episódio|in deze aflevering"
        r"|in questo episodio|i det här avsnittet"
        r"|(?:this week|today) on the (?:show|podcast)|on this week['’]s (?:episode|podcast|show)",
        r"wherever you (?:get|listen to) (?:your )?podcasts|(?:apple|google) podcasts|on spotify"
        r"|überall, wo es podcasts|your ad choices|megaphone\.fm|acast\.com|hosted on acast",
        r"subscribe (?:to|on|wherever|now|for|:)|\bsubscribe\b.{0,20}https?:|abonnier|abonnez-vous"
        r"|suscríbete|inscreva-se",
        r"(?:follow|find) (?:us|me) on|patreon|buymeacoffee|support the (?:show|channel|podcast)"
        r"|five-star review|\bmerch\b",
        r"\b(?:use|with|promo) (?:the )?code\b|\d{1,2} ?% off\b|sponsored by|brought to you by|rabattcode",
        r"music(?: (?:by|from):?|:)|(?:musik|musique|música) ?:|(?:produced|edited"
        r"|hosted) by\b.{0,60}\b(?:produced|edited|hosted"
        r"|music) by|business inquiries",
    )
)
_EPISODE_URL = re.compile(r"/(?:podcasts?|episodes?)/|[?&]post_type=podcasts?(?![\w-])", re.IGNORECASE)
_AD_CATEGORY = re.compile(
    r"(?:sponsored|paid|partner|branded|promoted)(?: (?:content|post|article|story|stories|feature))?"
    r"|advertorials?"
    r"|anzeigen?|publireportage|publirreportaje|contenido patrocinado|contenu sponsorisé"
    r"|publi-?rédactionnel|werbung"
    r"|contenuto sponsorizzato|conteúdo patrocinado|gesponsord|sponsrat|sponset"
    r"|contenido de marca|contenu partenaire"
    r"|(?:bezahlte[rs]? |gesponserte[rs]? )(?:partnerschaft|partnerinhalt|inhalt|beitrag)"
    r"|partnerinhalt|sponsor|patrocinado|sponsorisé"
    r"|annonsørinnhold|kommersielt samarbeid|annonssamarbete|artykuł sponsorowany|реклама"
    r"|на правах рекламы|広告",
    re.IGNORECASE,
)
_AD_AUTHOR = re.compile(
    r"\bbrand ?(?:studio|voice|connect|lab)|\bsponsor|partner content|content studio|advertorial", re.I
)
_AD_LINE = re.compile(
    r"\W{0,3}(?:(?:sponsored|promoted|paid)\s(?:content|post|article|by|for by|partnership)|advertorial"
    r"|anzeige\b\W"
    r"|in (?:paid )?partnership with|paid for (?:by|and)|publireportage|contenido patrocinado"
    r"|contenu (?:sponsorisé|partenaire)|contenido de marca|artykuł sponsorowany"
    r"|annonsørinnhold|на правах рекламы"
    r"|(?:this|the) (?:article|post|story|content) (?:is|was) (?:sponsored|paid"
    r"|brought to you|produced in partnership)"
    r"|diese[rs]? (?:beitrag|artikel|text|inhalt) (?:ist|entstand) (?:eine? "
    r"|in )?(?:bezahlte|werbung|anzeige|gesponsert)"
    r"|cet article (?:est|a été) (?:sponsorisé|rédigé en partenariat)|en colaboración con)",
    re.IGNORECASE,
)
_AD_DECLARATION = re.compile(
    r"^\W{0,3}this (?:article|post|story|content|review|recipe) (?:is|was) sponsored by\b[^\n]{1,100}$",
    re.IGNORECASE | re.MULTILINE,
)
_DECLARATION_CHARS = 1_500
"""Characters at the beginning of a text in which its author says who paid for it. Chosen, not measured."""
_AD_TITLE = re.compile(
    r"\W?(?:sponsored|advertorial|anzeige|promoted|paid post|publireportage)\W{0,2}[:\]|–-]", re.I
)
_AD_PATH = re.compile(
    r"/(?:sponsored|advertorials?|partner-content|brand-?(?:voice|studio|content)|anzeigen?"
    r"|patrocinado|publireportages?"
    r"|contenu-(?:partenaire|sponsorise)|paid-post|branded)(?:-\w+)?/",
    re.I,
)
_SIGN_UP_TITLE = re.compile(
    r"\A(?:subscribe|sign up|join|register|get)\b.{0,60}\b(?:newsletter|mailing list|emails?|alerts"
    r"|inbox|membership)\b"
    r"|newsletter\b.{0,30}\b(?:abonnieren|anmelden|bestellen)"
    r"|\binscrivez-vous\b.{0,40}newsletter|suscríbete",
    re.IGNORECASE,
)
_SIGN_UP_WORDS = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        r"\bsign up\b|\bsubscribe\b|jetzt anmelden|abonnez-vous|inscrivez-vous|suscríbete",
        r"\b(?:in|to) your inbox|\bnewsletter\b",
        r"cancel (?:at )?any ?time|unsubscribe|no spam|it is free|jederzeit kündbar",
        r"(?:click|tap|press) the (?:button|link)|join (?:them|us|now|today)|enter your e-?mail",
    )
)
_SIGN_UP_PATH = re.compile(r"/(?:newsletters?|subscribe|sign-?up|register|membership)/?\Z", re.IGNORECASE)


def not_an_article(item: Item) -> str | None:
    """Return what an item is, if it is no article, such as `show notes`; None if it may be one."""
    text = item.text[:_MAX_CHARS]
    if item.link_list:
        return "a list of links"
    if listing := listing_kind(item.title, item.link or "", text):
        return listing
    if _advertising(item, text) >= _ENOUGH:
        return "advertising"
    if len(item.text) < _SIGN_UP_CHARS and _sign_up(item, text) >= _ENOUGH:
        return "a sign-up page"
    if _episode(item, text) >= _ENOUGH and (_has_chapters(item, text) or not _is_prose(item.text)):
        return "a video description" if item.media == "video" else "show notes"
    return None


def is_link_list(markup: str, text: str) -> bool:
    """Return whether a text in HTML is a list of links to other stories, each with at most a few words."""
    lower = markup.lower()
    links = lower.count("<a ")
    if links < _MIN_LINKS or len(text) > links * _CHARS_PER_LINK or "</li>" not in lower:
        return False
    split = split_html(markup)
    linked = total = depth = 0
    for name, written in zip(("", *split.names), split.texts, strict=True):
        depth = max(0, depth + (name == "a") - (name == "/a"))
        length = sum(map(str.isalnum, written))
        total += length
        linked += length if depth else 0
    return linked >= _LINK_SHARE * total > 0


def _advertising(item: Item, text: str) -> int:
    path = urlsplit(item.link or "").path
    return (
        3 * any(_AD_CATEGORY.fullmatch(each.strip()) for each in item.categories)
        + 2 * bool(_AD_AUTHOR.search(item.author or ""))
        + 2 * bool(_AD_LINE.match(text))
        + _ENOUGH * ("sponsored by" in text and bool(_AD_DECLARATION.search(text, 0, _DECLARATION_CHARS)))
        + 3 * bool(_AD_TITLE.match(item.title))
        + 2 * bool(_AD_PATH.search(path))
    )


def _sign_up(item: Item, text: str) -> int:
    path = urlsplit(item.link or "").path
    title = bool(_SIGN_UP_TITLE.search(item.title))
    return 2 * title + bool(_SIGN_UP_PATH.search(path)) + _families(_SIGN_UP_WORDS, text)


def _episode(item: Item, text: str) -> int:
    codes = len(_TIME_CODE.findall(text))
    urls = f"{item.guid} {item.link}"
    is_filed = ("odcast" in urls or "pisode" in urls) and bool(_EPISODE_URL.search(urls))
    is_episode = item.media is not None or is_filed
    is_numbered = bool(_EPISODE_TITLE.search(item.title))
    return (
        is_episode
        + 2 * (is_filed and is_numbered)
        + (3 if item.guid.startswith("yt:video:") else 2 * bool(_VIDEO_LINK.search(item.link or "")))
        + 2 * (codes >= 2)
        + bool(_START.search(text))
        + is_numbered
        + min(3, _families(_EPISODE_WORDS, text))
        - 2 * (not is_episode)
    )


def _has_chapters(item: Item, text: str) -> bool:
    """Return whether a text describes a video: it is one's own entry, and lists its chapters."""
    return item.guid.startswith("yt:video:") and len(_TIME_CODE.findall(text)) >= _MIN_CHAPTERS


def _families(families: Iterable[re.Pattern[str]], text: str) -> int:
    return sum(1 for family in families if family.search(text))


def _is_prose(text: str) -> bool:
    """Return whether a text has many long paragraphs that promote nothing."""
    lines = (line for line in text.split("\n") if len(line) >= _PROSE_LINE_CHARS)
    return sum(len(line) for line in lines if not _families(_EPISODE_WORDS, line)) >= _PROSE_CHARS
