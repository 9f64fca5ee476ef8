"""A finished stage's manifest: what it wrote, and from what."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alignrec.core.files import digest, sha256_file, write_bytes

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
        """The manifest at `path`, or None where there is none that can be read."""
        try:
            loaded = json.loads(path.read_bytes())
            files = {name: (size, sha256) for name, (size, sha256) in loaded["files"].items()}
            manifest = cls(loaded["stage"], loaded["parts"], files, loaded["summary"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
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
        write_bytes(path, (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())

    def damaged(self, folder: Path, *, hashes: bool = False) -> list[str]:
        """Files that are missing or of another size (with `hashes`, of other content) than written."""
        bad = []
        for name, (size, sha256) in self.files.items():
            path = folder / name
            if not path.is_file() or path.stat().st_size != size or (hashes and sha256_file(path) != sha256):
                bad.append(name)
        return bad

    def changed(self, parts: Mapping[str, str]) -> list[str]:
        """The parts that differ from the ones this stage was made of."""
        return [name for name in {**self.parts, **parts} if self.parts.get(name) != parts.get(name)]


def fingerprint(stage: str, parts: Mapping[str, str]) -> str:
    """SHA-256 over a stage's name and the hashes of its parts."""
    return digest({"stage": stage, "parts": dict(parts)})


def list_files(folder: Path, paths: Iterable[Path]) -> dict[str, tuple[int, str]]:
    """Bytes and SHA-256 of files, by their path below `folder`, in path order."""
    return {p.relative_to(folder).as_posix(): (p.stat().st_size, sha256_file(p)) for p in sorted(paths)}
