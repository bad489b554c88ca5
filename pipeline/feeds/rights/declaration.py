"""What one place declares about the use of texts, and the decision over all places. Pure."""

from collections.abc import Iterable

from pipeline.domain.models import FrozenModel

AGENT = "Copydesk"
"""The product token of this crawler in robots.txt and robots directives."""
HEADERS = "its HTTP headers"
"""Name of the place that response headers are."""
_RESERVED = "reserved by its publisher: "


class Declaration(FrozenModel):
    """What one place declares: a header set, a page, a feed, a file of the site."""

    place: str = ""
    """Such as `robots.txt`, as it is named to the user."""
    tdm: bool | None = None
    """TDMRep: True, reserved; False, not reserved; None, not declared here."""
    refusals: tuple[str, ...] = ()
    """What forbids our use, as written, such as `noai`."""
    licenses: tuple[str, ...] = ()
    """URLs of RSL licences."""


def reservation(declarations: Iterable[Declaration]) -> str | None:
    """Return what reserves a text, None if nothing does; the declarations come from broad to specific.

    Any refusal counts. A TDM reservation is superseded by a later declaration. Source: "TDM Reservation
    Protocol", section "Processing priority".
    """
    tdm: Declaration | None = None
    for each in declarations:
        if each.refusals:
            return f"{each.refusals[0]} in {each.place}"
        if each.tdm is not None:
            tdm = each
    return f"tdm-reservation: 1 in {tdm.place}" if tdm and tdm.tdm else None


def reserved_reason(what: str) -> str:
    """Return the reason for skipping an item, for what `reservation` returned."""
    return _RESERVED + what


def is_reserved(reason: str) -> bool:
    """Return whether a stored reason or message is that of a reserved text."""
    return _RESERVED in reason


def tdm_value(values: str) -> bool | None:
    """Return a `tdm-reservation`, of several (with commas) the strictest; only 0 and 1 declare anything."""
    parts = {part.strip() for part in values.split(",")}
    return True if "1" in parts else False if "0" in parts else None
