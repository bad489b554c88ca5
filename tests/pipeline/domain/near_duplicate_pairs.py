"""Pairs of near-duplicates, and of items that only look alike; all are invented."""

PORT = (
    "The port of Varnhem will close its northern basin for eleven weeks from 3 March, the "
    "harbour board said on "
    "Tuesday. Engineers found that the quay wall, built in 1961, had moved 14 centimetres towards the water. "
    "About 40 fishing boats and two ferries have to use the southern basin in the "
    "meantime.\n\nRepairs will cost "
    "6.2 million euros, of which the region pays half. 'We could have waited for the wall to "
    "decide for us', said "
    "harbour master Ines Falk. The ferry company expects delays of up to twenty minutes on "
    "weekdays and asked "
    "passengers to arrive earlier. A decision about the remaining 300 metres of the wall is "
    "due in the autumn."
)
EXCHANGE = (
    "Lagoon Exchange has begun to return 42 million dollars to customers whose accounts were "
    "frozen after the "
    "breach of November. Some 18,300 people will be paid within ten days, the company said. "
    "Withdrawals above "
    "5,000 dollars are checked by hand.\n\nThe exchange lost 61 million dollars when an "
    "employee's key was copied "
    "from a shared computer. Insurance covers a third of it. 'Nobody loses a cent', chief "
    "executive Tomas Weil "
    "told reporters. Prosecutors in Harburg are still looking for two former contractors. "
    "Trading in four small "
    "tokens stays closed until an audit, expected in the spring, is finished."
)
CHIP = (
    "Norrvik Semiconductor will build its second plant in Ostrava rather than in Dresden, "
    "citing cheaper power. "
    "The company plans to invest 3.4 billion crowns and to hire 620 people by 2029. Production "
    "of sensors for "
    "cars starts in the second half of 2027.\n\nThe region had offered a site beside the "
    "motorway and a rail link "
    "for 90 million crowns. Unions in Dresden called the decision a mistake. Norrvik's share "
    "rose 4.1 percent in "
    "Stockholm. Analysts at Berg and Dahl had expected the plant to go to Saxony, where 1,100 "
    "people work for "
    "the company already."
)
CURE = (
    "A drug that slows the loss of sight in a rare eye disease has passed its last trial, the maker Helianth "
    "reported. Of 214 patients, 131 kept their vision for two years, against 48 of 209 on a "
    "placebo. Doctors in "
    "six countries took part.\n\nHelianth wants to ask for approval in June. A year's "
    "treatment may cost 38,000 "
    "francs, which insurers called far too much. 'The effect is real, the price is not', said "
    "Anna Roth of the "
    "patients' association. Side effects were mild, but nine people left the trial because of headaches."
)
STORIES = {
    "Varnhem closes its northern basin for eleven weeks": PORT,
    "Lagoon Exchange returns 42 million dollars to customers": EXCHANGE,
    "Norrvik builds its second plant in Ostrava": CHIP,
    "Helianth's eye drug passes its last trial": CURE,
}


def _variants(title: str, text: str) -> list[tuple[str, str]]:
    """Return title and text as other feeds publish them."""
    first, _, second = text.partition("\n\n")
    sentences = first.split(". ")
    return [
        (title, first),
        (f"{title} (Reuters)", f"By our staff. {text}\n\nThe post {title} appeared first on Daily Wire."),
        (f"Update: {title}", text.replace("said", "announced").replace(" will ", " is to ")),
        (f"{title}, company confirms", f"{first}\n\nMore follows."),
        (title.upper(), second + " " + ". ".join(sentences[:2]) + "."),
        (f"{title} - report", text.replace("two", "three", 1)),
    ]


_FILM = (
    "A ship that sank in 1702 is lying upright in the mud of the Elsund, and its cargo of glass is whole. "
    "This film shows how divers found it, what the first four hundred bottles held, and why nobody will lift "
    "the hull before the harbour is dredged."
)
_LAMPS = (
    "Volunteers in Torrek have put back 312 gas lamps along the old canal after a winter of repairs, and on "
    "Friday they lit them all for the first time since 1958."
)
_DIGEST = " ".join(PORT.split()[:30]) + "..."
_CJK = (
    "港湾当局は火曜日、北側の岸壁を三月三日から十一週間閉鎖すると発表した。"
    "漁船およそ四十隻とフェリー二隻が南側を使う。"
)
SYNDICATED = [
    # A digest of the beginning, alone, behind a byline, and under a planet's own heading.
    (("Varnhem closes its northern basin", PORT), ("Varnhem closes its northern basin", _DIGEST)),
    (
        ("Varnhem closes its northern basin", PORT),
        (
            "Quay wall moves, port shuts",
            f"VARNHEM, 24 Feb (Coastal Wire), updated at noon by our staff - {_DIGEST}",
        ),
    ),
    (
        ("Helianth's eye drug passes its last trial", CURE),
        ("Daily Planet :: Helianth's eye drug passes its last trial", " ".join(CURE.split()[:25]) + "..."),
    ),
    # Another headline, no word of which is in the first one.
    (
        ("Norrvik builds its second plant in Ostrava", CHIP),
        (
            "Semiconductor firm prefers cheaper power",
            CHIP.replace("citing", "naming").replace("hire", "employ").replace("called", "termed"),
        ),
    ),
    # A notice around a short report, under another headline that says what the report says.
    (
        ("Torrek lights its gas lamps again", _LAMPS),
        (
            "Volunteers repair old canal lamps",
            f"Canal News | 2 min read. {_LAMPS} Subscribe to our letter. All rights reserved.",
        ),
    ),
    # The links of one have figures that the other lacks.
    (
        ("The glass ship", f"Whole film: https://film.example/w/4f8O3Xr77 {_FILM}"),
        ("The glass ship of Elsund", f"{_FILM} Support us: https://give.example/99/2211 Since 1702."),
    ),
    # Words that begin like the name of a part are none.
    (
        ("Norrvik partners with Ostrava for a five-day week", CHIP),
        ("Ostrava gets a chip plant, roundup of the day in Norrvik's home", CHIP[:420]),
    ),
    # One numbers its episodes, the other does not.
    (("Episode 12: The glass ship", _FILM), ("The glass ship", _FILM)),
    (("港の北側、十一週間閉鎖へ", _CJK), ("港の北側、十一週間閉鎖へ", f"【港湾通信】{_CJK}続きは本紙で。")),
]
SAME = [
    *(((title, text), second) for title, text in STORIES.items() for second in _variants(title, text)),
    *SYNDICATED,
]

_MARKET = (
    "Bitcoin traded at {price} dollars on {day} at 10:00 in London, {change} percent {way} "
    "within a day. Ether "
    "stood at {ether} dollars. The market as a whole was worth {total} trillion dollars. Traders look to the "
    "minutes of the central bank. The index of fear and greed stood at {fear}."
)


def _market(
    day: str, price: str, change: str, way: str, ether: str, total: str, fear: str
) -> tuple[str, str]:
    figures = {"price": price, "change": change, "way": way, "ether": ether, "total": total, "fear": fear}
    return f"Bitcoin price at 10:00 on {day}", _MARKET.format(day=day, **figures)


_MONDAY = _market("Monday, 2 March", "64,321", "1.2", "up", "3,410", "2.31", "54")
_TUESDAY = _market("Tuesday, 3 March", "63,870", "0.7", "down", "3,377", "2.29", "49")
_WEDNESDAY = _market("Wednesday, 4 March", "66,002", "3.3", "up", "3,515", "2.38", "61")
_EPISODE = (
    "In episode {n} of the Miner's Lunch, Ada and Joris talk about {what}. Send us your "
    "questions. The Miner's "
    "Lunch is brought to you by Tidewater, the wallet for people who forget. New episodes every Thursday."
)


def _episode(number: int, what: str) -> tuple[str, str]:
    return f"The Miner's Lunch, episode {number}", _EPISODE.format(n=number, what=what)


_PORT_ELSEWHERE = (
    "Fishing crews in Varnhem will lose their moorings this spring. Eleven weeks of repairs, "
    "which begin next "
    "week, leave room for barely half of the fleet, skippers complained at a meeting in the "
    "town hall. Mayor Olof "
    "Brandt promised compensation but named no sum. The old wall has worried divers for years. "
    "Ferries are moved "
    "to the southern side, and buses will bring passengers there from the railway station."
)
_EXCHANGE_ELSEWHERE = (
    "Customers of Lagoon Exchange may see their money again after four months. A court in "
    "Harburg approved the "
    "plan for compensation on Friday. Lawyers for a group of 2,000 savers called it a first "
    "step and said that "
    "interest was missing. The company was hacked last autumn. Police believe that insiders sold access, and "
    "searched two flats. The exchange itself says that it will be audited before it opens all markets."
)
_CHANNEL = (
    "If you like what we do, become a patron and get every film a week early. We have a shop, too, and "
    "whoever buys there keeps the workshop warm. Join us on the forum, subscribe to the newsletter "
    "and do not forget to ring the bell."
)
_HOUSE = (
    "This charming house of {rooms} rooms stands on {acres} acres near {town}. It has its old floors, a new "
    "roof and a garden with fruit trees. Asking price {price} dollars. See all the pictures on our website."
)
_LETTER = (
    "Every Thursday we answer one question that readers sent us about old houses, and every answer is kept "
    "in the archive for members. This week: {what}"
)
_QUARTER = (
    "{who} reported a profit of {profit} million euros for the quarter, against {before} million a year ago. "
    "Turnover rose {percent} percent. The board keeps its forecast for the year and proposes a dividend of "
    "{dividend} cents a share. The share was little changed in early trading."
)
_DAILY = "本日の暗号資産市場のまとめです。ビットコインと主要銘柄の値動きを毎朝お届けします。"
DIFFERENT = [
    # A channel's notice is all that one has, and the other ends with it.
    (("Soldering a lamp", f"We take apart a lamp of 1930. {_CHANNEL}"), ("Christmas train", _CHANNEL)),
    (
        ("House near Alder", _HOUSE.format(rooms=6, acres=10, town="Alder", price="369,900")),
        ("House near Brindle", _HOUSE.format(rooms=8, acres=3, town="Brindle", price="212,500")),
    ),
    (
        ("Ask the mason: damp cellars", _LETTER.format(what="why a cellar is wet in summer.")),
        ("Ask the mason: crooked doors", _LETTER.format(what="what to do when a door sticks.")),
    ),
    (
        ("Orlo earns more", _QUARTER.format(who="Orlo", profit=41, before=38, percent=3, dividend=12)),
        ("Teddam earns more", _QUARTER.format(who="Teddam", profit=97, before=80, percent=11, dividend=45)),
    ),
    (("本日の市場：取引所が再開", _DAILY), ("本日の市場：規制案を公表", _DAILY)),
    # One shares the other's quotation, and tells what came of it.
    (
        ("Varnhem closes its northern basin for eleven weeks", PORT),
        (
            "Harbour master defends closure",
            "Ines Falk answered critics in the town council on Friday. 'We could have waited for the wall to "
            "decide for us', said harbour master Ines Falk. Councillors wanted to know why nobody measured "
            "the wall between 2009 and 2024, and who will pay for lost catches. She promised a report.",
        ),
    ),
    (_MONDAY, _TUESDAY),
    (_MONDAY, _WEDNESDAY),
    (_TUESDAY, _WEDNESDAY),
    (_episode(81, "heat from machines"), _episode(82, "taxes in small countries")),
    (_episode(81, "heat from machines"), _episode(83, "the price of silence")),
    (
        ("Mining with the sun, part 1", "The first part of our series looks at panels. " + CHIP[:200]),
        ("Mining with the sun, part 2", "The second part of our series looks at storage. " + CURE[:200]),
    ),
    (
        ("Varnhem closes its northern basin for eleven weeks", PORT),
        ("Crews lose their moorings", _PORT_ELSEWHERE),
    ),
    (
        ("Lagoon Exchange returns 42 million dollars to customers", EXCHANGE),
        ("Court approves plan for Lagoon customers", _EXCHANGE_ELSEWHERE),
    ),
    (
        ("Morning briefing",
         "Good morning. These are the stories of the day, chosen by our editors. " + PORT[:90]),
        ("Morning briefing",
         "Good morning. These are the stories of the day, chosen by our editors. " + CHIP[:90]),
    ),
    (
        ("Notes: writing forms", "Notes taken while I worked through the course on interfaces."),
        ("Notes: drawing tables", "Notes taken while I worked through the course on interfaces."),
    ),
    (
        (
            "Anvil 2.4.0 released",
            "Anvil 2.4.0 is out. It fixes 12 bugs and adds support for Python 3.15. Thanks "
            "to 9.",
        ),
        (
            "Anvil 2.5.0 released",
            "Anvil 2.5.0 is out. It fixes 31 bugs and adds support for Python 3.16. Thanks "
            "to 4.",
        ),
    ),
    *(
        ((first, STORIES[first]), (second, STORIES[second]))
        for first in STORIES
        for second in STORIES
        if first < second
    ),
]  # fmt: skip
