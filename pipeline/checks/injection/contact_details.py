"""Extracts contact details: web and e-mail addresses, telephone numbers, wallets, account names.

Every pattern takes time linear in the text: repetitions are bounded or possessive, and begin at the beginning
of a word.
"""

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Site = Literal["site", "maybe", "unknown"]

# fmt: off
_GENERIC = """
    aaa aarp abb abbott abbvie abc able abogado abudhabi academy accenture accountant accountants aco actor
    ads adult aeg aero aetna afl africa agakhan agency aig airbus airforce airtel akdn alibaba alipay
    allfinanz allstate ally alsace alstom amazon americanexpress americanfamily amex amfam amica amsterdam
    analytics android anquan anz aol apartments app apple aquarelle arab aramco archi army art arte asda
    asia associates athleta attorney auction audi audible audio auspost author auto autos aws axa azure baby
    baidu banamex band bank bar barcelona barclaycard barclays barefoot bargains baseball basketball bauhaus
    bayern bazar bbc bbt bbva bcg bcn beats beauty beer berlin best bestbuy bet bharti bible bid bike bing
    bingo bio biz black blackfriday blockbuster blog bloomberg blue bms bmw bnb bnpparibas boats boehringer
    bofa bom bond boo book booking bosch bostik boston bot boutique box bradesco bridgestone broadway broker
    brother brussels build builders business buy buzz bzh cab cafe cal calvinklein cam camera camp canon
    capetown capital capitalone car caravan cards care career careers cars casa case cash casino cat
    catering catholic cba cbn cbre center ceo cern cfa cfd chanel channel charity chase chat cheap chintai
    christmas chrome church cipriani circle cisco citadel citi citic city claims cleaning click clinic
    clinique clothing cloud club clubmed coach codes coffee college cologne com commbank community company
    compare computer comsec condos construction consulting contact contractors cooking cool coop corsica
    country coupon coupons courses cpa credit creditcard creditunion cricket crown crs cruise cruises crypto
    cuisinella cymru cyou dad dance dao data date dating datsun day dclk dds deal dealer deals degree
    delivery dell deloitte delta democrat dental dentist desi design dev dhl diamonds diet digital direct
    directory discount discover dish diy dnp docs doctor dog domains dot download drive dtv dubai dupont
    durban dvag dvr earth eat eco edeka edu education email emerck energy engineer engineering enterprises
    epson equipment ericsson erni esq estate eth eurovision eus events example exchange expert exposed
    express extraspace fage fail fairwinds faith family fan fans farm farmers fashion fast fedex feedback
    ferrari ferrero fidelity fido film final finance financial fire firestone firmdale fish fishing fit
    fitness flickr flights flir florist flowers fly foo food football ford forex forsale forum foundation
    fox free fresenius frl frogans frontier ftr fujitsu fun fund furniture futbol fyi gal gallery gallo
    gallup game games gap garden gay gbiz gdn gea gent genting george ggee gift gifts gives giving glass gle
    global globo gmail gmbh gmo gmx godaddy gold goldpoint golf goodyear goog google gop got gov grainger
    graphics gratis green gripe grocery group gucci guge guide guitars guru hair hamburg hangout haus hbo
    hdfc hdfcbank health healthcare help helsinki here hermes hiphop hisamitsu hitachi hiv hkt hockey
    holdings holiday homedepot homegoods homes homesense honda horse hospital host hosting hot hotel hotels
    hotmail house how hsbc hughes hyatt hyundai i2p ibm icbc ice icu ieee ifm ikano imamat imdb immo
    immobilien inc industries infiniti info ing ink institute insurance insure int international intuit
    invalid investments ipiranga irish ismaili ist istanbul itau itv jaguar java jcb jeep jetzt jewelry jio
    jll jmp jnj jobs joburg jot joy jpmorgan jprs juegos juniper kaufen kddi kerryhotels kerryproperties kfh
    kia kids kim kindle kitchen kiwi koeln komatsu kosher kpmg kpn krd kred kuokgroup kyoto lacaixa
    lamborghini lamer land landrover lanxess lasalle lat latino latrobe law lawyer lds lease leclerc lefrak
    legal lego lexus lgbt lidl life lifeinsurance lifestyle lighting like lilly limited limo lincoln link
    live living llc llp loan loans localhost locker locus lol london lotte lotto love lpl lplfinancial ltd
    ltda lundbeck luxe luxury madrid maif maison makeup man management mango map market marketing markets
    marriott marshalls mattel mba mckinsey med media meet melbourne meme memorial men menu merck merckmsd
    miami microsoft mil mini mint mit mitsubishi mlb mls mma mobi mobile moda moe moi mom monash money
    monster mormon mortgage moscow moto motorcycles mov movie msd mtn mtr museum music nab nagoya navy nba
    nec net netbank netflix network neustar news next nextdirect nexus nfl nft ngo nhk nico nike nikon ninja
    nissan nissay nokia norton nowruz nowtv nra nrw ntt nyc obi observer office okinawa olayan olayangroup
    ollo omega one ong onion onl online ooo oracle orange org organic origins osaka otsuka ott ovh page
    panasonic paris pars partners parts party pay pccw pet pfizer pharmacy phd philips phone photo
    photography photos physio pics pictet pictures pid pin ping pink pioneer pizza place play playstation
    plumbing plus pnc pohl poker politie porn post praxi press prime pro prod productions prof progressive
    promo property protection pru prudential pub pwc qpon quebec quest racing radio realestate realtor
    realty recipes red redumbrella rehab reise reisen reit reliance ren rent rentals repair report
    republican rest restaurant review reviews rexroth rich richardli ricoh ril rio rip rocks rodeo rogers
    room rsvp rugby ruhr run rwe ryukyu saarland safe safety sakura sale salon samsclub samsung sandvik
    sandvikcoromant sanofi sap sarl sas saxo sbi sbs scb schaeffler schmidt scholarships school schule
    schwarz science scot search seat secure security seek sener services seven sew sex sexy sfr shangrila
    sharp shell shia shiksha shoes shop shopping shouji show silk sina singles site ski skin sky skype sling
    smart smile sncf soccer social softbank software sohu sol solar solutions song sony soy spa space sport
    spot srl stada staples star statebank statefarm stc stcgroup stockholm storage store stream studio study
    style sucks supplies supply support surf surgery suzuki swatch swiss sydney systems tab taipei talk
    taobao target tatamotors tatar tattoo tax taxi tci tdk team tech technology tel temasek tennis test teva
    thd theater theatre tiaa tickets tienda tips tires tirol tjmaxx tjx tkmaxx tmall today tokyo tools top
    toray toshiba total tours town toyota toys trade trading training travel travelers travelersinsurance
    trust trv tube tui tunes tushu tvs ubank ubs unicom university uno uol ups vacations vana vanguard vegas
    ventures verisign versicherung vet viajes video vig viking villas vin vip virgin visa vision viva vivo
    vlaanderen vodka volvo vote voting voto voyage wales walmart walter wang wanggou watch watches weather
    weatherchannel webcam weber website wed wedding weibo weir whoswho wien wiki williamhill win windows
    wine winners wme woodside work works world wow wtc wtf xbox xerox xihuan xin xxx xyz yachts yahoo
    yamaxun yandex yodobashi yoga yokohama you youtube yun zappos zara zero zip zone zuerich
"""
"""The generic top-level domains; those outside the common root, of chains, and for examples."""
_SITES = frozenset(_GENERIC.split())
_FILES = frozenset((
    "asp", "aspx", "bak", "bat", "bin", "bmp", "c", "cfg", "cgi", "class", "conf", "cpp", "cs", "css",
    "csv", "dat", "deb", "dll", "dmg", "doc", "docx", "exe", "gif", "go", "gz", "h", "hpp", "htm",
    "html", "ico", "ini", "ipynb", "iso", "jar", "jpeg", "jpg", "js", "json", "jsp", "jsx", "kt",
    "lock", "log", "mjs", "mp3", "mp4", "odt", "pdf", "pem", "php", "png", "ppt", "pptx", "rar", "rb",
    "rtf", "scss", "sql", "svg", "tar", "tex", "tgz", "tiff", "toml", "ts", "tsv", "tsx", "txt", "vb",
    "vue", "wasm", "wav", "webm", "webp", "xls", "xlsx", "xml", "yaml", "yml",
))
_AMBIGUOUS = frozenset((
    "call", "id", "md", "name", "new", "now", "open", "pl", "properties", "ps", "py", "read", "rs", "save",
    "select", "sh", "tf",
))
"""Top-level domains that are file extensions or identifiers too: `main.py`, `user.id`, `Foo.new`."""
_SHORT = frozenset(("ai", "co", "com", "gg", "im", "io", "is", "ly", "me", "net", "org", "to"))
"""Where a name of one letter is a site: `x.com`, `t.me`. Elsewhere it is an abbreviation: `i.e`, `z.B`."""
# fmt: on


def kind_of_site(name: str) -> Site | None:
    """Return whether a name with a dot is a web site, None for a file name or an abbreviation.

    "site": a top-level domain of the tables or a country code. "maybe": the ending is a file extension or
    an identifier too. "unknown": any other ending, since domains are added every year.
    """
    *labels, last = name.split(".")
    top = last.lower()
    if top.startswith("xn--") or top in ("рф", "中国"):
        return "site"
    if not last.isascii() or not last.isalpha() or not 2 <= len(last) <= 24 or top in _FILES:
        return None
    # A capital after a dot is the beginning of a sentence after a lost space: `rose.It fell`.
    if last not in (top, last.upper()):
        return "site" if top in _SITES else None
    if len(labels[-1]) < 2 and top not in _SHORT:
        return None
    if all(label.isdigit() for label in labels):  # `2.0.beta`, `3.5bn`
        return "site" if top in _SITES else None
    is_domain = top in _SITES or (len(top) == 2 and top not in _AMBIGUOUS)
    return "site" if is_domain else "maybe" if top in _AMBIGUOUS else "unknown"


class Contact(NamedTuple):
    """A contact detail in a text; half-open, in characters."""

    kind: str
    """link, site, maybe, unknown, number, address, email, phone, wallet or handle."""
    start: int
    end: int
    text: str


_DOT = r"(?:\s?[\[({<]\s?(?:[.。]|dot|punkt|punto|point)\s?[\])}>]\s?)"
_TOPS = "com|net|org|info|io|ai|app|dev|xyz|co|me|ru|cn|top|site|online|shop|live|link|club|vip|example|test"
_URL_REST = r"""(?::\d{1,5}(?!\d))?+(?:(?:[/\#]|\?(?=\w))[^\s<>"'`|\\)\]}»”]{0,2000}+)?+"""
"""Port, path, query and fragment."""
_LINK = re.compile(
    r"""
    (?<![a-z0-9])(?:[a-z][a-z0-9+.-]{1,15}[:：]//(?=[\w\[])|h[tx*]{2}ps?\s?[:：]\s?//)
        [^\s<>"'`|\\)\]}»”]{1,2000}+
    | (?<![a-z0-9])(?:javascript|vbscript|mailto|tel|sms|tg|skype|magnet|intent|blob):(?=\S)
        [^\s<>"'`)\]]{1,2000}+
    | (?<![a-z0-9])data:[a-z]{1,20}/[^\s)\]]{1,2000}+
    | (?<![a-z0-9.-])www\d?\.[^\s<>"'`|\\)\]}»”]{2,2000}+
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MARKDOWN = re.compile(
    r"!?\[[^\[\]]{0,300}+\]\s?\(\s?(?=[^\s()]{0,300}[./:#])[^\s()]{1,2000}+[^()]{0,200}+\)"
)
_SITE = re.compile(
    r"(?<![\w.@-])(?:[\w-]{1,63}+\.)+?(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})(?![\w-]|\.\w)" + _URL_REST
)
_HIDDEN_SITE = re.compile(
    rf"""(?<![\w.-])[\w-]{{1,63}}+(?:{_DOT}[\w-]{{1,63}}+)+{_URL_REST}
    | (?<![\w.-])(?!(?:the|an?|of|or|and|any|new|its?|dot|to|in|for|like|by|his|her|their|our|your)\s)
        [\w-]{{2,63}}+\s(?:dot\s(?:{_TOPS})|\.\s?(?:com|org|io|xyz|example))
        (?!\w|[\s-](?:bubble|boom|era|crash|bust|compan|stock|mania|crisis|days|frenzy))
    """,
    re.VERBOSE | re.IGNORECASE,
)
_IP_ADDRESS = re.compile(
    r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w]|\.\d)" + _URL_REST
)
_EMAIL = re.compile(
    rf"""(?<![\w.+-])[\w.+-]{{1,64}}+
    (?: (?:@|[ ]@[ ])(?=[\w-]{{1,63}}+(?:\.|{_DOT}|\sdot\s)\w) | \s?[\[({{<]\s?(?:at|@|ät)\s?[\])}}>]\s?
      | \sat\s(?=[\w-]{{1,63}}+(?:{_DOT}|\sdot\s)\w) )
    [\w-]{{1,63}}+ (?:(?:\.|{_DOT}|\sdot\s)[\w-]{{1,63}}+){{0,8}}+
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PHONE = re.compile(
    r"""
    (?<![\w+.,/])\+(?![\d ]{1,4}\(?(?:19|20)\d\d[\u2013-])\(?\d{1,4}\)?
        (?:[ ./\u00a0\u2010-\u2013-]{0,2}\(?\d{2,7}\)?){2,6}(?![\w,%]|\.\d)
    | (?<![\w+.,/-])(?:\+?1[ .-]?)?\(?[2-9]\d{2}\)?[ .-]\d{3}[.-]\d{4}(?![\w-]|\.\d)
    | (?<![\w-])1-?8(?:00|33|44|55|66|77|88)-[A-Z0-9-]{7,10}+(?!\w)
    | (?<!\w)(?i:call|phone|tel|telephone|telefon|ring|dial|sms|text|whatsapp|hotline|fax|helpline|anruf
        |llam\w{1,4}|appel\w{1,4})
        (?:\s(?:us|me|now|at|on|number|today|unter|al)){0,3}[\s:.]{1,3}(\(?\d[\d ()/.-]{5,18}\d)(?![\w%])
    """,
    re.VERBOSE,
)
_BASE58 = "1-9A-HJ-NP-Za-km-z"
_WALLET = re.compile(
    rf"""
    (?<![a-zA-Z0-9])(?:
      0x[0-9a-fA-F]{{40,64}}
    | (?:bc|tb|ltc|addr|stake|cosmos|osmo|terra|inj|sei|celestia|kava|axelar|erd|zs|u|nano|ban|xch
        |bitcoincash|kaspa)
        [1_:][02-9ac-hj-np-z]{{20,120}}
    | (?:BC|TB|LTC)1[02-9AC-HJ-NP-Z]{{20,100}}
    | [EUk0]Q[a-zA-Z0-9_-]{{44,46}}
    | (?=[{_BASE58}]{{0,40}}[0-9])(?=[{_BASE58}]{{0,40}}[A-Z])(?=[{_BASE58}]{{0,40}}[a-z])
        [{_BASE58}]{{26,110}}
    )(?![a-zA-Z0-9])
    """,
    re.VERBOSE,
)
_MIN_WALLET_CHARS = 22
"""Shorter words are no wallet address."""
_LONG_RUN = re.compile(rf"[\w:-]{{{_MIN_WALLET_CHARS}}}")
_HANDLE = re.compile(
    r"(?<![\w@./])@(?=[\w.]{0,30}[^\W\d_])[\w.]{2,50}+(?:@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})?"
)

_DIGIT = re.compile("[0-9A-Z]")
_HOST_END = re.compile("[/?#:]")


def extract_contacts(text: str) -> list[Contact]:
    """Return the contact details in the order of the text; of two that overlap, the more certain kind."""
    taken = bytearray(len(text))
    contacts: list[Contact] = []
    for contact in _candidates(text):
        if 1 not in taken[contact.start : contact.end]:
            contacts.append(contact)
            taken[contact.start : contact.end] = b"\1" * (contact.end - contact.start)
    return sorted(contacts, key=lambda contact: contact.start)


_LINK_SIGN = re.compile(
    r"[:：]\s?//|:(?:(?<=script:)|(?<=mailto:)|(?<=tel:)|(?<=sms:)|(?<=tg:)|(?<=skype:)|(?<=magnet:)"
    r"|(?<=intent:)|(?<=blob:)|(?<=data:))|www",
    re.IGNORECASE,
)
_DOT_SIGN = re.compile(
    r"[\[({<]\s?(?:[.。]|dot|punkt|punto|point)|\s(?:dot\s|\.\s?(?:com|org|io|xyz|example))", re.IGNORECASE
)
_AT_SIGN = re.compile(r"@|[\[({<]\s?(?:at|ät)\b", re.IGNORECASE)
_IP_SIGN = re.compile(r"\.\d{1,3}\.\d")
_SITE_SIGN = re.compile(r"\.(?:[^\W\d_]{2}|xn--)", re.IGNORECASE)
_PHONE_SIGN = re.compile(r"\+|\d[\d ()/.-]{5,18}\d|8\d\d-[A-Z0-9]")


def _candidates(text: str) -> Iterator[Contact]:
    """Yield all matches, the more certain kinds first.

    An expression runs only where a cheap one finds signs that each of its matches has.
    """
    is_dot_hidden = _DOT_SIGN.search(text) is not None
    if is_dot_hidden or _AT_SIGN.search(text):
        yield from _matches("email", _EMAIL, text)
    if _LINK_SIGN.search(text):
        yield from _matches("link", _LINK, text)
    if max(map(len, text.split()), default=0) >= _MIN_WALLET_CHARS and _LONG_RUN.search(text):
        yield from _matches("wallet", _WALLET, text)
    if "](" in text or "] (" in text:
        yield from _matches("link", _MARKDOWN, text)
    if is_dot_hidden:
        yield from _matches("address", _HIDDEN_SITE, text)
    if _IP_SIGN.search(text):
        yield from map(_ip_contact, _matches("number", _IP_ADDRESS, text))
    if _SITE_SIGN.search(text):
        yield from _sites(text)
    if _PHONE_SIGN.search(text):
        # Fewer digits are no telephone number.
        phones = _matches("phone", _PHONE, text)
        yield from (phone for phone in phones if len(_DIGIT.findall(phone.text)) >= 7)
    if "@" in text:
        yield from _matches("handle", _HANDLE, text)


def _matches(kind: str, pattern: re.Pattern[str], text: str) -> Iterator[Contact]:
    for match in pattern.finditer(text):
        yield _contact(kind, match)


def _contact(kind: str, match: re.Match[str]) -> Contact:
    shown = match[0].rstrip(".,;:!?…'’*_")
    return Contact(kind, match.start(), match.start() + len(shown), shown)


def _ip_contact(contact: Contact) -> Contact:
    """Return an IP address as a link if a port or a path follows; `/24` is a prefix length, not a path."""
    plain = contact.text.partition("/")
    bare = not plain[0].strip("0123456789.") and (not plain[2] or (plain[2].isdigit() and len(plain[2]) < 3))
    return contact if bare else contact._replace(kind="link")


def _sites(text: str) -> Iterator[Contact]:
    for match in _SITE.finditer(text):
        host = _HOST_END.split(match[0], maxsplit=1)[0]
        kind = kind_of_site(host)
        if kind:
            has_path = len(match[0].rstrip("/?#:")) > len(host)
            yield _contact("link" if has_path else kind, match)
