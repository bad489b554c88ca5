"""Spanish numbers of a draft, checked against those of its source."""

import pytest

from pipeline.checks.numbers.extract import extract_numbers
from tests.pipeline.checks.test_numbers import check

VALUES = [
    ("mil doscientos treinta y cinco barcos", 1235, ""),
    ("dos mil quinientos millones de euros", 2.5e9, "EUR"),
    ("3.200 millones de dólares", 3.2e9, "USD"),
    ("mil millones de pesos", 1e9, "PESO"),
    ("un billón de euros", 1e12, "EUR"),
    ("doscientas mil toneladas", 200_000, "tonne"),
    ("dos millones y medio de euros", 2.5e6, "EUR"),
    ("2 millones y medio de euros", 2.5e6, "EUR"),
    ("medio millón de euros", 500_000, "EUR"),
    ("media docena de barcos", 6, ""),
    ("media hora", 0.5, "hour"),
    ("un año y medio", 1.5, "year"),
    ("tres años y medio", 3.5, "year"),
    ("un centenar de barcos", 100, ""),
    ("1.234,5 euros", 1234.5, "EUR"),
    ("1,234.5 pesos", 1234.5, "PESO"),
    ("12 500 euros", 12_500, "EUR"),
    ("$500 pesos", 500, "PESO"),
    ("50 M€", 5e7, "EUR"),
    ("US$ 40", 40, "USD"),
    ("25 puntos básicos", 25, "bp"),
    ("un 4,5 por ciento", 4.5, ""),
    ("la tercera parte", 1 / 3, ""),
    ("tres cuartas partes", 0.75, ""),
    ("el 3.º barco, 12ª vez", 12, ""),
    ("30 metros cuadrados", 30, "square metre"),
]


@pytest.mark.parametrize(("text", "value", "unit"), VALUES)
def test_a_number_has_its_value_and_unit(text: str, value: float, unit: str) -> None:
    found = [(round(each.value, 6), each.unit) for each in extract_numbers(text, "es")]
    assert (round(value, 6), unit) in found


def test_a_half_is_a_number_only_before_a_unit() -> None:
    assert extract_numbers("la media del sector y el medio ambiente", "es") == ()


SUPPORTED = [
    ("Vendió más de 500.000 barcos.", "Vendió 572.206 barcos."),
    ("Vendió casi la mitad de los barcos.", "Vendió el 49 % de los barcos."),
    ("Vendió al menos 36 barcos.", "Vendió 36 barcos."),
    ("Pagó 1,2 millones de euros.", "Pagó 1.200.000 euros."),
    ("Subió 0,25 puntos porcentuales.", "Subió 25 puntos básicos."),
    ("Vendió entre el 5 y el 6 % del grano.", "Vendió entre un 5% y un 6% del grano."),
    ("Duró siete días.", "Duró una semana."),
    ("Una tercera parte de los barcos zarpó.", "Un 33 % de los barcos zarpó."),
    ("Los dos barcos zarparon.", "Ambos barcos zarparon."),
    ("Pagó 500 pesos.", "Pagó $500."),
    ("Pagó 500 dólares.", "Pagó $500."),
    ("Vendió 12.500 barcos.", "Vendió 12,500 barcos."),
    ("Vendió 12 500 barcos.", "Vendió 12,500 barcos, un 3.5% más."),
    ("Vendió 12,500 barcos.", "Vendió doce mil quinientos barcos."),
    ("Vendió 43 mil 200 barcos.", "Vendió 43,200 barcos."),
    ("Vendió más de 3 mil 500 barcos.", "Vendió 3 mil 512 barcos."),
    ("Vendió una veintena de barcos.", "Vendió 21 barcos."),
    ("El grano subió tres décimas.", "El grano subió 0,3 puntos."),
    ("El 5 de mayo a las tres y media zarpó.", "Zarpó."),
]


@pytest.mark.parametrize(("draft", "source"), SUPPORTED)
def test_the_same_number_in_other_words_has_no_finding(draft: str, source: str) -> None:
    assert [each for each in check(source, draft, "es") if each[0] != "note"] == []


ABSENT = [
    ("Vendió 37 barcos.", "Vendió 36 barcos.", "37"),
    ("Pagó 3 millones de euros.", "Pagó 3.000 millones de euros.", "3 millones de euros"),
    ("Pagó 3 millones de dólares.", "Pagó 3 millones de euros.", "3 millones de dólares"),
    ("Pagó 500 pesos.", "Pagó US$500.", "500 pesos"),
    ("Subió un 4,6 por ciento.", "Subió un 4,5 por ciento.", "4,6 por ciento"),
    ("Vendió 12.600 barcos.", "Vendió 12.500 barcos.", "12.600"),
    ("Vendió casi 600 barcos.", "Vendió 640 barcos.", "600"),
    ("Vendió ochocientos barcos.", "Vendió quinientos barcos.", "ochocientos"),
]


@pytest.mark.parametrize(("draft", "source", "text"), ABSENT)
def test_an_absent_number_blocks(draft: str, source: str, text: str) -> None:
    assert ("block", text) in check(source, draft, "es")
