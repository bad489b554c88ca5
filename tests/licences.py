"""Check the licences of every package in requirements.lock; `make check` runs it.

A licence is read from the installed package: `License-Expression` (PEP 639), then classifiers, then the
`License` field. Packages of the lock that this platform does not install are not checked.
"""

import importlib.metadata
import re
import sys
from collections.abc import Container, Iterable, Iterator
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements.lock"
ALLOWED = (
    "mit",
    "bsd",
    "apache",
    "psf",
    "python software foundation",
    "mpl",
    "mozilla public",
    "lgpl",
    "isc",
)
"""Permissive licences, and two that bind only changes of the package itself (MPL, LGPL)."""
EXCEPTIONS = {
    "pelican": "AGPL: a site generator that a test runs as an operator would; Copydesk does not import it",
    "unidecode": "GPL: a dependency of pelican alone",
    "text-unidecode": "Artistic License or GPL, at the user's choice",
    "docutils": "public domain, BSD and GPL by file; a dependency of pelican and rich-rst",
    "httpx-aiohttp": "BSD-3-Clause, given as its text",
}


def locked(text: str) -> list[str]:
    """Return the names of the packages that a lock file pins."""
    return re.findall(r"^([A-Za-z0-9_.-]+)==", text, re.MULTILINE)


def is_allowed(licence: str) -> bool:
    """Tell whether an SPDX expression or the name of a licence is allowed: each `AND` part, one `OR` part."""
    parts = re.split(r"\s+AND\s+", licence)
    return all(any(_is_one(choice) for choice in re.split(r"\s+OR\s+", part)) for part in parts)


def _is_one(name: str) -> bool:
    lowered = name.lower().strip("() ")
    return lowered == "cnri-python" or any(re.search(rf"\b{word}", lowered) for word in ALLOWED)


def licences_of(package: str) -> list[str]:
    """Return the licences that a package's metadata names. Raises PackageNotFoundError."""
    metadata = importlib.metadata.metadata(package)
    if expressions := metadata.get_all("License-Expression"):
        return expressions
    classifiers = metadata.get_all("Classifier") or []
    named = [line.rpartition("::")[2].strip() for line in classifiers if line.startswith("License ::")]
    return named or [line.splitlines()[0] for line in metadata.get_all("License") or ["no licence named"]]


def refused(packages: Iterable[str], exceptions: Container[str] = EXCEPTIONS) -> Iterator[str]:
    """Yield a line for each installed package with a licence that is not allowed."""
    for package in packages:
        try:
            licences = licences_of(package)
        except importlib.metadata.PackageNotFoundError:
            continue
        if package not in exceptions and not all(is_allowed(licence) for licence in licences):
            yield f"{package}: {', '.join(licences)}"


if __name__ == "__main__":
    lines = list(refused(locked(LOCK.read_text())))
    sys.exit("Licences that are not allowed (tests/licences.py):\n" + "\n".join(lines) if lines else 0)
