"""What decides an extractor's values, known without loading it: its files and the libraries' versions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from alignrec.core.files import sha256_file
from alignrec.core.libraries import library_versions
from alignrec.extractors.inputs.images import FULL
from alignrec.extractors.modality import Modality
from alignrec.extractors.names import ModelName

# Gives the hex SHA-256 of a file; callers may remember hashes of files that did not change.
FileHash = Callable[[Path], str]
NO_FILES = hashlib.sha256().hexdigest()


@dataclass(frozen=True)
class ExtractorIdentity:
    """Equal identities give equal values for equal inputs, on the same kind of device.

    Attributes:
        scheme: of the model's name.
        model: the model's id; "" for one in a local folder or file, whose content says which it is.
        modality: the kind of content that it reads.
        revision: the Hub commit its files came from, or None.
        weights_sha256: hex SHA-256 of the weights (see `weights_sha256`), as its card has it.
        files_sha256: hex SHA-256 over every other file that loading reads: configuration, tokenizer,
            preprocessing.
        precision: `float32` or `bfloat16`.
        decoding: by which rule its inputs are decoded, as its kind of content has it (see `Kind.decoding`).
        libraries: versions of the installed distributions that decide bytes.
    """

    scheme: str
    model: str
    modality: str
    revision: str | None
    weights_sha256: str
    files_sha256: str = NO_FILES
    precision: str = "float32"
    decoding: str = FULL
    libraries: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_name(
        cls,
        name: ModelName,
        modality: Modality,
        *,
        weights_sha256: str,
        files_sha256: str = NO_FILES,
        revision: str | None = None,
        local: bool = False,
        decodes: bool = True,
        libraries: Iterable[str] = (),
    ) -> ExtractorIdentity:
        """The identity of a named model, its precision still open.

        Args:
            name: the model's name.
            modality: which of its sides is used.
            weights_sha256: of the weights.
            files_sha256: over the other files.
            revision: the Hub commit.
            local: the model is a folder or file here, whose path decides nothing.
            decodes: the model reads content, and not somebody else's vectors in its place.
            libraries: distributions that decide bytes, beside those that decode the modality's kind.

        Raises:
            ExtractorError: what decodes the modality's kind is not installed.
        """
        if decodes:
            modality.kind.check()
        decoders = modality.kind.libraries if decodes else ()
        return cls(
            scheme=name.scheme,
            model="" if local else name.model,
            modality=modality.kind.name,
            revision=revision,
            weights_sha256=weights_sha256,
            files_sha256=files_sha256,
            decoding=modality.kind.decoding if decodes else FULL,
            libraries=library_versions([*libraries, *decoders]),
        )

    def record(self) -> dict[str, Any]:
        """Its fields, as fingerprints have them; decoding in full is not named, which all once was."""
        fields = asdict(self)
        if self.decoding == FULL:
            del fields["decoding"]
        return fields

    def differences(self, recorded: Mapping[str, Any]) -> list[str]:
        """What a record of the model that made a release has otherwise.

        Names, revisions and versions of libraries may differ where the content is the same.

        Args:
            recorded: an identity's fields, or a card's: what it lacks is not compared.
        """
        content = ("modality", "weights_sha256", "files_sha256", "precision", "decoding")
        return [key for key in content if key in recorded and recorded[key] != getattr(self, key)]


def weights_sha256(folder: Path, files: Iterable[Path], sha256: FileHash = sha256_file) -> str:
    """One hash for a model's weights.

    For one file its own SHA-256; for several, that of `files_sha256`.
    """
    paths = list(files)
    return sha256(paths[0]) if len(paths) == 1 else files_sha256(folder, paths, sha256)


def files_sha256(folder: Path, files: Iterable[Path], sha256: FileHash = sha256_file) -> str:
    """One hash for several files: the SHA-256 of the lines `<name> <sha256>`, sorted.

    Names are relative to the folder, with forward slashes, so that a moved folder has the same hash.
    """
    hashes = sorted((path.relative_to(folder).as_posix(), sha256(path)) for path in files)
    return hashlib.sha256("".join(f"{name} {digest}\n" for name, digest in hashes).encode()).hexdigest()
