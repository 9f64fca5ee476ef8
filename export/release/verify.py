"""Check a release folder against its manifest, file by file and bit by bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from alignrec.core.files import sha256_file
from alignrec.export.errors import VerificationError
from alignrec.export.release.manifest import MANIFEST, FileEntry, Manifest

# A published release carries these beside what its manifest lists; the Hub adds the last one.
BESIDE_THE_MANIFEST = {MANIFEST, "release.json", "README.md", ".gitattributes"}


def verify_folder(folder: Path, progress: Callable[[FileEntry], None] | None = None) -> Manifest:
    """Check every file of a release: presence, size, SHA-256, rows; and that nothing else is there.

    Args:
        folder: the release.
        progress: called after each file that was checked.

    Raises:
        ReleaseError: the folder has no manifest.
        VerificationError: the manifest is not valid or leaves its folder, or any file is missing,
            extra, a link out of the folder, or not what the manifest says; all findings are named.
    """
    manifest = Manifest.read(folder)
    findings = []
    for entry in manifest.files:
        finding = _check(folder, entry)
        if finding:
            findings.append(f"{entry.path}: {finding}")
        if progress:
            progress(entry)
    listed = {entry.path for entry in manifest.files} | BESIDE_THE_MANIFEST
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() or p.is_symlink()}
    findings += [f"{path}: not in the manifest" for path in sorted(present - listed)]
    findings += _check_sets(manifest)
    if findings:
        raise VerificationError(
            f"{folder} is not the release its manifest describes:\n  "
            + "\n  ".join(findings)
            + "\nExport or fetch it again."
        )
    return manifest


def check_file(path: Path, entry: FileEntry) -> str | None:
    """What is wrong with a file's size or hash, or None."""
    if not path.is_file():
        return "missing"
    size = path.stat().st_size
    if size != entry.bytes:
        return f"{size} bytes, expected {entry.bytes}"
    found = sha256_file(path)
    return None if found == entry.sha256 else f"SHA-256 is {found}, expected {entry.sha256}"


def _check(folder: Path, entry: FileEntry) -> str | None:
    path = folder / entry.path
    if not path.resolve().is_relative_to(folder.resolve()):
        return "leads outside the release"
    finding = check_file(path, entry)
    if finding is None and entry.rows is not None and pq.read_metadata(path).num_rows != entry.rows:
        return f"has {pq.read_metadata(path).num_rows} rows, expected {entry.rows}"
    return finding


def _check_sets(manifest: Manifest) -> list[str]:
    """A set's rows are those of its parts."""
    findings = []
    for name, entry in manifest.sets.items():
        rows = sum(part.rows or 0 for part in manifest.parts(name))
        if rows != entry.rows:
            findings.append(f"data/{name}: parts of {rows} rows, but the set has {entry.rows}")
    return findings
