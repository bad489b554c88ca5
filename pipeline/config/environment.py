"""Reads `.env`, and builds the environments that child processes start with."""

import io
import os
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from pipeline.config.yaml_source import ConfigProblem, config_error
from pipeline.domain.errors import ConfigError

NO_TELEMETRY = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
}
"""Variables that keep a process and its libraries from reporting their use.

Source: https://consoledonottrack.com and Prefect's settings of these names.
"""
_PYTHON_VARIABLES = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR")
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_SERVER_VARIABLES = (
    "GIT_SSH_COMMAND",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
)
_GIT_VARIABLES = {
    "PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "XDG_CONFIG_HOME", *_SERVER_VARIABLES, *_PROXY_VARIABLES,
}  # fmt: skip
_NO_PROMPTS = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "SSH_ASKPASS": "true"}


def minimal_environment() -> dict[str, str]:
    """Return the variables that a Python worker process needs: no key and no password among them.

    The worker reads hostile text. Its libraries send no telemetry.
    """
    variables = {
        name: value for name, value in os.environ.items() if name in _PYTHON_VARIABLES or name in NO_TELEMETRY
    }
    return NO_TELEMETRY | variables


def git_environment() -> dict[str, str]:
    """Return the variables that git starts with: proxies and SSH agent, but no key of Copydesk.

    git never prompts for a password. GIT_DIR and the like are left out: where a git hook starts Copydesk,
    they name the hook's repository instead of the target.
    """
    variables = {
        name: value
        for name, value in os.environ.items()
        if name in _GIT_VARIABLES or name.lower() in _PROXY_VARIABLES
    }
    return {"GIT_SSH_COMMAND": "ssh -oBatchMode=yes", **variables, **_NO_PROMPTS, "LC_ALL": "C"}


def disable_telemetry() -> None:
    """Set the variables of NO_TELEMETRY for this process and its children; a value that is set stays.

    Call it before Prefect is imported: Prefect reads these variables at its first import.
    """
    for name, value in NO_TELEMETRY.items():
        os.environ.setdefault(name, value)


def read_dotenv(path: Path) -> dict[str, str]:
    """Return the variables that `path` sets; none where the file is missing.

    Values are taken as written: `$OTHER` is not replaced. Raises ConfigError naming file and line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise ConfigError(f"{path} cannot be read ({reason}); fix it or remove it", file=str(path)) from error
    bindings = list(parse_stream(io.StringIO(text)))
    problems = [
        ConfigProblem(_line(binding), "not NAME=value; write it so, or put # in front")
        for binding in bindings
        if _is_malformed(binding)
    ]
    if problems:
        raise config_error(path.name, problems)
    return {b.key: b.value for b in bindings if b.key is not None and b.value is not None}


def _is_malformed(binding: Binding) -> bool:
    # A name without `=` is a mistake as well: python-dotenv would skip it without a word.
    return binding.error or (binding.key is not None and binding.value is None)


def _line(binding: Binding) -> int:
    text = binding.original.string
    return binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
