"""The only reader of the environment, of `.env` and of feeds.yaml; everything else is handed its settings."""

from pipeline.settings.days import day_start, month_start, parse_day
from pipeline.settings.environment import (
    VARIABLES,
    Settings,
    bare_environment,
    base_folder,
    load_settings,
    user_agent,
)
from pipeline.settings.feedsfile import Subscriptions, chosen, load_feeds

__all__ = [
    "VARIABLES",
    "Settings",
    "Subscriptions",
    "bare_environment",
    "base_folder",
    "chosen",
    "day_start",
    "load_feeds",
    "load_settings",
    "month_start",
    "parse_day",
    "user_agent",
]
