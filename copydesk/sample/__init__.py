"""The sample beat: bundled feeds, served on loopback, with a separate database.

A run on it needs no configuration and uses the same code as any run: HTTP, parsing, database, drafting.
"""

import contextlib
import os
from collections.abc import Iterator

from copydesk.sample.server import PORT, SampleServer, write_subscriptions
from pipeline.config import base_folder
from pipeline.domain.errors import ConfigError

_active: list[bool] = []


def is_sample() -> bool:
    """Return whether this process works on the sample beat."""
    return bool(_active)


def use_sample() -> None:
    """Set feeds, database and Prefect's folder to the sample's; drafts go to output/. Raises ConfigError."""
    folder = base_folder() / ".copydesk" / "sample"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{folder}: {error.strerror}; the sample's database is stored there: make the folder writable",
            path=folder,
        ) from error
    subscriptions = folder / "feeds.yaml"
    if not os.path.lexists(subscriptions):
        write_subscriptions(folder, PORT)
    os.environ["COPYDESK_FEEDS"] = str(subscriptions)
    os.environ["COPYDESK_DATABASE_URL"] = f"sqlite:///{folder / 'ledger.db'}"
    os.environ["PREFECT_HOME"] = str(folder / "prefect")
    _active.append(True)


@contextlib.contextmanager
def serve_sample_feeds() -> Iterator[None]:
    """Serve the sample's feeds within the context; does nothing for the operator's own feeds."""
    if not is_sample():
        yield
        return
    with SampleServer() as server:
        write_subscriptions(base_folder() / ".copydesk" / "sample", server.port)
        os.environ["COPYDESK_ALLOW_HOSTS"] = f"127.0.0.1:{server.port}"
        yield
