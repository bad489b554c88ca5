"""Runs git, and turns its errors into messages of one line."""

import subprocess
from pathlib import Path

from pipeline.config import git_environment
from pipeline.domain.errors import PublishError
from pipeline.domain.urls import without_userinfo

TIMEOUT_S = 60.0
TRANSFER_TIMEOUT_S = 180.0
"""For a push or a fetch. Chosen, not measured."""
COMMITTER_EMAIL = "copydesk@copydesk.invalid"
_COMMITTER = {"GIT_COMMITTER_NAME": "Copydesk", "GIT_COMMITTER_EMAIL": COMMITTER_EMAIL}
_LITERAL = {"GIT_LITERAL_PATHSPECS": "1"}


class Git:
    """Runs git in one folder; `more` is added to its environment."""

    def __init__(self, folder: Path, **more: str) -> None:
        self.folder = folder
        self._environ = {**git_environment(), **_LITERAL, **_COMMITTER, **more}

    def with_environment(self, **more: str) -> "Git":
        """Return a copy with more variables in its environment."""
        changed = Git(self.folder)
        changed._environ = {**self._environ, **more}
        return changed

    def __call__(self, *arguments: str, stdin: bytes = b"", seconds: float = TIMEOUT_S) -> bytes:
        """Return the output of git. Raises PublishError with its error text where it fails."""
        result = self.run(*arguments, stdin=stdin, seconds=seconds)
        if result.returncode:
            raise PublishError(f"{self.folder}: git {arguments[0]} failed: {error_text(result.stderr)}")
        return result.stdout

    def line(self, *arguments: str, stdin: bytes = b"") -> str:
        """Return the one line of output. Raises PublishError where git fails."""
        return self(*arguments, stdin=stdin).decode("utf-8", "surrogateescape").rstrip("\n")

    def optional_line(self, *arguments: str) -> str | None:
        """Return the one line of output, None where git fails."""
        result = self.run(*arguments)
        printed = result.stdout.decode("utf-8", "surrogateescape").rstrip("\n")
        return None if result.returncode else printed

    def succeeds(self, *arguments: str) -> bool:
        """Return whether git succeeds."""
        return self.run(*arguments).returncode == 0

    def run(
        self, *arguments: str, stdin: bytes = b"", seconds: float = TIMEOUT_S
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run git and return its result, also a failure. Raises PublishError where it is missing or hangs."""
        command = ["git", *arguments]
        try:
            return subprocess.run(  # noqa: S603 - a list, no shell
                command, input=stdin, capture_output=True, cwd=self.folder, env=self._environ, timeout=seconds
            )
        except FileNotFoundError as error:
            missing = (
                "git is not installed; install it"
                if self.folder.is_dir()
                else f"{self.folder} does not exist"
            )
            raise PublishError(f"{missing}, or correct the target in feeds.yaml") from error
        except subprocess.TimeoutExpired as error:
            late = f"{self.folder}: git {arguments[0]} was stopped after {seconds:g} s"
            raise PublishError(f"{late}; look whether it waits for a password or a lock") from error
        except OSError as error:
            raise PublishError(f"{self.folder}: git cannot be started ({error.strerror})") from error


def error_text(stderr: bytes) -> str:
    """Return git's error output as one line of at most 300 characters, without passwords in URLs."""
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines()]
    relevant = [line for line in lines if line and not line.startswith("hint:")]
    joined = " ".join(without_userinfo("; ".join(relevant[:3])).split())
    return joined[:300] or "it gave no reason"
