"""`copydesk prompt copy`: copies packaged prompts to the operator's folder, to change them there."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from copydesk.console import print_json, print_line, printable
from pipeline.articles.files import write_atomically
from pipeline.config import load_settings
from pipeline.config.yaml_source import closest_match
from pipeline.domain.errors import ConfigError
from pipeline.rewrite.prompt import load_prompt
from pipeline.rewrite.prompt_files import PACKAGED, template_names


def copy(names: Sequence[str], *, as_json: bool) -> None:
    """Copy packaged prompts and their examples, without overwriting. Raises ConfigError, OutputError."""
    settings = load_settings()
    written: dict[Path, bool] = {}
    for path in dict.fromkeys(path for name in names for path in _files(name)):
        relative = path.relative_to(PACKAGED).as_posix()
        target = settings.prompts / relative
        written[target] = not os.path.lexists(target)
        if written[target]:
            write_atomically(settings.prompts, relative, path.read_bytes())
    if as_json:
        print_json([{"file": str(file), "written": is_new} for file, is_new in written.items()])
        return
    for file, is_new in written.items():
        print_line(f"{printable(file)} {'written' if is_new else 'is there already: not changed'}")


def _files(name: str) -> Iterator[Path]:
    """Yield the files of a packaged prompt. Raises ConfigError if there is none of that name."""
    names = template_names(PACKAGED)
    if name not in names:
        hint = closest_match(name, names) or f"use one of: {', '.join(names)}"
        raise ConfigError(f"no packaged prompt is called {name}; {hint}", prompt=name)
    prompt = load_prompt(PACKAGED, name)
    yield prompt.path
    yield from (example.path for example in prompt.examples)
