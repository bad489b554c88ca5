"""The newsroom folder: the current one, with feeds.yaml, .env, prompts/, the database and output/."""

import os
from collections.abc import Callable

from pipeline.config.settings import Settings, load_settings, require_output_folder
from pipeline.domain.errors import ConfigError


def desk_settings(load: Callable[[], Settings] = load_settings) -> Settings:
    """Return the settings for work on drafts, as `load` returns them.

    Raises ConfigError where this machine writes none, and in a folder that is no newsroom's.
    """
    settings = folder_settings(load)
    require_output_folder(settings)
    return settings


def folder_settings(load: Callable[[], Settings] = load_settings) -> Settings:
    """Return the settings for work on a database. Raises ConfigError in a folder that is no newsroom's."""
    settings = load()
    require_folder(settings)
    return settings


def require_folder(settings: Settings) -> None:
    """Raise ConfigError if there is neither feeds.yaml nor a database: a new, empty one would be created."""
    if not os.path.lexists(settings.feeds_file) and not _has_database(settings.database_url):
        raise ConfigError(
            f"{settings.base} has neither {settings.feeds_file.name} nor a database; run this in your "
            "newsroom folder, or start one with `copydesk init`",
            file=str(settings.feeds_file),
            missing=True,
        )


def _has_database(url: str) -> bool:
    """Return whether a SQLite file exists; of a server the database itself says so."""
    scheme, _, path = url.partition(":///")
    return scheme != "sqlite" or path.startswith("file:") or os.path.lexists(path.partition("?")[0])
