"""A backfill that nobody can be asked about: refused above the limit, and capped by a confirmed one."""

from decimal import Decimal
from pathlib import Path

import pytest

from pipeline.domain.errors import ConfigError
from pipeline.http_client import HttpClient
from pipeline.services.cost_question import CostLimit, capped, require_confirmed
from pipeline.services.estimate import Estimate
from pipeline.storage import Database
from tests.pipeline.services.desk import run_context

PRICED = Estimate(items=40, likely=2_500_000, most=6_000_000)
UNPRICED = Estimate(items=40)


@pytest.mark.parametrize(
    ("estimate", "limit", "model"),
    [
        (PRICED, CostLimit(Decimal("2.5"), is_confirmed=False), True),
        (PRICED, CostLimit(Decimal("2.5"), is_confirmed=True), True),
        (UNPRICED, CostLimit(Decimal(1), is_confirmed=True), False),
        (UNPRICED, CostLimit(Decimal(1), is_confirmed=False), False),
        (Estimate(items=20), CostLimit(Decimal(1), is_confirmed=False), True),
    ],
)
def test_a_cost_within_the_limit_needs_no_question(estimate: Estimate, limit: CostLimit, model: bool) -> None:
    require_confirmed(estimate, limit, model=model)


@pytest.mark.parametrize(
    ("estimate", "limit", "words"),
    [
        (PRICED, CostLimit(Decimal(1), is_confirmed=False), "COPYDESK_CONFIRM allows ($1)"),
        (
            PRICED,
            CostLimit(Decimal(2), is_confirmed=True),
            "confirm_cost allows ($2); set the parameter confirm_cost to the US dollars",
        ),
        (UNPRICED, CostLimit(Decimal(1), is_confirmed=False), "set COPYDESK_PRICE"),
    ],
)
def test_a_higher_or_unknown_cost_is_refused_in_one_line(
    estimate: Estimate, limit: CostLimit, words: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        require_confirmed(estimate, limit, model=True)
    assert words in refused.value.message
    assert "or a lower limit" in refused.value.message
    assert "\n" not in refused.value.message


async def test_a_confirmed_cost_is_the_cap_of_the_run(db: Database, net: HttpClient, tmp_path: Path) -> None:
    desk = run_context(db, net, tmp_path, cap_run=Decimal(3))
    assert capped(desk, CostLimit(Decimal(2), is_confirmed=True)).settings.cap_run == 2
    assert capped(desk, CostLimit(Decimal(9), is_confirmed=True)).settings.cap_run == 3
    assert capped(desk, CostLimit(Decimal(2), is_confirmed=False)).settings.cap_run == 3
    free = run_context(db, net, tmp_path)
    assert capped(free, CostLimit(Decimal(2), is_confirmed=True)).settings.cap_run == 2
