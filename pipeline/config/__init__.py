"""Reads the environment, `.env` and feeds.yaml; all other packages get their settings as arguments."""

from pipeline.config.env_values import disable_telemetry, git_environment, minimal_environment
from pipeline.config.feeds_yaml import Subscriptions, load_feeds, select_feeds
from pipeline.config.publish_targets import FeedTarget, FolderTarget, GitTarget, HookTarget, Target
from pipeline.config.settings import (
    VARIABLES,
    Settings,
    base_folder,
    desk_settings,
    load_settings,
    require_output_folder,
    require_prefect,
    require_user_secret,
    user_agent,
)
from pipeline.config.time_syntax import day_start, jitter_s, month_start, parse_day, parse_span, span

__all__ = [
    "VARIABLES",
    "FeedTarget",
    "FolderTarget",
    "GitTarget",
    "HookTarget",
    "Settings",
    "Subscriptions",
    "Target",
    "base_folder",
    "day_start",
    "desk_settings",
    "disable_telemetry",
    "git_environment",
    "jitter_s",
    "load_feeds",
    "load_settings",
    "minimal_environment",
    "month_start",
    "parse_day",
    "parse_span",
    "require_output_folder",
    "require_prefect",
    "require_user_secret",
    "select_feeds",
    "span",
    "user_agent",
]
