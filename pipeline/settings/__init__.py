"""The only reader of the environment, of `.env` and of feeds.yaml; everything else is handed its settings."""

from pipeline.settings.days import parse_day
from pipeline.settings.environment import VARIABLES, Settings, load_settings
from pipeline.settings.feedsfile import Subscriptions, load_feeds

__all__ = ["VARIABLES", "Settings", "Subscriptions", "load_feeds", "load_settings", "parse_day"]
