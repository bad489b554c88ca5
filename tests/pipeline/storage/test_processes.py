import os
import subprocess
import sys

import pytest

from pipeline.storage.processes import current_owner, is_elsewhere, process_is_dead


def test_this_process_lives() -> None:
    assert not process_is_dead(current_owner())


@pytest.mark.process
def test_a_process_that_ended_is_dead() -> None:
    program = "from pipeline.storage.processes import current_owner; print(current_owner())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert process_is_dead(done.stdout.strip())


@pytest.mark.process
def test_a_process_that_nobody_buried_is_dead() -> None:
    program = "from pipeline.storage.processes import current_owner; print(current_owner(), flush=True)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        owner = child.stdout.readline().strip()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process_is_dead(owner)


def test_a_number_used_again_is_another_process() -> None:
    host, boot, pid, started, namespace = current_owner().split("|")
    assert not started or process_is_dead(f"{host}|{boot}|{pid}|{int(started) - 1}|{namespace}")


def test_nothing_outlives_a_restart_of_its_host() -> None:
    host, _, pid, started, _ = current_owner().split("|")
    assert process_is_dead(f"{host}|another-boot|{pid}|{started}")
    assert process_is_dead(f"{host}|another-boot|{pid}|{started}|pid:[1]")


def test_of_another_host_nobody_knows() -> None:
    assert not process_is_dead("elsewhere|boot|1|1")


def test_of_another_container_with_this_host_name_nobody_knows() -> None:
    """`docker compose run worker` has the worker's host name, and process numbers of its own."""
    host, boot, *_, namespace = current_owner().split("|")
    dead = f"{host}|{boot}|{2**22 + 1}|1"
    assert is_elsewhere(f"{dead}|pid:[1]")
    assert not process_is_dead(f"{dead}|pid:[1]")
    for same in (f"{dead}|{namespace}", dead):  # the latter was written by an earlier version
        assert not is_elsewhere(same)
        assert process_is_dead(same)


def test_what_is_no_owner_is_left_alone() -> None:
    host = current_owner().split("|")[0]
    assert not any(process_is_dead(owner) for owner in ("", "x", host, f"{host}|boot|many|1"))
