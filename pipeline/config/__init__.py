"""Reads the environment, `.env` and feeds.yaml; all other packages get their settings as arguments."""

from pipeline.config.env_values import (
    ListenAddress,
    disable_telemetry,
    git_environment,
    minimal_environment,
)
from pipeline.config.feed_access import feed_credentials, feed_secrets, split_login
from pipeline.config.feeds_yaml import Subscriptions, load_feeds, select_feeds
from pipeline.config.folder import desk_settings, folder_settings, require_folder
from pipeline.config.model_connection import (
    DEFAULT_NAMES,
    OPENAI_URL,
    ConnectionNames,
    ModelConnection,
    connection_named,
    has_writer,
    profile_secrets,
    require_secrets,
    used_profiles,
    used_verifiers,
    verifier_of,
)
from pipeline.config.model_profiles import ModelProfile
from pipeline.config.publish_targets import FeedTarget, FolderTarget, GitTarget, HookTarget, Target
from pipeline.config.settings import (
    VARIABLES,
    Settings,
    base_folder,
    load_settings,
    own_version,
    require_output_folder,
    require_prefect,
    require_user_secret,
    user_agent,
)
from pipeline.config.time_syntax import day_start, jitter_s, month_start, parse_day, parse_span, span

__all__ = [
    "DEFAULT_NAMES",
    "OPENAI_URL",
    "VARIABLES",
    "ConnectionNames",
    "FeedTarget",
    "FolderTarget",
    "GitTarget",
    "HookTarget",
    "ListenAddress",
    "ModelConnection",
    "ModelProfile",
    "Settings",
    "Subscriptions",
    "Target",
    "base_folder",
    "connection_named",
    "day_start",
    "desk_settings",
    "disable_telemetry",
    "feed_credentials",
    "feed_secrets",
    "folder_settings",
    "git_environment",
    "has_writer",
    "jitter_s",
    "load_feeds",
    "load_settings",
    "minimal_environment",
    "month_start",
    "own_version",
    "parse_day",
    "parse_span",
    "profile_secrets",
    "require_folder",
    "require_output_folder",
    "require_prefect",
    "require_secrets",
    "require_user_secret",
    "select_feeds",
    "span",
    "split_login",
    "used_profiles",
    "used_verifiers",
    "user_agent",
    "verifier_of",
]
