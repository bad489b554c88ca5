"""Looks at targets without sending anything: what would be in the way of an article."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from pipeline.publish import hooks as deploy
from pipeline.publish import places
from pipeline.settings import HookTarget, Target


def examine(root: Path, target: Target, hooks: Mapping[str, SecretStr]) -> str:
    """Say where a target's articles go. Raises PublishError where they cannot."""
    if isinstance(target, HookTarget):
        return deploy.examine(hooks, target)
    return places.examine(root, target)
