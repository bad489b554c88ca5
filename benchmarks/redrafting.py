"""How long an editor waits for a rewritten section, from the request at the desk to the new file.

    python benchmarks/redrafting.py [--sections 10] [--latency 0.2]

`copydesk serve --desk` with Prefect's server, on loopback; a model server in this process answers each
request after a fixed time. The first request comes right after the start.
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import yaml
from machines import waited

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pipeline.articles.files import sha256_of  # noqa: E402
from pipeline.config import Settings  # noqa: E402
from tests.fakes.model_server import ModelServer, completion  # noqa: E402
from tests.fakes.stock import TOKEN, fill, layout  # noqa: E402

_PATIENCE_S = 120.0


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sections", type=int, default=10)
    parser.add_argument("--latency", type=float, default=0.2)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        ModelServer(latency_s=arguments.latency) as model,
    ):
        settings = layout(Path(folder))
        config = yaml.safe_load(settings.feeds_file.read_text())
        config["defaults"] |= {"schedule": "never"}
        settings.feeds_file.write_text(yaml.safe_dump(config))
        refs = fill(settings, arguments.sections, faults=False)
        with serving(settings, model) as desk:
            seconds = [rewritten(settings, model, desk, ref) for ref in refs]
    first, *later = seconds
    print("seconds from the request to the new file, of which the model takes", arguments.latency)
    print(f"first\t{first:.2f}")
    print(f"median of {len(later)} more\t{statistics.median(later):.2f}")
    print(f"longest of them\t{max(later):.2f}")
    return 0


def rewritten(settings: Settings, model: ModelServer, desk: httpx.Client, ref: str) -> float:
    """Request a rewrite of a draft's first section; return the seconds until its file is another."""
    [path] = settings.output.glob(f"drafts/**/*-{ref[:8]}.md")
    before = sha256_of(path.read_bytes())
    model.enqueue(completion(json.dumps({"text": "The section says something else now."})))
    begun = time.perf_counter()
    answer = desk.post(f"/drafts/{ref}/redraft", data={"section": "Overview"})
    assert answer.status_code == 200, answer.text
    while sha256_of(path.read_bytes()) == before:
        if time.perf_counter() - begun > _PATIENCE_S:
            raise SystemExit(f"no rewrite in {_PATIENCE_S:.0f} s")
        time.sleep(0.01)
    return time.perf_counter() - begun


@contextmanager
def serving(settings: Settings, model: ModelServer) -> Iterator[httpx.Client]:
    """Serve a project with a desk; yields a client that is signed in."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environ = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(settings.base),
        "COPYDESK_DESK_TOKEN": TOKEN, "COPYDESK_MODEL": "m", "OPENAI_BASE_URL": model.base_url,
        "COPYDESK_ALLOW_HOSTS": urlsplit(model.base_url).netloc,
    }  # fmt: skip
    log = settings.base / "serve.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "copydesk", "serve", "--desk", "--port", str(port)],
            cwd=settings.base, env=environ, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        waited(lambda: "Ctrl-C stops the server" in log.read_text(encoding="utf-8"), _PATIENCE_S, "serve")
        with httpx.Client(base_url=url, headers={"Origin": url}, follow_redirects=True) as desk:
            desk.get("/", params={"token": TOKEN})
            desk.post("/name", data={"name": "Ada", "next": "/"})
            yield desk
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(_PATIENCE_S)


if __name__ == "__main__":
    sys.exit(main())
