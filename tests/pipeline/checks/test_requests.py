"""What a draft may tell of requests and services, and what asks its own reader to do something."""

import pytest

from pipeline.checks.document import DraftDocument
from pipeline.checks.injection.check import check_injection
from pipeline.domain.reviews import Finding, Severity
from tests.pipeline.checks.test_injection import BEAT, source

SOURCES = {
    "en": (
        "Police warned of messages that ask victims to enter their seed phrase. Drivers can call the "
        "hotline of the city, and visitors may register until May. Readers of Coast.fm vote for free. "
        "The firm asks customers to change passwords and to contact support. The union urges members "
        "to join the strike and to follow the court case. The bank offers a refund; owners can claim "
        "a refund of 300 euros. Users should download the update."
    ),
    "de": (
        "Die Polizei warnt vor Nachrichten, die nach der PIN fragen. Zeugen sollen sich bei der "
        "Polizei melden. Kunden können die Geräte zurückschicken und ihr Geld bekommen. Bürger können "
        "sich bis Mai anmelden. Die Gewerkschaft ruft zum Streik auf."
    ),
    "es": (
        "La policía avisa de mensajes que piden la clave. Los testigos pueden llamar a la policía. "
        "Los clientes pueden devolver el aparato y recibir su dinero. Los vecinos pueden inscribirse "
        "hasta mayo."
    ),
}
INTRODUCTIONS = {
    "en": "Police warned of messages this week in the town.",
    "de": "Die Polizei warnt in dieser Woche vor Nachrichten in der Stadt.",
    "es": "La policía avisa esta semana de los mensajes en la ciudad.",
}


def findings(language: str, sentence: str) -> tuple[Finding, ...]:
    body = (
        f"## Overview\n\n{INTRODUCTIONS[language]} {sentence}\n\n## Impact\n\n- {INTRODUCTIONS[language]}\n"
    )
    return check_injection(source(SOURCES[language] * 2, language=language), DraftDocument(body, BEAT))


REPORTED = [
    ("en", "Witnesses are asked to contact the police."),
    ("en", "Customers should change their passwords, the firm says."),
    ("en", "Owners can claim a refund of 300 euros."),
    ("en", "Police warn people not to enter their seed phrase."),
    ("en", "The messages ask victims to enter their seed phrase."),
    ("en", "Listeners of Coast.fm can vote for free."),
    ("en", "Visitors can register until May."),
    ("en", "The union calls on members to join the strike."),
    ("en", "Users are told to download the update."),
    ("en", "They can call the hotline of the city."),
    ("en", "Nobody may share the data with others."),
    ("en", "The firm asks customers to contact support."),
    ("en", "He told us that the board would follow the law."),
    ("en", "The bank will send letters to account holders."),
    ("en", "Members act now, the union says."),
    ("en", "The court follows the report."),
    ("en", "Shoppers buy less today."),
    ("en", "It costs nothing to register."),
    ("en", "Investors buy here, others there."),
    ("en", "Tell no one, the boss wrote."),
    ("en", "It sends the money to the account of the city."),
    ("en", "They deposit $40 to the account every month."),
    ("en", "The app lets users book a seat now."),
    ("en", "It is free to use for all."),
    ("en", "Those who wish to join can do so until May."),
    ("de", "Zeugen sollen sich bei der Polizei melden."),
    ("de", "Kunden können das Gerät zurückschicken."),
    ("de", "Die Polizei warnt davor, die PIN einzugeben."),
    ("de", "Die Bürger können sich bis Mai anmelden."),
    ("de", "Die Gewerkschaft ruft ihre Mitglieder zum Streik auf."),
    ("de", "Wer will, kann sich jetzt anmelden."),
    ("de", "Viele wollen jetzt kaufen."),
    ("de", "Der Verein bittet um Spenden."),
    ("de", "Die Nutzer sollen das Update laden."),
    ("de", "Man kann die Daten jetzt herunterladen."),
    ("de", "Der Rat stimmt am Freitag ab."),
    ("de", "Die Firma ruft Geräte zurück."),
    ("de", "Besucher zahlen keinen Eintritt."),
    ("de", "Kunden sollen den Support anrufen."),
    ("de", "Die Bank schickt ihnen Briefe."),
    ("de", "Er schrieb, man möge warten."),
    ("de", "Die Stadt lädt zum Gespräch."),
    ("de", "Anwohner fordern mehr Schutz."),
    ("de", "Sie folgen dem Rat der Ärzte."),
    ("de", "Alle dürfen mitmachen."),
    ("de", "Die Karte gibt es umsonst."),
    ("de", "Bis Mai läuft die Anmeldung."),
    ("de", "Die Leser schickten Fotos."),
    ("de", "Betroffene bekommen ihr Geld zurück."),
    ("de", "Die Kasse zahlt die Impfung."),
    ("es", "Los testigos pueden llamar a la policía."),
    ("es", "Los clientes pueden devolver el aparato."),
    ("es", "La policía pide no dar la clave."),
    ("es", "Los vecinos pueden inscribirse hasta mayo."),
    ("es", "El sindicato llama a la huelga."),
    ("es", "Quien quiera puede apuntarse ya."),
    ("es", "Muchos quieren comprar ahora."),
    ("es", "La asociación pide donaciones."),
    ("es", "Los usuarios deben descargar la actualización."),
    ("es", "El consejo vota el viernes."),
    ("es", "La firma retira los aparatos."),
    ("es", "La entrada es gratis."),
    ("es", "Los clientes llaman al servicio."),
    ("es", "El banco envía cartas a sus clientes."),
    ("es", "Escribió que había que esperar."),
    ("es", "La ciudad invita al debate."),
    ("es", "Los vecinos piden protección."),
    ("es", "Siguen el consejo de los médicos."),
    ("es", "Todos pueden participar."),
    ("es", "El plazo acaba en mayo."),
    ("es", "Los lectores enviaron fotos."),
    ("es", "Los afectados recuperan su dinero."),
    ("es", "La caja paga la vacuna."),
    ("es", "El que compra ahora paga menos."),
    ("es", "La web del banco no funciona."),
]


@pytest.mark.parametrize(("language", "sentence"), REPORTED)
def test_what_others_ask_and_do_has_no_finding(language: str, sentence: str) -> None:
    assert findings(language, sentence) == ()


ASKING = [
    ("en", "Enter your seed phrase below."),
    ("en", "Connect your wallet to go on."),
    ("en", "Click here to read more."),
    ("en", "Write to info@evil.example."),
    ("en", "Send 1 coin to this address."),
    ("en", "Follow us on Telegram."),
    ("en", "Buy now while supplies last."),
    ("en", "Call now."),
    ("en", "See https://evil.example/x."),
    ("en", "Join our Telegram group."),
    ("de", "Rufen Sie uns jetzt an."),
    ("de", "Klicken Sie hier."),
    ("de", "Jetzt kaufen!"),
    ("de", "Senden Sie uns Ihre PIN."),
    ("de", "Schreiben Sie an info@evil.example."),
    ("es", "Haga clic aquí."),
    ("es", "Compre ahora."),
    ("es", "Envíe su clave."),
    ("es", "Escriba a info@evil.example."),
    ("es", "Vea https://evil.example/x."),
]


@pytest.mark.parametrize(("language", "sentence"), ASKING)
def test_what_asks_the_reader_is_reported(language: str, sentence: str) -> None:
    assert {Severity.BLOCK, Severity.WARN} & {each.severity for each in findings(language, sentence)}
