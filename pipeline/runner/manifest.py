"""A finished stage's manifest: what it wrote, and from what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from alignrec.core.files import digest, write_bytes
from alignrec.core.sealed import known_sha256, read_sealed_json, seal_json
from alignrec.pipeline.errors import RunFolderError

MANIFEST = "stage.json"


@dataclass(frozen=True)
class StageManifest:
    """What a finished stage wrote, and from what.

    Attributes:
        stage: the stage's name.
        parts: the hashes that make its fingerprint, by what they cover: changed parts say why a
            stage is stale.
        files: for each file below the stage's folder, its bytes and SHA-256.
        summary: what it has to say of itself: counts, feature sets, models.
    """

    stage: str
    parts: Mapping[str, str]
    files: Mapping[str, tuple[int, str]]
    summary: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the stage's name and parts."""
        return fingerprint(self.stage, self.parts)

    @classmethod
    def read(cls, path: Path) -> StageManifest | None:
        """The manifest at `path`, or None where there is none, or it is not as it was written."""
        loaded = read_sealed_json(path)
        if loaded is None:
            return None
        try:
            files = {name: (size, sha256) for name, (size, sha256) in loaded["files"].items()}
            manifest = cls(loaded["stage"], loaded["parts"], files, loaded["summary"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        return manifest if loaded.get("fingerprint") == manifest.fingerprint else None

    def write(self, path: Path) -> None:
        """Write the manifest, whole or not at all; a stage is done from this moment on."""
        content = {
            "stage": self.stage,
            "fingerprint": self.fingerprint,
            "parts": self.parts,
            "files": self.files,
            "summary": self.summary,
        }
        write_bytes(path, seal_json(content))

    def damage(self, folder: Path, *, hashes: bool = False) -> dict[str, str]:
        """Files that are not as they were written, and how: by their size, with `hashes` by their content."""
        found = {}
        for name, (size, _) in self.files.items():
            path = folder / name
            if not path.is_file():
                found[name] = "is missing"
            elif path.stat().st_size != size:
                found[name] = "differs from its recorded size"
        if hashes:
            names = [name for name in self.files if name not in found]
            for name, sha256 in zip(names, _hashes([folder / name for name in names]), strict=True):
                if sha256 != self.files[name][1]:
                    found[name] = "differs from its recorded hash"
        return found

    def check(self, folder: Path, names: Iterable[str]) -> None:
        """Compare some of the files with their hashes.

        Raises:
            RunFolderError: one of them is not as it was written, or none of this stage.
        """
        files = {name: self.files.get(name, (0, "")) for name in names}
        for name, how in replace(self, files=files).damage(folder, hashes=True).items():
            raise RunFolderError(
                f"{folder / name} {how}. Run `alignrec run`: it does the stage {self.stage} again."
            )

    def changed(self, parts: Mapping[str, str]) -> list[str]:
        """The parts that differ from the ones this stage was made of."""
        return [name for name in {**self.parts, **parts} if self.parts.get(name) != parts.get(name)]


def fingerprint(stage: str, parts: Mapping[str, str]) -> str:
    """SHA-256 over a stage's name and the hashes of its parts."""
    return digest({"stage": stage, "parts": dict(parts)})


def list_files(folder: Path, paths: Iterable[Path]) -> dict[str, tuple[int, str]]:
    """Bytes and SHA-256 of files, by their path below `folder`, in path order."""
    paths = sorted(paths)
    sizes = [path.stat().st_size for path in paths]
    names = [path.relative_to(folder).as_posix() for path in paths]
    return dict(zip(names, zip(sizes, _hashes(paths), strict=True), strict=True))


def _hashes(paths: Sequence[Path]) -> list[str]:
    """SHA-256 of files, several at a time: hashing lets other threads run."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(known_sha256, paths))
