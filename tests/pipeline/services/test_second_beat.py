"""Another beat in another language is configuration alone."""

import json
from pathlib import Path

from pipeline.articles import files
from pipeline.articles.front_matter import loads
from pipeline.config import load_feeds
from pipeline.http_client import HttpClient
from pipeline.services.draft import draft_feed
from pipeline.storage import Database
from tests.end_to_end.project import ROOT
from tests.pipeline.services.desk import Scripted, run_context
from tests.pipeline.storage.records import admit, item

TEXT = (
    "Der Netzbetreiber Nordleitung nimmt am 3. März in Husum einen Speicher mit 120 Megawattstunden in "
    "Betrieb, teilte das Unternehmen am Dienstag mit. Er hat 48 Millionen Euro gekostet. „Wir fangen Wind "
    "auf, der bisher abgeregelt wurde“, sagte Projektleiterin Ute Hansen. Zur Lebensdauer machte Nordleitung "
    "keine Angaben."
)
ANSWER = {
    "title": "Husum bekommt einen Speicher für 48 Millionen Euro",
    "description": "Nordleitung baut in Husum einen Speicher, der am 3. März startet.",
    "overview": "Für 48 Millionen Euro baut Nordleitung in Husum einen Speicher; er startet am 3. März.",
    "sections": [
        {
            "heading": "Wind, der bisher verloren ging",
            "body": "Die Anlage fasst 120 Megawattstunden. Wie lange sie hält, lässt das Unternehmen offen.",
        }
    ],
    "from_author": "Ein Speicher dieser Größe ist mehr Probe als Wende, aber er steht am richtigen Ort.",
    "impact": ["Andere Betreiber an der Küste könnten nachziehen."],
    "category": "SPEICHER",
    "tags": ["SPEICHER", "NETZE"],
    "sentiment": "POSITIVE",
}


async def test_a_german_beat_needs_no_code(db: Database, net: HttpClient, tmp_path: Path) -> None:
    subscriptions = load_feeds(ROOT / "examples" / "klimatechnik" / "feeds.yaml")
    beat, feed = subscriptions.beats["klimatechnik"], subscriptions.feeds[1]
    beat = beat.model_copy(update={"key": "b"})
    feed = feed.model_copy(update={"beat": "b", "min_chars": 0, "full_text": "never"})
    db.feeds.sync([feed])
    admit(db, item(11, title="Nordleitung baut Speicher in Husum", text=TEXT), key=feed.key)
    model = Scripted(json.dumps(ANSWER, ensure_ascii=False))
    desk = run_context(db, net, tmp_path, model, beat=beat, feeds=(feed,))
    [outcome] = await draft_feed(desk, feed, 9)
    prompt = model.bodies[0]["messages"][0]["content"]
    assert 'the language with the code "de"' in prompt
    assert "sachlich, genau, konkret" in prompt
    assert "WÄRME" in prompt
    data = files.read_bytes(tmp_path / "output", outcome.path or "") or b""
    metadata, body = loads(data.decode(), "draft")
    headings = [line.removeprefix("## ") for line in body.splitlines() if line.startswith("## ")]
    assert headings == [
        "Überblick",
        "Wind, der bisher verloren ging",
        "Anmerkung der Redaktion",
        "Folgen für den Markt für Klimatechnik",
    ]
    assert (metadata["lang"], metadata["category"]) == ("de", "SPEICHER")
    assert metadata["ai"]["checks"]["open"] == 0
    assert (metadata["title"], metadata["description"]) == (ANSWER["title"], ANSWER["description"])
    assert metadata["source"]["title"] == "Nordleitung baut Speicher in Husum"
