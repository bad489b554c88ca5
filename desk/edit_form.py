"""The form of the editor page, as it is sent."""

from typing import NamedTuple

from pydantic import ValidationError
from starlette.datastructures import FormData

from desk.context import DraftView
from desk.routes import covers
from pipeline.articles.article import Sentiment
from pipeline.domain.errors import ReviewError
from pipeline.services.edit import DraftEdit

_FIELDS = (
    "title", "description", "category", "sentiment", "sticky_weight", "cover",
    "base", "form", "then",
)  # fmt: skip
_MAX_FORM_ID_CHARS = 40
_CHOICE = "choice-"


class EditForm(NamedTuple):
    """The submitted form."""

    fields: dict[str, str]
    tags: tuple[str, ...]
    body: str
    described: str | None
    """The description that the form was rendered with; None: the form does not say."""
    alt: str | None
    """The alt text of the cover; None: the form has no field for it."""
    choices: dict[str, str]
    """What the editor decided on conflicts: the text by the key of the conflict."""

    @property
    def description(self) -> str | None:
        """The description that the editor wrote; None: the editor did not change it."""
        description = self.fields["description"]
        touched = self.described is None or description.split() != self.described.split()
        return description if touched else None

    @property
    def base(self) -> str:
        """Hash of the text that the form was rendered with."""
        return self.fields["base"]

    @property
    def form_id(self) -> str:
        """Id of the editor page that sent the form; empty if it has none."""
        return self.fields["form"][:_MAX_FORM_ID_CHARS]

    @property
    def then(self) -> str:
        """What follows the save: approve, covers, done (back to the draft), aside, or nothing."""
        return self.fields["then"]


def read_form(form: FormData) -> EditForm:
    """Return the fields of a sent form."""
    fields = {name: plain(form.get(name)) for name in _FIELDS}
    described = plain(form["described"]) if "described" in form else None
    alt = plain(form["alt"]) if "alt" in form else None
    tags = tuple(str(tag) for tag in form.getlist("tags"))
    return EditForm(fields, tags, plain(form.get("body")), described, alt, _choices(form))


def plain(value: object) -> str:
    """Return a form's value with LF line ends and without NUL: a file with one would be decoded as UTF-16."""
    return str(value or "").replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")


def _choices(form: FormData) -> dict[str, str]:
    """Return the chosen texts: `choice-KEY` has the text behind a letter, or "own" for that in `own-KEY`."""
    choices: dict[str, str] = {}
    for name, value in form.items():
        key, chosen = name.removeprefix(_CHOICE), plain(value)
        if name.startswith(_CHOICE):
            choices[key] = plain(form.get(f"own-{key}")) if chosen == "own" else chosen[1:]
    return choices


def draft_edit(view: DraftView, form: EditForm) -> DraftEdit:
    """Return the form's edit. Raises ReviewError for an invalid field."""
    fields = form.fields
    weight = fields["sticky_weight"].strip() or "0"
    if not weight.removeprefix("-").isdecimal() or len(weight) > 6:
        raise ReviewError("the sticky weight is not a whole number; write 0 for none", field="sticky_weight")
    try:
        return DraftEdit(
            title=fields["title"],
            description=form.description,
            category=fields["category"],
            tags=form.tags,
            sentiment=Sentiment(fields["sentiment"]),
            sticky_weight=int(weight),
            body=form.body,
            cover=covers.selected_cover(view, fields["cover"]),
            alt=form.alt,
        )
    except (ValidationError, ValueError) as error:
        raise ReviewError("the form is incomplete; load the page again", field="sentiment") from error


def valid_part(view: DraftView, form: EditForm) -> DraftEdit:
    """Return the form's edit, with defaults in the place of invalid fields."""
    try:
        return draft_edit(view, form)
    except ReviewError:
        defaults = {"sticky_weight": "0", "sentiment": Sentiment.NEUTRAL.value}
        return draft_edit(view, form._replace(fields=form.fields | defaults))
