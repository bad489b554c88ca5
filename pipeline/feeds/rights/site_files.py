"""Reads what the files of a site declare for one of its URLs: robots.txt and tdmrep.json. Pure, linear time.

robots.txt: RFC 9309, `Content-Usage` (draft-ietf-aipref-attach), `Content-Signal` (contentsignals.org),
`License` (RSL 1.0, section 4.4). tdmrep.json: the W3C community group's "TDM Reservation Protocol"
(www.w3.org/community/reports/tdmrep/), a right under Directive (EU) 2019/790.
"""

import json
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from pipeline.domain.models import FrozenModel
from pipeline.feeds.rights.declaration import AGENT, Declaration, tdm_value
from pipeline.feeds.rights.directives import refused_use

_USAGE_RULES = {"content-usage": "Content-Usage", "content-signal": "Content-Signal"}
_MAX_RULES = 500
"""Rules of a file that are read: each is compared with the URL of each item. Chosen, not measured."""
_MAX_STARS = 20
"""Stars of a pattern; one with more matches nothing. Chosen, not measured."""


class UsageRule(NamedTuple):
    """A line of robots.txt about the use of pages."""

    name: str
    pattern: str
    value: str


class RobotsUsage(NamedTuple):
    """What robots.txt says about the use of pages, as far as it concerns this crawler."""

    rules: tuple[UsageRule, ...] = ()
    licenses: tuple[str, ...] = ()


class RobotsLines(NamedTuple):
    """The lines of a group of robots.txt, as they are read."""

    rules: list[UsageRule]
    licenses: list[str]


class TdmRule(FrozenModel):
    """A rule of tdmrep.json."""

    pattern: str
    reserved: bool | None


def path_matches(pattern: str, url: str) -> bool:
    """Return whether a pattern of robots.txt (`*`, `$` at the end) matches the path and query of a URL."""
    if pattern.count("*") > _MAX_STARS:
        return False
    parts = urlsplit(url)
    path = unquote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""))
    anchored = pattern.endswith("$")
    first, *rest = unquote(pattern.removesuffix("$")).split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    last = rest.pop() if rest and anchored else None
    for piece in rest:
        at = path.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    if last is not None:
        return path.endswith(last) and len(path) - len(last) >= at
    return not anchored or at == len(path)


def parse_usage(text: str) -> RobotsUsage:
    """Return the rules and licences of a robots.txt that apply to this crawler.

    The lines of its own group count, else those of the group `*`; of each kind, lines before all groups count
    only where the group has none.
    """
    before, naming = RobotsLines([], []), False
    groups: dict[str, RobotsLines] = {}
    current = [before]
    for line in text.splitlines():
        name, _, value = line.partition("#")[0].partition(":")
        name, value = name.strip().lower(), value.strip()
        if name == "user-agent":
            current = current if naming else []
            if value.lower() in (AGENT.lower(), "*"):
                current.append(groups.setdefault(value.lower(), RobotsLines([], [])))
        else:
            for lines in current:
                _add_line(lines, name, value)
        if name:
            naming = name == "user-agent"
    group = groups.get(AGENT.lower(), groups.get("*", RobotsLines([], [])))
    named = {rule.name for rule in group.rules}
    inherited = (rule for rule in before.rules if rule.name not in named)
    return RobotsUsage((*inherited, *group.rules), tuple(group.licenses or before.licenses))


def _add_line(lines: RobotsLines, name: str, value: str) -> None:
    if len(lines.rules) + len(lines.licenses) >= _MAX_RULES:
        return
    if name == "license" and value:
        lines.licenses.append(value)
    elif name in _USAGE_RULES:
        path, _, rest = value.partition(" ") if value.startswith("/") else ("/", "", value)
        lines.rules.append(UsageRule(_USAGE_RULES[name], path, rest))


def declared_in_robots(usage: RobotsUsage, url: str) -> Declaration:
    """Return what a robots.txt declares for a URL: of each name the rules with the longest matching path."""
    refusals = []
    for name in _USAGE_RULES.values():
        rules = [rule for rule in usage.rules if rule.name == name and path_matches(rule.pattern, url)]
        longest = max((len(rule.pattern) for rule in rules), default=0)
        stated = ",".join(rule.value for rule in rules if len(rule.pattern) == longest)
        refusals += [f"{name}: {use}"] if (use := refused_use(stated)) else []
    return Declaration(place="robots.txt", refusals=tuple(refusals), licenses=usage.licenses)


def parse_tdmrep(body: bytes) -> tuple[TdmRule, ...]:
    """Return the rules of a tdmrep.json, none if it cannot be read."""
    try:
        rules = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    return tuple(
        TdmRule(pattern=rule["location"], reserved=tdm_value(str(rule.get("tdm-reservation"))))
        for rule in (rules[:_MAX_RULES] if isinstance(rules, list) else ())
        if isinstance(rule, dict) and isinstance(rule.get("location"), str)
    )


def declared_in_tdmrep(rules: tuple[TdmRule, ...], url: str) -> Declaration:
    """Return what a tdmrep.json declares for a URL; the first rule that matches counts."""
    matching = (rule.reserved for rule in rules if path_matches(rule.pattern, url))
    return Declaration(place="its site's tdmrep.json", tdm=next(matching, None))
