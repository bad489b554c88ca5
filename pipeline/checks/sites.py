"""Which words with a dot in them are addresses of web sites, and which are names, files or code.

What two letters or a known top-level domain end is a site, what a file's ending ends is none. What a country
and a kind of file have in common may be one. The rest is unknown: domains are added every year.
"""

from typing import Literal

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
_WORDS_TOO = frozenset((
    "call", "id", "md", "name", "new", "now", "open", "pl", "properties", "ps", "py", "read", "rs", "save",
    "select", "sh", "tf",
))
"""Top-level domains that files end with, or that are words of programs: `main.py`, `user.id`, `Foo.new`."""
_SHORT = frozenset(("ai", "co", "com", "gg", "im", "io", "is", "ly", "me", "net", "org", "to"))
"""Where names of one letter are sites: `x.com`, `t.me`; elsewhere they are abbreviations: `i.e`, `z.B`."""
# fmt: on


def kind_of_site(word: str) -> Site | None:
    """Tell whether a word of two parts or more, divided by dots, is the name of a web site."""
    *names, last = word.split(".")
    top = last.lower()
    if top.startswith("xn--") or top in ("рф", "中国"):
        return "site"
    if not last.isascii() or not last.isalpha() or not 2 <= len(last) <= 24 or top in _FILES:
        return None
    # A capital after a dot begins a sentence, where the space between is lost: `rose.It fell`.
    if last not in (top, last.upper()):
        return "site" if top in _SITES else None
    if len(names[-1]) < 2 and top not in _SHORT:
        return None
    if all(name.isdigit() for name in names):  # `2.0.beta`, `3.5bn`
        return "site" if top in _SITES else None
    known = top in _SITES or (len(top) == 2 and top not in _WORDS_TOO)
    return "site" if known else "maybe" if top in _WORDS_TOO else "unknown"
