"""Parameters of URLs that tell where a reader came from: they never choose what is shown."""

import re

# Not one that some site chooses its pages by, such as id, p, v, page, story, cid or date.
_NAMES = re.compile(
    r"(?:utm|mtm|matomo|piwik|hsa|ga|gaa|guce|wt|trk|vero|mkt)_\w+|_hs\w+|elq\w+|at_[a-z]\w*|__s|__hs\w+"
    r"|pk_(?:campaign|kwd|keyword|source|medium|content|cid)|stm_(?:source|medium|campaign|term|content)"
    r"|ns_(?:campaign|mchannel|source|linkname|fee)|fb_(?:action_\w+|ref|source)|oly_(?:anon|enc)_id|soc_(?:src|trk)"
    r"|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|ysclid|twclid|ttclid|li_fat_id|igshid|igsh"
    r"|_ga|_gl|_openstat|_branch_match_id|__twitter_impression|action_object_map|mc_[ce]id|rb_clickid"
    r"|srsltid|zanpid|epik|dicbo|ref_?src|ref_?url|referrer|wt\.mc|xtor|spm|ncid|icid|ocid|cmpid|intcmp|int_cmp"
    r"|ftcamp|s_cid|sc_cid|s_kwcid|ito|mbid|tpcc|smid|smtyp|emc|wprss|wprov|feedtype|feedname|ml_subscriber(?:_hash)?"
    r"|cn-track|guccounter|sr_share|share_(?:id|token|source|medium|from)|sharetype|trk|trkcampaign|__source"
    r"|nr_email_referer",
    re.IGNORECASE,
)
_CARRIERS = frozenset(("ref", "source", "src", "via", "from", "partner", "mod", "feature", "cmp"))
_SENDERS = re.compile(
    r"(?:rss|atom|feed(?:s|ly|burner|press)?|twitter|x\.com|facebook|fb|linkedin|reddit|telegram|whatsapp|youtu"
    r"|instagram|tiktok|pinterest|newsletter|e?mail|social|share|hackernews|hn|producthunt|flipboard|googlenews"
    r"|google_news|smartnews|newsbreak|pocket|push|homepage|dlvr\.?it|ifttt|buffer|syndication)(?![a-z0-9]).*"
    r"|rss.{0,80}|feed.{0,80}",
    re.IGNORECASE,
)


def tracks(name: str, value: str) -> bool:
    """Tell whether a parameter says where a reader came from: by its name, or by both, as `ref=rss`."""
    if _NAMES.fullmatch(name):
        return True
    return name.lower() in _CARRIERS and _SENDERS.fullmatch(value) is not None
