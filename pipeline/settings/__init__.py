"""The only reader of the environment, of `.env` and of feeds.yaml; everything else is handed its settings."""

from pipeline.settings.days import day_start, month_start, parse_day
from pipeline.settings.environment import (
    VARIABLES,
    Settings,
    bare_environment,
    base_folder,
    git_environment,
    load_settings,
    user_agent,
)
from pipeline.settings.feedsfile import Subscriptions, chosen, load_feeds
from pipeline.settings.targets import FeedTarget, FolderTarget, GitTarget, HookTarget, Target

__all__ = [
    "VARIABLES",
    "FeedTarget",
    "FolderTarget",
    "GitTarget",
    "HookTarget",
    "Settings",
    "Subscriptions",
    "Target",
    "bare_environment",
    "base_folder",
    "chosen",
    "day_start",
    "git_environment",
    "load_feeds",
    "load_settings",
    "month_start",
    "parse_day",
    "user_agent",
]
