"""What a run of a deployment may cost, and how its errors become the states of runs and tasks."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.backfill import backfill, cost_limit
from flows.runtime import as_task, carried_out
from pipeline.config import load_settings
from pipeline.domain.errors import ConfigError
from pipeline.services.cost_question import CostLimit
from pipeline.services.report import Plan


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have prefect.runtime say that a deployment started this run."""
    monkeypatch.setenv("PREFECT__RUNTIME__DEPLOYMENT__ID", "a-deployment")


@pytest.mark.parametrize(
    ("confirmed", "by_deployment", "limit"),
    [
        (None, False, None),
        (None, True, CostLimit(Decimal(3), is_confirmed=False)),
        (Decimal(0), True, CostLimit(Decimal(0), is_confirmed=True)),
        (Decimal(9), False, CostLimit(Decimal(9), is_confirmed=True)),
    ],
)
def test_a_backfill_costs_no_more_than_its_parameter_or_the_setting_says(
    tmp_path: Path, confirmed: Decimal | None, by_deployment: bool, limit: CostLimit | None
) -> None:
    settings = load_settings({"COPYDESK_CONFIRM": "3"}, tmp_path)
    assert cost_limit(settings, confirmed, by_deployment=by_deployment) == limit


async def refused() -> Plan:
    raise ConfigError("feeds.yaml:1: is wrong; correct it")


async def test_an_error_of_a_command_is_raised_there() -> None:
    with pytest.raises(ConfigError, match="is wrong"):
        await carried_out(refused())


def failed(state: object) -> str:
    """Return the message of a failed state."""
    assert isinstance(state, State)
    assert state.is_failed()
    return str(state.message)


@pytest.mark.usefixtures("deployed")
async def test_an_error_of_a_deployments_run_is_the_message_of_its_state() -> None:
    assert failed(await carried_out(refused())) == "feeds.yaml:1: is wrong; correct it"


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize(
    ("environ", "since", "message"),
    [
        ({"COPYDESK_TIMEZONE": "Asia/Tokyo"}, datetime(1, 1, 1), "'0001-01-01T00:00:00' is not a day in"),  # noqa: DTZ001
        ({"COPYDESK_CAP_DAY": "much"}, datetime(2026, 1, 1, tzinfo=UTC), "COPYDESK_CAP_DAY 'much'"),
    ],
)
async def test_a_backfill_that_cannot_start_says_so_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], since: datetime, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert failed(cast(object, await backfill.fn("one", since))).startswith(message)


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> dict[str, State]:
    """Return the states of tasks by name, as Prefect would have them: its own tasks need its server."""
    states: dict[str, State] = {}

    def task(*, task_run_name: str, **_options: object) -> object:
        def decorate(step: Callable[[], Awaitable[State | None]]) -> object:
            async def run(*, return_state: bool) -> State:
                assert return_state
                try:
                    states[task_run_name] = await step() or Completed()
                except Exception as error:  # noqa: BLE001 - as Prefect does
                    states[task_run_name] = Failed(data=error)
                return states[task_run_name]

            return run

        return decorate

    monkeypatch.setattr("flows.runtime.task", task)
    return states


async def test_a_step_is_a_task_of_its_name(tasks: dict[str, State]) -> None:
    async def step() -> int:
        return 3

    assert await as_task("draft one", step) == 3
    assert tasks["draft one"].is_completed()


async def test_an_error_that_a_user_can_cause_is_the_tasks_message(tasks: dict[str, State]) -> None:
    with pytest.raises(ConfigError, match="is wrong"):
        await as_task("draft one", refused)
    assert failed(tasks["draft one"]) == "feeds.yaml:1: is wrong; correct it"
    assert tasks["draft one"].data is None, "no traceback"


async def test_another_error_is_raised_as_it_is(tasks: dict[str, State]) -> None:
    async def broken() -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError, match="a bug"):
        await as_task("draft one", broken)
    assert tasks["draft one"].is_failed()
