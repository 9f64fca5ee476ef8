"""What modalities tell of one another: numbers of held-out items, and whether there is anything to align."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alignrec.core.documents import DocumentError

# The key of `metrics.json`, and of a manifest, that they stand under.
ALIGNMENT: Final = "alignment"
DEFINITION: Final = (
    "what a modality tells of another by ridge regression between their principal components, fitted on four "
    "fifths of the items that have both and measured on the others: `explained`, the share of the wanted "
    "one's variance that is told; `found_1` and `found_10`, the share of items that are first, or among the "
    "first ten, of all held-out ones by cosine to what is told (by chance 1 and 10 in their number); the "
    "median rank (by chance the middle); `sure`, better than chance by three standard errors. Modalities "
    "that share a column of the items table are not compared. `every …`: all modalities of a kind together. "
    "`forms`: the same for what each form of the multimodal vector tells of a modality by all others, on a "
    "fifth of the items that it was not fitted on"
)

_Share = Annotated[float, Field(ge=0, le=1)]
_Name = Annotated[str, Field(min_length=1, max_length=200)]


class Direction(BaseModel):
    """What a modality tells of another.

    Attributes:
        given: the modality that is shown.
        wanted: the modality that is told.
        items: how many held-out items were looked for, each among all of them.
        explained: share of the wanted modality's variance that is told, at most 1; below 0 it misleads.
        found_1: share of the items that are found first.
        found_10: share of the items that are among the first ten.
        median_rank: the first is 1; half of the items by chance.
        sure: whether ranks are better than chance by three standard errors of it.
    """

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)

    given: _Name
    wanted: _Name
    items: int = Field(ge=1, lt=1 << 53)
    explained: float = Field(le=1)
    found_1: _Share
    found_10: _Share
    median_rank: float = Field(ge=1)
    sure: bool

    @property
    def chance_1(self) -> float:
        """`found_1` of whoever guesses."""
        return 1 / self.items

    @property
    def chance_10(self) -> float:
        """`found_10` of whoever guesses."""
        return min(1.0, 10 / self.items)

    @property
    def chance_rank(self) -> float:
        """The median rank of whoever guesses."""
        return (self.items + 1) / 2


class CrossView(BaseModel):
    """All directions of a catalogue.

    Attributes:
        sentence: whether the catalogue has anything to align, in words.
        directions: those between different kinds of content come first.
        forms: by the form of the multimodal vector, what it tells of each modality by all others, on items
            that it was not fitted on; a full evaluation measures it.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    sentence: Annotated[str, Field(min_length=1, max_length=1000)]
    directions: list[Direction]
    forms: dict[_Name, list[Direction]] = {}

    def record(self) -> dict[str, Any]:
        """What JSON can hold, numbers to six places."""
        found: dict[str, Any] = {"sentence": self.sentence, "directions": _records(self.directions)}
        if self.forms:
            found["forms"] = {name: _records(directions) for name, directions in self.forms.items()}
        return found

    @classmethod
    def parse(cls, value: Any) -> CrossView:
        """What `record` gave, from JSON values; keys it does not know are left aside.

        Raises:
            DocumentError: it is not of that form; the first fault is named.
        """
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join((ALIGNMENT, *map(str, first["loc"])))
            raise DocumentError(f"{place[:200]}: {first['msg'][:300]}") from None


def _records(directions: list[Direction]) -> list[dict[str, Any]]:
    return [
        {key: round(v, 6) if isinstance(v, float) else v for key, v in direction.model_dump().items()}
        for direction in directions
    ]
