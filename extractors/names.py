"""A model's name: `scheme:model[@revision]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePath

from alignrec.extractors.errors import ExtractorError

# Two letters or more, so that the drive of a Windows path is none.
_WAY = re.compile(r"((?:[a-z][a-z-]+:)?)(.*)", re.DOTALL)


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
        if "@" in model and not Path(split_way(model)[1]).exists():
            model, _, revision = model.rpartition("@")
            if not model or not revision:
                raise ExtractorError(f"model name {name!r}: expected a model before and a revision after '@'")
        return cls(name, scheme, model, revision)


def split_way(model: str) -> tuple[str, str]:
    """What stands before a path and says how it is read, and the path: `mean:` and `a/b` of `mean:a/b`.

    The first is "" where there is no such thing.
    """
    match = _WAY.fullmatch(model)
    assert match is not None
    return match[1], match[2]


def public_name(name: str) -> str:
    """A model's name without the folders that a local one lies in; other names as they are."""
    scheme, colon, model = name.partition(":")
    way, path = split_way(model)
    local = PurePath(path)
    return f"{scheme}{colon}{way}{local.name}" if local.is_absolute() else name
