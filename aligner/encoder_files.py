"""A saved encoder, `config.json` and `model.safetensors`: compared with one another before it is built."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file

from alignrec.aligner.errors import EncoderError
from alignrec.core.documents import DocumentError, parse_as, parse_json, read_bytes
from alignrec.core.files import open_regular
from alignrec.core.modality_names import ModalityName
from alignrec.core.names import check_distinct

FORMAT = 1
CONFIG, TENSORS = "config.json", "model.safetensors"
# Configs of ours have a thousand bytes, and headers about a hundred a tensor.
MOST_CONFIG, MOST_HEADER = 1 << 16, 1 << 22

Shape = tuple[int, ...]


class SavedConfig(BaseModel):
    """What every encoder's `config.json` has; the rest is the encoder's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = Field(ge=FORMAT, le=FORMAT)


def _by_name(widths: dict[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    check_distinct(widths, "the modality")
    return dict(sorted(widths.items()))


# Two widths of each modality, in the order of names, which is the encoder's.
SavedWidths = Annotated[
    dict[ModalityName, tuple[PositiveInt, PositiveInt]], Field(min_length=1), AfterValidator(_by_name)
]

Config = TypeVar("Config", bound=SavedConfig)


def write_encoder(folder: Path, config: dict[str, Any], save: Callable[[Path], None]) -> None:
    """Write both files into a folder that exists.

    Args:
        folder: where to.
        config: what JSON can hold; the format is added.
        save: writes the tensors, float32, to a path.
    """
    text = json.dumps({"format": FORMAT, **config}, indent=2, sort_keys=True) + "\n"
    (folder / CONFIG).write_text(text, encoding="utf-8", newline="\n")
    save(folder / TENSORS)


@dataclass(frozen=True)
class EncoderFiles:
    """The files that `write_encoder` wrote, perhaps a stranger's: nothing in them is believed.

    Attributes:
        folder: where they are.
        what: the encoder's name in an error.
    """

    folder: Path
    what: str

    def config(self, kind: type[Config]) -> Config:
        """The config, every value of the type that its model states.

        Raises:
            EncoderError: it is missing, of another format, or not of that form.
        """
        try:
            data = read_bytes(self.folder / CONFIG, MOST_CONFIG)
            found = parse_json(data)
            stated = found.get("format") if isinstance(found, dict) else None
            if type(stated) is int and stated != FORMAT:
                raise EncoderError(
                    f"{self.folder} has encoder format {str(stated)[:20]}, this version reads {FORMAT}"
                )
            return parse_as(kind, data)
        except (DocumentError, OSError) as error:
            raise self.error(f"{CONFIG}: {_reason(error)}") from None

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """The shape of every tensor by its name, from the header alone.

        Raises:
            EncoderError: the file is missing, no safetensors file, or holds other tensors than float32.
        """
        path = self.folder / TENSORS
        try:
            with open_regular(path) as file:
                length = int.from_bytes(file.read(8), "little")
            if length > MOST_HEADER:
                raise self.error(f"{TENSORS}: its header has {length:,} bytes, at most {MOST_HEADER:,} fit")
            with safe_open(path, framework="numpy") as file:
                slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
                kinds = {name: found.get_dtype() for name, found in slices.items()}
                shapes = {name: tuple(found.get_shape()) for name, found in slices.items()}
        except (SafetensorError, OSError) as error:
            raise self.error(f"{TENSORS}: {_reason(error)}") from None
        for name, kind in kinds.items():
            if kind != "F32":
                raise self.error(f"{TENSORS}: the tensor {name[:100]!r} is {kind}, not F32")
        return shapes

    def tensors(self, expected: Iterable[tuple[str, Shape]]) -> dict[str, NDArray[np.float32]]:
        """The tensors, float32, after their names and shapes were found to be those expected.

        Args:
            expected: every tensor's name and shape, each name once. No more of them are asked for than the
                file has, so that a number in a config costs nothing before it is compared.

        Raises:
            EncoderError: a tensor is missing, of another shape or one too many, or a value is not finite.
        """
        left = dict(self.shapes)
        for name, shape in expected:
            if (found := left.pop(name, None)) != shape:
                has = "is not there" if found is None else f"has the shape {list(found)}"
                raise self.error(f"{TENSORS}: the tensor {name!r} {has}; by {CONFIG} it has {list(shape)}")
        if left:
            raise self.error(f"{TENSORS}: by {CONFIG} there is no tensor {min(left)[:100]!r}")
        try:
            tensors: dict[str, NDArray[np.float32]] = load_file(self.folder / TENSORS)
        except (SafetensorError, OSError) as error:
            raise self.error(f"{TENSORS}: {_reason(error)}") from None
        for name, values in tensors.items():
            if not np.isfinite(values).all():
                raise self.error(f"{TENSORS}: the tensor {name!r} has a value that is no finite number")
        return tensors

    def error(self, reason: str) -> EncoderError:
        """The error that these files are no such encoder."""
        return EncoderError(
            f"{self.folder} holds no {self.what} that can be read: {reason}. Expected {CONFIG} and {TENSORS} "
            "as save_pretrained writes them"
        )


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "it is not there"
    found = error.strerror if isinstance(error, OSError) else None
    return " ".join((found or str(error)).split())[:200]
