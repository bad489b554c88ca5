"""Web pages written for the tests: an article, paywalls and blocking pages."""

import json

PARAGRAPHS = (
    "The port of Varnhem will close its northern basin for eleven weeks, the harbour board said on Tuesday. "
    "Engineers found that the quay wall, built in 1961, had moved 14 centimetres towards the water.",
    "About 40 fishing boats and two ferries have to use the southern basin in the meantime. “We did not "
    "expect it to move that fast,” said Ines Falk, who heads the board.",
    "The ferry company Nordlinje said that its boats would leave twenty minutes later. Its spokesman, Olav "
    "Brandt, asked passengers to check the timetable before they travel.",
    "The last closure, in 1998, lasted nine weeks and led to a protest by the fishermen, who blocked the "
    "southern entrance for a day.",
)
BODY = (
    f"<p>{PARAGRAPHS[0]}</p><p>{PARAGRAPHS[1]}</p><h2>Ferries</h2><p>{PARAGRAPHS[2]}</p>"
    "<ul><li>Ferries leave from the southern basin.</li><li>Parking is free until May.</li></ul>"
    f"<p>{PARAGRAPHS[3]}</p>"
)
TEXT = "\n\n".join(
    (
        *PARAGRAPHS[:2],
        "Ferries",
        PARAGRAPHS[2],
        "- Ferries leave from the southern basin.\n- Parking is free until May.",
        PARAGRAPHS[3],
    )
)
"""What a reader takes from BODY."""


def news(body: str = BODY, *, head: str = "", lang: str = "en-GB") -> str:
    """Return a story with all that newspapers put around it."""
    return f"""<!doctype html><html lang="{lang}"><head><title>Basin closes | Varnhem Courier</title>{head}
    <style>.a {{ color: red }}</style><script>window.app = "<p>Not a paragraph</p>";</script></head><body>
    <div id="cookie-banner" class="cookie-consent">
    <p>We value your privacy. We and our partners use cookies.</p>
    <button>Accept all cookies</button></div>
    <header class="site-header"><a href="/">Varnhem Courier</a><nav><ul><li><a href="/sport">Sport</a></li>
    <li><a href="/join">Already a subscriber? Sign in</a></li></ul></nav></header>
    <main><article class="article"><header><h1>Northern basin closes for eleven weeks</h1>
    <p class="byline">By <a href="/jonas">Jonas Lind</a></p></header>
    <div class="article-body">{body}</div>
    <div class="related"><h3>Related</h3><ul><li><a href="/fees">Harbour fees rise again</a></li></ul></div>
    <div class="newsletter">Sign up for our newsletter</div></article>
    <section class="comments"><h3>Comments</h3>
    <p>Ada: I told them so, years ago, and nobody listened.</p></section>
    </main><footer><p>© 2026 Varnhem Courier. All rights reserved.</p></footer></body></html>"""


def linked(**values: object) -> str:
    """Return a script of JSON-LD about a news article."""
    data = {"@context": "https://schema.org", "@type": "NewsArticle", **values}
    return f'<script type="application/ld+json">{json.dumps(data)}</script>'


PAYWALLED = news(
    f"<p>{PARAGRAPHS[0]}</p><div class='wall'><p>Subscribe to continue reading.</p></div>",
    head=linked(isAccessibleForFree="False"),
)
CONSENT = """<!doctype html><html lang="de"><head><title>Varnhemer Bote</title></head><body><div class="gate">
    <h1>Mit Werbung weiterlesen</h1>
    <p>Wir und unsere Partner verarbeiten Ihre Daten, um Anzeigen zu messen.</p>
    <button>Alle akzeptieren</button><a href="/abo">Ohne Werbung lesen</a></div></body></html>"""
LOGIN = """<!doctype html><html><head><title>Varnhem Courier: sign in</title></head><body><h1>Sign in</h1>
    <form action="/login"><input name="user"><input type="password" name="word"><button>Log in</button></form>
    <a href="/lost">Forgotten your password?</a></body></html>"""
CLOUDFLARE = """<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title></head><body>
    <noscript>Enable JavaScript and cookies to continue</noscript>
    <script>(function(){window._cf_chl_opt = {cType: 'managed'};}());</script></body></html>"""
SPA = """<!doctype html><html><head><title>Varnhem Courier</title><script src="/app.js"></script></head>
    <body><noscript>You need to enable JavaScript to run this app.</noscript>
    <div id="root"></div></body></html>"""
AMP = f"""<!doctype html><html amp lang="en"><head><link rel="canonical" href="/basin-closes?utm_source=amp">
    <title>Basin closes</title><style amp-custom>p {{ margin: 0 }}</style></head><body>
    <amp-sidebar id="menu"><ul><li><a href="/sport">Sport</a></li></ul></amp-sidebar><main><article>
    <amp-img src="/quay.jpg" width="9" height="6"></amp-img>{BODY}</article></main>
    <amp-consent id="c"></amp-consent></body></html>"""
JAPANESE = (
    "港湾当局は火曜日、北側の岸壁を三月三日から十一週間閉鎖すると発表した。",
    "岸壁は一九六一年に造られ、水側に十四センチ動いていた。漁船約四十隻は南側を使う。",
)
