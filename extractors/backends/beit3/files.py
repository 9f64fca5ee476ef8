"""Where a checkpoint and its word pieces are, and how its states are pooled; torch is not loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alignrec.core.display import listed
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.names import ModelName

CLS, MEAN, ITC = "cls", "mean", "itc"
POOLINGS = (CLS, MEAN, ITC)
WEIGHTS = (".pth", ".pt", ".safetensors")
WORD_PIECES = (".spm", ".model")


@dataclass(frozen=True)
class BEiT3Files:
    """A checkpoint's files.

    Attributes:
        name: the model's, for messages.
        pooling: `cls`: what comes out of `[CLS]`, or of what begins a text; `mean`: of all tokens; `itc`: the
            former through the head of image-text contrast.
        weights: the checkpoint.
    """

    name: str
    pooling: str
    weights: Path

    def word_pieces(self) -> Path:
        """The SentencePiece file beside the checkpoint.

        Raises:
            ExtractorError: there is none, or more than one.
        """
        folder = self.weights.parent
        return _only(
            folder, WORD_PIECES, f"{self.name}: a SentencePiece file, such as beit3.spm, in {folder}"
        )


def find_files(name: ModelName) -> BEiT3Files:
    """The files of `beit3:PATH`, `beit3:mean:PATH` or `beit3:itc:PATH`, a file or a folder with one.

    Raises:
        ExtractorError: there is no checkpoint, or more than one.
    """
    if name.revision is not None:
        raise ExtractorError(f"{name.full}: files have no revision '{name.revision}'")
    pooling, colon, path = name.model.partition(":")
    if not colon or pooling not in POOLINGS:
        pooling, path = CLS, name.model
    place = Path(path).expanduser()
    if place.is_dir():
        place = _only(place, WEIGHTS, f"{name.full}: a checkpoint in {place}")
    elif not place.is_file():
        raise ExtractorError(f"{name.full}: there is neither a file nor a folder {place}")
    elif place.suffix not in WEIGHTS:
        raise ExtractorError(f"{name.full}: expected a checkpoint, {' or '.join(WEIGHTS)}, got {place.name}")
    return BEiT3Files(name.full, pooling, place)


def _only(folder: Path, suffixes: tuple[str, ...], wanted: str) -> Path:
    """The one file of these suffixes in a folder."""
    found = sorted(path for path in folder.iterdir() if path.suffix in suffixes and path.is_file())
    if len(found) == 1:
        return found[0]
    has = f"it has {listed([path.name for path in found])}" if found else "there is none"
    raise ExtractorError(f"{wanted}: expected one file {' or '.join(f'*{s}' for s in suffixes)}, {has}")
