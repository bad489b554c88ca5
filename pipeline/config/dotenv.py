"""Reads `.env`: settings that a folder keeps for itself."""

import io
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from pipeline.config.yaml_source import ConfigProblem, config_error
from pipeline.domain.errors import ConfigError


def read_dotenv(path: Path) -> dict[str, str]:
    """Return the variables that `path` sets; none where the file is missing.

    Values are taken as written: `$OTHER` is not replaced. Raises ConfigError naming file and line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ConfigError(f"{path} cannot be read ({why}); mend it or remove it", file=str(path)) from error
    bindings = list(parse_stream(io.StringIO(text)))
    problems = [
        ConfigProblem(_line(b), "not NAME=value; write it so, or put # in front") for b in bindings if _bad(b)
    ]
    if problems:
        raise config_error(path.name, problems)
    return {b.key: b.value for b in bindings if b.key is not None and b.value is not None}


def _bad(binding: Binding) -> bool:
    # A name without `=` is a slip as well: dotenv would pass over it in silence.
    return binding.error or (binding.key is not None and binding.value is None)


def _line(binding: Binding) -> int:
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
