"""A new project in a temporary folder, and the real command line in its own process."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, overload
from urllib.parse import urlsplit

import yaml

from pipeline.rewrite.prompt_files import PACKAGED

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Project:
    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    @classmethod
    def create(cls, folder: Path, feeds: dict[str, str], **limits: Any) -> "Project":
        """Lay out feeds.yaml and the prompts; the environment holds nothing of this machine's settings."""
        folder.mkdir(parents=True)
        shutil.copytree(PACKAGED, folder / "prompts")
        project = cls(folder)
        home = folder / "home"
        home.mkdir()
        inherited = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
        project.environ = inherited | {
            "HOME": str(home),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "COPYDESK_EDITOR": "Ada",
            "COLUMNS": "200",
        }
        project.subscribe(feeds, **limits)
        return project

    def subscribe(self, feeds: dict[str, str], **limits: Any) -> None:
        own = {"beat": "crypto", "max_age_days": None, "min_chars": 0, "full_text": "never"}
        defaults = own | limits
        places = {urlsplit(url).netloc for url in feeds.values() if "127.0.0.1" in url}
        self.environ["COPYDESK_ALLOW_HOSTS"] = ",".join(sorted(places))
        listed = [
            {"key": key, "name": key.title(), "url": url, "category": "BTC"} for key, url in feeds.items()
        ]
        beats = {"crypto": {"market": "crypto market", "vocabulary": ["BTC", "MARKET"]}}
        content = {"defaults": defaults, "beats": beats, "feeds": listed}
        (self.folder / "feeds.yaml").write_text(yaml.safe_dump(content, sort_keys=False))

    def drafts(self) -> list[Path]:
        return sorted((self.folder / "output/drafts").rglob("*.md"))


@overload
def run_copydesk(
    project: Project, *arguments: str, wait: Literal[True] = True
) -> "subprocess.CompletedProcess[str]": ...
@overload
def run_copydesk(project: Project, *arguments: str, wait: Literal[False]) -> "subprocess.Popen[str]": ...
def run_copydesk(project: Project, *arguments: str, wait: bool = True) -> Any:
    """Call the command line as a user would; without `wait`, in a process group that can be killed."""
    command = [sys.executable, "-m", "copydesk", *arguments]
    if wait:
        return subprocess.run(
            command, cwd=project.folder, env=project.environ, text=True, capture_output=True, timeout=600
        )
    return subprocess.Popen(
        command,
        cwd=project.folder,
        env=project.environ,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # Whoever runs the tests in the background has interrupts ignored, and so would this process.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
