"""Calls git as a program: arguments in lists, nobody asked for anything, its words turned into one line."""

import re
import subprocess
from pathlib import Path

from pipeline.errors import PublishError
from pipeline.settings import git_environment

SECONDS = 60.0
PUSH_SECONDS = 180.0
_OURSELVES = {"GIT_COMMITTER_NAME": "Copydesk", "GIT_COMMITTER_EMAIL": "copydesk@copydesk.invalid"}
_LITERAL = {"GIT_LITERAL_PATHSPECS": "1"}
_PASSWORD = re.compile(r"//[^/@\s]+@")


class Git:
    """git in one folder; `more` is added to its environment."""

    def __init__(self, folder: Path, **more: str) -> None:
        self.folder = folder
        self._environ = {**git_environment(), **_LITERAL, **_OURSELVES, **more}

    def having(self, **more: str) -> "Git":
        """Return git in the same folder with more in its environment."""
        again = Git(self.folder)
        again._environ = {**self._environ, **more}
        return again

    def __call__(self, *arguments: str, given: bytes = b"", seconds: float = SECONDS) -> bytes:
        """Return what git printed. Raises PublishError with what it complained of."""
        ended = self.run(*arguments, given=given, seconds=seconds)
        if ended.returncode:
            raise PublishError(f"{self.folder}: git {arguments[0]} failed: {said(ended.stderr)}")
        return ended.stdout

    def line(self, *arguments: str, given: bytes = b"") -> str:
        """Return the one line that git printed."""
        return self(*arguments, given=given).decode("utf-8", "surrogateescape").rstrip("\n")

    def asked(self, *arguments: str) -> str | None:
        """Return the one line that git printed, None where it says no."""
        ended = self.run(*arguments)
        printed = ended.stdout.decode("utf-8", "surrogateescape").rstrip("\n")
        return None if ended.returncode else printed

    def run(
        self, *arguments: str, given: bytes = b"", seconds: float = SECONDS
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run git to its end, whatever it says. Raises PublishError where it is missing or hangs."""
        command = ["git", *arguments]
        try:
            return subprocess.run(  # noqa: S603 - a list, no shell
                command, input=given, capture_output=True, cwd=self.folder, env=self._environ, timeout=seconds
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


def said(stderr: bytes) -> str:
    """Return git's complaint as one line, without anybody's password."""
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines()]
    told = [line for line in lines if line and not line.startswith("hint:")]
    joined = " ".join(_PASSWORD.sub("//", "; ".join(told[:3])).split())
    return joined[:300] or "it gave no reason"
