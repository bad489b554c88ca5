"""Quotations that a draft attributes to their speakers in many forms, and to other persons."""

import pytest

from pipeline.checks.quotations.check import check_quotations
from pipeline.checks.tokens import CheckInput, TokenizedText
from pipeline.domain.reviews import Severity

SOURCES = {
    "en": (
        'Harbour master Lena Fisk resigned on Monday. "I can no longer sign these papers," Fisk said '
        "in a letter to the board.\n"
        'Tom Arden, chief executive of Grey Quay Ltd, replied: "The papers were always in order." '
        "Grey Quay Ltd has run the port since 1998.\n"
        '"Nobody told us about the leak," said Priya Nair, who leads the residents\' group, Clean '
        "Water Now.\n"
        'Letters to the board show that Fisk had "raised the matter eleven times". Adobe, a supplier, '
        'said its software "worked as designed".\n'
        '"We will look at every page," prosecutor Marc Ollivier told the Coast Gazette. Nair called '
        'the answer "an insult to this town".\n'
        'The court has not ruled yet. "It may take until spring," Judge Helen Marsh said.\n'
    ),
    "de": (
        "Die Hafenmeisterin Lena Fiske ist zurückgetreten. „Ich kann diese Papiere nicht mehr "
        "unterschreiben“, schrieb Fiske in Briefen an den Vorstand.\n"
        "Tom Arndt, Geschäftsführer der Graukai GmbH, entgegnete: „Die Papiere waren immer in "
        "Ordnung.“ Die Graukai GmbH betreibt den Hafen.\n"
        "„Niemand hat uns von dem Leck erzählt“, sagte Priya Nair, die die Bürgerinitiative Klares "
        "Wasser leitet.\n"
        "Aus den Briefen geht hervor, dass Fiske „die Sache elfmal angesprochen“ hat. Die Marke Adobe "
        "teilte mit, ihre Software habe „wie vorgesehen gearbeitet“.\n"
        "„Wir sehen uns jede Seite an“, sagte Staatsanwalt Marc Oller der Küstenzeitung. Nair nannte "
        "die Antwort „eine Beleidigung für diese Stadt“.\n"
        "Das Gericht hat noch nicht entschieden. „Es kann bis zum Frühjahr dauern“, erklärte "
        "Richterin Helene Marsch.\n"
    ),
    "es": (
        "La jefa del puerto, Lena Fisco, dimitió el lunes. «No puedo firmar más estos papeles», "
        "escribió Fisco en una carta al consejo.\n"
        "Tomás Arden, director de Muelle Gris, respondió: «Los papeles siempre estuvieron en orden». "
        "Muelle Gris gestiona el puerto.\n"
        "«Nadie nos habló de la fuga», dijo Priya Nair, que dirige la asociación Agua Limpia.\n"
        "Las cartas muestran que Fisco había «planteado el asunto once veces». Adobe, un proveedor, "
        "dijo que su programa «funcionó como debía».\n"
        "«Miraremos cada página», aseguró el fiscal Marcos Oliver a La Gaceta. Nair calificó la "
        "respuesta de «un insulto a este pueblo».\n"
        "El tribunal no ha decidido. «Puede tardar hasta la primavera», explicó la jueza Elena "
        "Marsal.\n"
    ),
}


def severities(language: str, draft: str) -> list[Severity]:
    case = CheckInput(TokenizedText(draft), TokenizedText(SOURCES[language]), language)
    return [finding.severity for finding in check_quotations(case)]


FAULTLESS = [
    ("en", '"I can no longer sign these papers," the harbour master wrote.'),
    ("en", 'In her letter, Fisk wrote that she could "no longer sign these papers".'),
    ("en", 'Letters said she had "raised the matter eleven times".'),
    ("en", 'Lena Fisk, who had been harbour master, said she "can no longer sign these papers".'),
    ("en", 'Fisk "raised the matter eleven times", the letters say.'),
    ("en", 'Grey Quay said "the papers were always in order".'),
    ("en", 'The chief executive of Grey Quay Ltd, Tom Arden, says "the papers were always in order".'),
    (
        "en",
        'Tom Arden, who is chief executive and face of Grey Quay, says "the papers were always in order".',
    ),
    ("en", 'According to Grey Quay Ltd, "the papers were always in order".'),
    ("en", '"The papers were always in order," Arden answered Fisk.'),
    ("en", 'Arden told Fisk that "the papers were always in order".'),
    ("en", 'Answering Fisk, Arden said "the papers were always in order".'),
    ("en", 'Residents say "nobody told us about the leak".'),
    ("en", 'Clean Water Now, the group led by Nair, says "nobody told us about the leak".'),
    ("en", 'For Nair, the answer was "an insult to this town".'),
    ("en", 'Arden\'s answer, said Nair, was "an insult to this town".'),
    ("en", 'What Arden said was, to Nair, "an insult to this town".'),
    ("en", 'Prosecutor Marc Ollivier promised to "look at every page".'),
    ("en", 'The Coast Gazette quotes Ollivier: "We will look at every page."'),
    ("en", '"We will look at every page," Ollivier told the Coast Gazette.'),
    ("en", 'Adobe says its software "worked as designed".'),
    ("en", 'Marsh, the judge, said a ruling "may take until spring".'),
    ("en", 'A ruling, Helen Marsh added, "may take until spring".'),
    ("en", 'Judge Marsh says "it may take until spring".'),
    ("en", 'The court says "it may take until spring".'),
    ("en", 'Nothing from Arden was as harsh as what Nair said: "an insult to this town".'),
    ("de", "„Ich kann diese Papiere nicht mehr unterschreiben“, schrieb die Hafenmeisterin."),
    ("de", "In Briefen an den Vorstand schrieb Fiske: „Ich kann diese Papiere nicht mehr unterschreiben.“"),
    ("de", "Briefe belegen laut Fiske, sie habe „die Sache elfmal angesprochen“."),
    ("de", "Die Briefe sagten, sie habe „die Sache elfmal angesprochen“."),
    ("de", "Graukai erklärte: „Die Papiere waren immer in Ordnung.“"),
    ("de", "„Die Papiere waren immer in Ordnung“, erklärte die Graukai GmbH."),
    ("de", "Arndt, der Geschäftsführer der Graukai GmbH, sagte: „Die Papiere waren immer in Ordnung.“"),
    ("de", "Der Geschäftsführer von Graukai, Tom Arndt, sagt, „die Papiere waren immer in Ordnung“."),
    ("de", "„Die Papiere waren immer in Ordnung“, hielt Arndt Fiske entgegen."),
    ("de", "Gegenüber Fiske sagte Arndt: „Die Papiere waren immer in Ordnung.“"),
    ("de", "Auf den Brief von Fiske entgegnete Arndt: „Die Papiere waren immer in Ordnung.“"),
    ("de", "Anwohner klagen: „Niemand hat uns von dem Leck erzählt.“"),
    ("de", "„Niemand hat uns von dem Leck erzählt“, klagt die Initiative Klares Wasser."),
    ("de", "Klares Wasser, geleitet von Priya Nair, sagt: „Niemand hat uns von dem Leck erzählt.“"),
    ("de", "Die Antwort von Arndt nannte Nair „eine Beleidigung für diese Stadt“."),
    ("de", "Arndts Antwort sei „eine Beleidigung für diese Stadt“, sagte Nair."),
    ("de", "Für Nair war die Antwort von Arndt „eine Beleidigung für diese Stadt“."),
    ("de", "Staatsanwalt Oller versprach: „Wir sehen uns jede Seite an.“"),
    ("de", "Die Küstenzeitung zitiert Oller: „Wir sehen uns jede Seite an.“"),
    ("de", "Der Küstenzeitung sagte Oller: „Wir sehen uns jede Seite an.“"),
    ("de", "Laut Adobe hat die Software „wie vorgesehen gearbeitet“."),
    ("de", "Die Software habe „wie vorgesehen gearbeitet“, sagt der Hersteller."),
    ("de", "Ein Urteil, so Marsch, „kann bis zum Frühjahr dauern“."),
    ("de", "„Es kann bis zum Frühjahr dauern“, sagte die Richterin."),
    ("de", "Das Gericht erklärte, „es kann bis zum Frühjahr dauern“."),
    ("de", "Helene Marsch zufolge kann es „bis zum Frühjahr dauern“."),
    ("es", "«No puedo firmar más estos papeles», escribió la jefa del puerto."),
    ("es", "En su carta, Fisco escribió: «No puedo firmar más estos papeles»."),
    ("es", "Las cartas dicen que había «planteado el asunto once veces»."),
    ("es", "Muelle Gris afirmó: «Los papeles siempre estuvieron en orden»."),
    ("es", "El director de Muelle Gris, Tomás Arden, dijo: «Los papeles siempre estuvieron en orden»."),
    ("es", "Arden, director de Muelle Gris, dijo: «Los papeles siempre estuvieron en orden»."),
    ("es", "Según Muelle Gris, «los papeles siempre estuvieron en orden»."),
    ("es", "«Los papeles siempre estuvieron en orden», respondió Arden a Fisco."),
    ("es", "A Fisco le respondió Arden: «Los papeles siempre estuvieron en orden»."),
    ("es", "Los vecinos lamentan: «Nadie nos habló de la fuga»."),
    ("es", "La asociación Agua Limpia dijo: «Nadie nos habló de la fuga»."),
    ("es", "Nair, de Agua Limpia, dijo: «Nadie nos habló de la fuga»."),
    ("es", "«Nadie nos habló de la fuga», dijo la asociación de Priya Nair."),
    ("es", "Para Nair, la respuesta de Arden es «un insulto a este pueblo»."),
    ("es", "La respuesta de Arden, dijo Nair, es «un insulto a este pueblo»."),
    ("es", "Nair llamó a lo dicho por Arden «un insulto a este pueblo»."),
    ("es", "El fiscal Marcos Oliver prometió: «Miraremos cada página»."),
    ("es", "La Gaceta cita a Oliver: «Miraremos cada página»."),
    ("es", "«Miraremos cada página», contó Oliver a La Gaceta."),
    ("es", "Según Adobe, el programa «funcionó como debía»."),
    ("es", "El proveedor asegura que «funcionó como debía»."),
    ("es", "Un fallo, según Marsal, «puede tardar hasta la primavera»."),
    ("es", "«Puede tardar hasta la primavera», dijo la jueza."),
    ("es", "El tribunal dijo que «puede tardar hasta la primavera»."),
    ("es", "La jueza Elena Marsal dijo que «puede tardar hasta la primavera»."),
    ("es", "Fisco había «planteado el asunto once veces», señalan las cartas."),
]


@pytest.mark.parametrize(("language", "draft"), FAULTLESS)
def test_a_speaker_in_another_form_has_no_finding(language: str, draft: str) -> None:
    assert severities(language, draft) == []


WRONG = [
    ("en", '"I can no longer sign these papers," said Arden.'),
    ("en", '"The papers were always in order," Priya Nair said.'),
    ("en", '"Nobody told us about the leak," said Tom Arden.'),
    ("en", 'Arden called the answer "an insult to this town".'),
    ("en", '"We will look at every page," said Helen Marsh.'),
    ("en", '"It may take until spring," Marc Ollivier said.'),
    ("en", '"We will look at each page," said Ollivier.'),
    ("en", '"The papers were never in order," said Arden.'),
    ("en", '"Nobody told us about a leak," said Nair.'),
    ("en", 'Nair said: "I can no longer sign these papers."'),
    ("de", "„Ich kann diese Papiere nicht mehr unterschreiben“, sagte Arndt."),
    ("de", "„Die Papiere waren immer in Ordnung“, sagte Priya Nair."),
    ("de", "„Niemand hat uns von dem Leck erzählt“, sagte Tom Arndt."),
    ("de", "Tom Arndt nannte die Antwort „eine Beleidigung für diese Stadt“."),
    ("de", "„Wir sehen uns jede Seite an“, sagte Helene Marsch."),
    ("de", "„Es kann bis zum Frühjahr dauern“, sagte Marc Oller."),
    ("de", "„Wir sehen uns keine Seite an“, sagte Oller."),
    ("de", "„Die Papiere waren nie in Ordnung“, sagte Arndt."),
    ("de", "„Jemand hat uns von dem Leck erzählt“, sagte Nair."),
    ("de", "Priya Nair sagte: „Ich kann diese Papiere nicht mehr unterschreiben.“"),
    ("es", "«No puedo firmar más estos papeles», dijo Arden."),
    ("es", "«Los papeles siempre estuvieron en orden», dijo Priya Nair."),
    ("es", "«Nadie nos habló de la fuga», dijo Tomás Arden."),
    ("es", "Tomás Arden calificó la respuesta de «un insulto a este pueblo»."),
    ("es", "«Miraremos cada página», dijo Elena Marsal."),
    ("es", "«Puede tardar hasta la primavera», dijo Marcos Oliver."),
    ("es", "«No miraremos cada página», dijo Oliver."),
    ("es", "«Los papeles nunca estuvieron en orden», dijo Arden."),
    ("es", "«Alguien nos habló de la fuga», dijo Nair."),
    ("es", "Priya Nair dijo: «No puedo firmar más estos papeles»."),
]


@pytest.mark.parametrize(("language", "draft"), WRONG)
def test_another_person_or_wording_blocks(language: str, draft: str) -> None:
    assert severities(language, draft) == [Severity.BLOCK]
