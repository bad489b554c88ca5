"""Errors have the exit codes that `copydesk --help`, docs/operations.md and the list of errors name."""

import re
from pathlib import Path

from copydesk.check import BLOCKED
from copydesk.main import EXIT_CODES
from pipeline.domain import errors
from pipeline.domain.errors import CopydeskError
from pipeline.services.report import ALL_FAILED

DOCS = Path(__file__).parents[2] / "docs/operations.md"
LISTED = dict(re.findall(r"^\W*(\w+) +(?:exit code )?(\d+|-)(?: |$)", errors.__doc__ or "", re.M))
"""The list of errors: the code of each class, or `-` where it ends no command."""
CLASSES = {
    name: each
    for name, each in vars(errors).items()
    if isinstance(each, type) and issubclass(each, CopydeskError)
}


def test_each_error_is_listed_with_its_code() -> None:
    assert LISTED.keys() == CLASSES.keys()
    ending = {name: each for name, each in CLASSES.items() if LISTED[name] != "-"}
    assert {name: str(each.exit_code) for name, each in ending.items()} == {
        name: LISTED[name] for name in ending
    }
    assert not any("exit_code" in vars(CLASSES[name]) for name in CLASSES.keys() - ending.keys())


def test_the_help_and_the_documentation_list_every_code_and_no_other() -> None:
    used = {0, 1, ALL_FAILED, BLOCKED} | {each.exit_code for each in CLASSES.values()}
    helped = [int(code) for code in re.findall(r"(?:^Exit codes:|·)\s+(\d+) ", EXIT_CODES)]
    section = DOCS.read_text().partition("## Exit codes")[2].partition("\n## ")[0]
    documented = [int(code) for code in re.findall(r"^\| (\d+) \|", section, re.M)]
    assert helped == documented == sorted(used)
