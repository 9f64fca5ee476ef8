"""A folder as sentence-transformers saves it: which modules it has, in which order, and where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter

from alignrec.core.documents import DocumentError, parse_as, read_bytes
from alignrec.core.names import OutsideError, inside
from alignrec.extractors.errors import ExtractorError

MODULES = "modules.json"
# What may follow the pooling; of these, those with weights of their own.
LAYERS = ("Dense", "Dropout", "LayerNorm", "Normalize")
WEIGHTED = ("Dense", "LayerNorm")
_KINDS = ("Transformer", "Pooling", *LAYERS)
T = TypeVar("T")


class _Entry(BaseModel, extra="forbid"):
    """One entry of `modules.json`; the order of the list counts, `kwargs` concerns callers of `encode`."""

    type: str
    path: str
    idx: Any = None
    name: Any = None
    kwargs: Any = None


_OBJECT, _ENTRIES = TypeAdapter(dict[str, Any]), TypeAdapter(list[_Entry])


@dataclass(frozen=True)
class SentenceModule:
    """One step from tokens to a vector.

    Attributes:
        kind: its class: `Transformer`, `Pooling`, or one of `LAYERS`.
        folder: where its config, and its weights if it has any, lie.
    """

    kind: str
    folder: Path

    def weights(self) -> Path:
        """Its own weights, safetensors first.

        Raises:
            ExtractorError: there are none.
        """
        for name in ("model.safetensors", "pytorch_model.bin"):
            if (self.folder / name).is_file():
                return self.folder / name
        raise ExtractorError(
            f"{self.folder}: the module {self.kind} has neither model.safetensors nor pytorch_model.bin; "
            "fetch the model again, with its subfolders"
        )


def sentence_modules(folder: Path) -> tuple[SentenceModule, ...]:
    """The modules that a folder's `modules.json` lists; none where there is no such file.

    The first is a `Transformer`, the second, if any, a `Pooling`, the others are `LAYERS`.

    Raises:
        ExtractorError: the file cannot be read, or lists what is not supported.
    """
    path = folder / MODULES
    modules = tuple(_module(path, entry) for entry in _read_as(_ENTRIES, path) or ())
    for place, module in enumerate(modules):
        expected = _KINDS[place : place + 1] if place < 2 else LAYERS
        if module.kind not in expected:
            raise ExtractorError(
                f"{path} lists {', '.join(each.kind for each in modules)}; supported are a Transformer, "
                f"then a Pooling, then any of {', '.join(LAYERS)}: choose another model"
            )
    return modules


def transformer_folder(folder: Path) -> Path:
    """Where a model's transformer, tokenizer and their configs lie: the folder, or its first module's.

    Raises:
        ExtractorError: see `sentence_modules`.
    """
    modules = sentence_modules(folder)
    return modules[0].folder if modules else folder


def read_settings(path: Path) -> dict[str, Any]:
    """The settings in one of a model's JSON files; none where there is no such file.

    Raises:
        ExtractorError: it cannot be read, or is no JSON object.
    """
    return _read_as(_OBJECT, path) or {}


def _module(path: Path, entry: _Entry) -> SentenceModule:
    package, _, kind = entry.type.rpartition(".")
    if package.partition(".")[0] != "sentence_transformers" or kind not in _KINDS:
        raise ExtractorError(
            f"{path} uses {entry.type}; supported are {', '.join(_KINDS)} of sentence_transformers: "
            "choose another model"
        )
    try:
        return SentenceModule(kind, inside(path.parent, entry.path) if entry.path else path.parent)
    except OutsideError as error:
        raise ExtractorError(f"{path} cannot be read: {error}") from None


def _read_as(kind: TypeAdapter[T], path: Path) -> T | None:
    try:
        return parse_as(kind, read_bytes(path))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except DocumentError as error:
        raise ExtractorError(f"{path} cannot be read: {error}. Fetch the model again") from None
