"""Finds the files of prompts: each in the operator's folder, and the packaged one where that has none."""

from contextlib import suppress
from pathlib import Path

from pipeline.config.yaml_source import closest_match
from pipeline.domain.errors import ConfigError

PACKAGED = Path(__file__).parent / "prompts"
"""Folder of the prompts that come with Copydesk."""
EXAMPLES_FOLDER = "examples"
"""In the folder of the templates."""
TEMPLATE_SUFFIX = ".md.j2"


def template_path(folder: Path, name: str) -> Path:
    """Return a template's file: in `folder`, else the packaged one. Raises ConfigError if none exists."""
    path = _first(folder, f"{name}{TEMPLATE_SUFFIX}")
    if path is None:
        expected = folder / f"{name}{TEMPLATE_SUFFIX}"
        names = template_names(folder)
        hint = closest_match(name, names) or f"write it, or use one of: {', '.join(names)}"
        raise ConfigError(
            f"{expected} does not exist, and Copydesk has no prompt {name}; {hint}", file=expected
        )
    return path


def example_path(folder: Path, name: str) -> Path | None:
    """Return the file of an example: in `folder`, else the packaged one; None without either."""
    if Path(name).name != name:  # a path that leads elsewhere
        return None
    return _first(folder, f"{EXAMPLES_FOLDER}/{name}.yaml")


def template_names(folder: Path) -> list[str]:
    """Return the names of all templates that can be used: those in `folder` and the packaged ones."""
    files = [*PACKAGED.iterdir()]
    with suppress(OSError):  # there is no such folder; without permission the use of a template says so
        files += folder.iterdir()
    names = (path.name for path in files if path.name.endswith(TEMPLATE_SUFFIX))
    return sorted({name.removesuffix(TEMPLATE_SUFFIX) for name in names})


def is_packaged(path: Path) -> bool:
    """Return whether a file is one that comes with Copydesk."""
    return path.is_relative_to(PACKAGED)


def _first(folder: Path, relative: str) -> Path | None:
    places = (folder / relative, PACKAGED / relative)
    return next((path for path in places if _is_there(path)), None)


def _is_there(path: Path) -> bool:
    """Return whether there is a file; a broken link counts. Raises ConfigError where it cannot be looked at.

    The packaged file in place of it would hide the mistake.
    """
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a name with a null byte
        return False
    except OSError as error:
        message = f"{path} cannot be read ({error.strerror}); correct that"
        raise ConfigError(message, file=path) from error
    return True
