"""A model's name: `scheme:model[@revision]`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alignrec.extractors.errors import ExtractorError


@dataclass(frozen=True)
class ModelName:
    """A model's name taken apart: `scheme:model[@revision]`.

    Attributes:
        full: the name as given.
        scheme: what decides the loader.
        model: what the loader reads: an id, a path, a package's model.
        revision: a Hub branch, tag or commit, or None.
    """

    full: str
    scheme: str
    model: str
    revision: str | None

    @classmethod
    def parse(cls, name: str) -> ModelName:
        """Take a name apart; an `@` inside the path of an existing folder is part of the path.

        Raises:
            ExtractorError: there is no scheme or no model.
        """
        scheme, colon, model = name.partition(":")
        if not colon or not model:
            raise ExtractorError(
                f"model name {name!r} has no scheme: write scheme:model, such as packaged:efficientnet-lite0 "
                "or transformers:google/siglip2-base-patch16-224"
            )
        revision: str | None = None
        if "@" in model and not Path(model.removeprefix("local-dir:")).exists():
            model, _, revision = model.rpartition("@")
            if not model or not revision:
                raise ExtractorError(f"model name {name!r}: expected a model before and a revision after '@'")
        return cls(name, scheme, model, revision)
