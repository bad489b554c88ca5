"""`copydesk init`: starts a newsroom folder with feeds.yaml, .env, prompts/ and a systemd service."""

import getpass
import os
import re
import shlex
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from copydesk.console import own_command, print_json, print_line, printable, program
from pipeline.articles.files import write_atomically
from pipeline.config import private_files


class NewFile(NamedTuple):
    """A file of a new folder."""

    path: str
    """Relative to the folder."""
    template: str
    """Name in copydesk/init_files."""
    purpose: str
    mode: int = 0o666
    """Permissions, before the umask."""


FILES = (
    NewFile("feeds.yaml", "feeds.yaml", "the feeds, beats and publish targets"),
    NewFile(".env", "env", "model, key, spending caps", private_files.MODE),
    NewFile("prompts/README.md", "prompts.md", "how to change a prompt"),
    NewFile("copydesk.service", "copydesk.service", "a systemd service for `copydesk serve`"),
)

_ROOTS_SERVICE_USER = "copydesk"
"""User of the service where `init` is called as root; it is not created."""


def init(folder: Path, *, as_json: bool) -> None:
    """Write the files that `folder` lacks, and print which; no file is overwritten. Raises OutputError."""
    folder = folder.absolute()
    written = {each: _write_new(folder, each) for each in FILES}
    if as_json:
        paths = [{"file": each.path, "written": is_new} for each, is_new in written.items()]
        print_json({"folder": str(folder), "files": paths})
        return
    print_line(f"Folder: {printable(folder)}")
    for each, is_new in written.items():
        state = "written" if is_new else "is there already: not changed"
        print_line(f"  {each.path:<18} {each.purpose}; {state}")
    _print_next_steps(folder)


def _write_new(folder: Path, file: NewFile) -> bool:
    """Write a file from its template; returns False, and changes nothing, if something is there."""
    target = folder / file.path
    if os.path.lexists(target):  # False in a folder without permission: the write says so
        return False
    text = files("copydesk").joinpath("init_files", file.template).read_text(encoding="utf-8")
    if file.template == "copydesk.service":
        text = service_file(text, folder, own_command(), _service_user())
    write_atomically(folder, file.path, text.encode(), mode=file.mode)
    return True


def service_file(template: str, folder: Path, command: list[str], user: str) -> str:
    """Return the systemd unit for a folder. Pure.

    `command` is the executable with its first arguments; source of the quoting: systemd.syntax(7) and
    systemd.service(5).
    """
    values = {
        "USER": user,
        "FOLDER": str(folder).replace("%", "%%"),
        "COMMAND": " ".join(_quoted(word).replace("$", "$$") for word in command),
        "PREFECT_HOME": _quoted(f"PREFECT_HOME={folder}/.copydesk/prefect"),  # `$` is no variable there
    }
    return re.sub(r"@([A-Z_]+)@", lambda match: values[match[1]], template)


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"' if re.search(r"""[\s"'\\;]""", word) else escaped


def _service_user() -> str:
    """Return the user of the service; it is not root, who needs no rights here."""
    try:
        return _ROOTS_SERVICE_USER if os.geteuid() == 0 else getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return _ROOTS_SERVICE_USER


def _print_next_steps(folder: Path) -> None:
    command = program(folder)
    print_line("\nNext:")
    if os.geteuid() == 0:
        own = f"chown -R {_ROOTS_SERVICE_USER}: {printable(shlex.quote(str(folder)))}"
        print_line(f"  the service's user  useradd --system {_ROOTS_SERVICE_USER} && {own}")
    if folder != Path.cwd():
        print_line(f"  work in the folder  cd {printable(folder)}")
    print_line(f"  try it              {command} --sample run, then {command} --sample desk")
    print_line("  your feeds          edit feeds.yaml; set COPYDESK_MODEL and a key in .env")
    print_line(f"  check everything    {command} doctor")
    print_line(f"  first drafts        {command} run, then {command} desk")
