"""What the environment holds for others: deploy hooks, what git and our own processes start with."""

from collections.abc import Mapping

from pydantic import SecretStr

from pipeline.config.publish_targets import HOOK_PREFIX
from pipeline.domain.errors import ConfigError
from pipeline.domain.models import normalize_feed_url

NO_TELEMETRY = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
}
"""What every process of ours is started with, so that it reports its use to nobody."""
_NEEDED = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_SERVERS = ("GIT_SSH_COMMAND", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO")
_FOR_GIT = {"PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "XDG_CONFIG_HOME", *_SERVERS, *_PROXIES}
_NEVER_ASK = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "SSH_ASKPASS": "true"}


def minimal(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what Python needs to start, what keeps it from reporting its use, and no key or password."""
    kept = {name: value for name, value in environ.items() if name in _NEEDED or name in NO_TELEMETRY}
    return NO_TELEMETRY | kept


def for_git(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what git is started with: the operator's ways to reach a server, and no key of ours.

    It never asks anybody anything. Where Copydesk is started by git itself, from a hook, that repository
    is not the one that is meant.
    """
    kept = {name: value for name, value in environ.items() if name in _FOR_GIT or name.lower() in _PROXIES}
    return {"GIT_SSH_COMMAND": "ssh -oBatchMode=yes", **kept, **_NEVER_ASK, "LC_ALL": "C"}


def deploy_hook_urls(merged: Mapping[str, str]) -> dict[str, SecretStr]:
    """Return the URLs of deploy hooks by variable. Raises ConfigError, which shows none of them."""
    found = {}
    for name, value in merged.items():
        if not name.startswith(HOOK_PREFIX) or not (url := value.strip()):
            continue
        if normalize_feed_url(url) is None:
            raise ConfigError(
                f"{name} (its value is not shown) is no http(s) URL; write the one that your host gave you",
                variable=name,
            )
        found[name] = SecretStr(url)
    return found
