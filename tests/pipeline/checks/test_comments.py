"""Opinion that a model writes about a source: what it may say, and what tells readers what to do."""

import pytest

from pipeline.checks.document import DraftDocument
from pipeline.checks.opinion import check_opinion
from pipeline.checks.tokens import TokenizedText
from pipeline.domain.models import Beat
from pipeline.domain.reviews import Severity

BEAT = Beat(key="b", market="paper", overview="Overview", from_author="Author", impact="Impact on")
SOURCE = "The mill closes, said Maren Tolle in Ghent. Analysts tell investors to sell. Vender es mejor."


def severities(language: str, opinion: str) -> list[Severity]:
    body = f"## Overview\n\nThe mill closes.\n\n## Author\n\n{opinion}\n"
    return [
        each.severity for each in check_opinion(DraftDocument(body, BEAT), language, TokenizedText(SOURCE))
    ]


FAULTLESS = [
    ("en", "The analysts say that investors should sell; they give no reason."),
    ("es", "Según los analistas, los inversores deberían vender; no se explica por qué."),
    ("en", "Whether shares will fall further is open."),
    ("en", "It may prove hard to find a buyer at this price."),
    ("en", "Buyers are reluctant, and that is no surprise."),
    ("en", "Holders of the bonds would have to wait for the court."),
    ("en", "Investors who bought in May have lost a third."),
    ("en", "It is hard to see prices rising before spring."),
    ("en", "Nobody can say whether the price will double again."),
    ("en", "The offer looks less generous than it sounds."),
    ("en", "Readers should note that the figures are the firm's own."),
    ("en", "We would like to know who bought the shares."),
    ("en", "The plan could drag prices down if others follow."),
    ("en", "The buyback rating agencies demanded has not come."),
    ("en", "Should the mill close, rivals may buy its customers."),
    ("en", "The deal is not guaranteed to hold."),
    ("en", "A sell-off of this size is rare."),
    ("en", "People need to hold officials to account, the author finds."),
    ("en", "Users should avoid reusing passwords, the agency advises."),
    ("en", "We miss a word on who will pay."),
    ("en", "If rates will rise is a question for May."),
    ("en", "It would be premature to speak of a recovery."),
    ("en", "Analysts rate the stock a buy; the source quotes only one."),
    ("en", "What the sellers will do with the money is left open."),
    ("en", "Cheap loans helped people buy homes."),
    ("en", "Traders had to sell at a loss."),
    ("de", "Ob der Kurs weiter fällt, ist offen."),
    ("de", "Anleger mussten mit Verlust verkaufen."),
    ("de", "Das Angebot wirkt weniger großzügig, als es klingt."),
    ("de", "Wer im Mai gekauft hat, hat ein Drittel verloren."),
    ("de", "Man muss den Wandel nicht gutheißen, um ihn zu verstehen."),
    ("de", "Wir wüssten gern, wer die Aktien gekauft hat."),
    ("de", "Niemand weiß, ob die Preise wieder steigen werden."),
    ("de", "Der Plan könnte die Preise drücken."),
    ("de", "Wenn die Preise steigen, werden Mieter leiden, fürchtet der Verband."),
    ("de", "Sie wollen das Werk verkaufen und das Gelände halten."),
    ("de", "Alle müssen sich an die Abmachung halten."),
    ("de", "Man sollte die Zahlen mit Vorsicht lesen."),
    ("de", "Wir halten den Schritt für richtig."),
    ("de", "Der Staat kann nicht alle Verluste tragen."),
    ("de", "Eine Kaufempfehlung ist das nicht."),
    ("de", "Ein guter Zeitpunkt für den Umzug ist das kaum."),
    ("de", "Leser erfahren nicht, wer zahlen wird."),
    ("de", "Die Stadt muss sparen, und das wird wehtun, sagt der Kämmerer."),
    ("de", "Käufer dürften sich nun anderswo umsehen."),
    ("de", "Die Aktionäre dürfen am Freitag abstimmen."),
    ("de", "Händler müssen ihre Vorräte nun länger halten."),
    ("de", "Ob sich der Kauf lohnt, wird sich zeigen."),
    ("de", "Die Frage bleibt, wie lange die Kasse reichen wird."),
    ("de", "Sicher ist die Rendite nicht."),
    ("de", "Die Nutzer müssen ihre Geräte nicht zurückgeben und können sie verkaufen."),
    ("es", "No se sabe si la cotización bajará más."),
    ("es", "Los inversores tuvieron que vender con pérdidas."),
    ("es", "La oferta parece menos generosa de lo que suena."),
    ("es", "Quien compró en mayo perdió un tercio."),
    ("es", "Nos gustaría saber quién compró las acciones."),
    ("es", "Nadie sabe si los precios subirán."),
    ("es", "El plan podría bajar los precios."),
    ("es", "Si los precios suben, los inquilinos podrían sufrir."),
    ("es", "Quieren vender la fábrica y mantener el terreno."),
    ("es", "Todos deben mantener lo acordado."),
    ("es", "Conviene leer las cifras con cautela."),
    ("es", "El Estado no puede cubrir todas las pérdidas."),
    ("es", "No es una señal de compra."),
    ("es", "Los compradores mirarán quizás a otra parte."),
    ("es", "Los accionistas votarán el viernes, según el texto."),
    ("es", "El lector no sabe quién pagará."),
    ("es", "Queda por ver si la caja alcanza."),
    ("es", "La rentabilidad no está garantizada."),
    ("es", "Los usuarios deben entrar con su clave."),
    ("es", "La ciudad debe ahorrar."),
    ("es", "El autor cree que los precios caerán."),
    ("es", "Los vendedores deben mantener sus reservas más tiempo."),
    ("es", "Es momento de que el consejo hable."),
    ("es", "Hay dudas sobre quién va a pagar."),
]


@pytest.mark.parametrize(("language", "opinion"), FAULTLESS)
def test_a_comment_without_advice_has_no_finding(language: str, opinion: str) -> None:
    assert severities(language, opinion) == []


ADVICE = [
    ("en", "Investors should buy now."),
    ("en", "Readers would do well to sell their shares."),
    ("en", "Now is a good time to buy."),
    ("en", "We recommend buying the shares."),
    ("en", "A great entry point."),
    ("en", "The price will double."),
    ("en", "Shares are bound to rise."),
    ("en", "Don't sell."),
    ("en", "A risk-free return awaits."),
    ("en", "The stock is a clear buy."),
    ("de", "Anleger sollten jetzt kaufen."),
    ("de", "Wir raten zum Verkauf."),
    ("de", "Jetzt einsteigen lohnt."),
    ("de", "Eine günstige Kaufgelegenheit."),
    ("de", "Der Kurs wird steigen."),
    ("de", "Die Preise werden deutlich fallen."),
    ("de", "Garantierte Renditen winken."),
    ("de", "Der Kurs kann nur steigen."),
    ("de", "Sparer müssen nun verkaufen."),
    ("de", "Die Aktie bleibt ein Kauf."),
    ("es", "Los inversores deberían comprar ya."),
    ("es", "Recomendamos vender."),
    ("es", "Es momento de comprar."),
    ("es", "Una oportunidad de compra."),
    ("es", "Las acciones subirán."),
    ("es", "Los precios caerán."),
    ("es", "Una rentabilidad garantizada."),
    ("es", "Compre ahora."),
    ("es", "Los ahorradores deben vender."),
    ("es", "Aconsejamos la venta."),
]


@pytest.mark.parametrize(("language", "opinion"), ADVICE)
def test_advice_and_certain_prices_block(language: str, opinion: str) -> None:
    assert severities(language, opinion) == [Severity.BLOCK]
