"""A picture and a text of one item, for models that read both at once."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image


@dataclass(frozen=True, eq=False)
class Pair:
    """What an item has of the two; at least one.

    Attributes:
        picture: RGB, upright, or None.
        text: cleaned, or None.
    """

    picture: Image.Image | None
    text: str | None

    def __post_init__(self) -> None:
        """Refuse an item of neither."""
        if self.picture is None and self.text is None:
            raise ValueError("a pair needs a picture or a text")

    @classmethod
    def of(cls, value: Image.Image | str | Pair) -> Pair:
        """A picture or a text without the other; a pair as it is."""
        if isinstance(value, Pair):
            return value
        return cls(None, value) if isinstance(value, str) else cls(value, None)
