"""Check a release folder against its manifest, file by file and bit by bit."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from alignrec.core.display import printable_line
from alignrec.core.files import sha256_file
from alignrec.core.names import inside
from alignrec.export.errors import VerificationError
from alignrec.export.release.manifest import MANIFEST, FileEntry, Manifest
from alignrec.export.release.parquet import iter_parts

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
        finding = check_file(folder, entry)
        if finding:
            findings.append(f"{entry.path}: {finding}")
        if progress:
            progress(entry)
    damaged = {finding.partition(":")[0] for finding in findings}
    findings += unsound_sets(manifest, folder, damaged)
    listed = {entry.path for entry in manifest.files} | BESIDE_THE_MANIFEST
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() or p.is_symlink()}
    findings += [f"{printable_line(path)}: not in the manifest" for path in sorted(present - listed)]
    if findings:
        raise VerificationError(
            f"{folder} is not the release its manifest describes:\n  "
            + "\n  ".join(findings)
            + "\nExport or fetch it again."
        )
    return manifest


def check_file(folder: Path, entry: FileEntry) -> str | None:
    """What is wrong with a file's place, size or hash, or None."""
    try:
        path = inside(folder, entry.path)
    except ValueError:
        return "leads outside the release"
    if not path.is_file():
        return "missing"
    size = path.stat().st_size
    if size != entry.bytes:
        return f"{size} bytes, expected {entry.bytes}"
    found = sha256_file(path)
    return None if found == entry.sha256 else f"SHA-256 is {found}, expected {entry.sha256}"


def unsound_sets(manifest: Manifest, folder: Path, damaged: Collection[str] = ()) -> list[str]:
    """What is wrong with the sets of a folder, one finding a set: each is read as loading it would.

    Args:
        manifest: the release's.
        folder: where its files are, their hashes checked.
        damaged: paths of files whose sets are passed over.
    """
    findings = []
    for name, entry in manifest.sets.items():
        parts = manifest.parts(name)
        if any(part.path in damaged for part in parts):
            continue
        try:
            for _ in iter_parts(name, entry, [(part, folder / part.path) for part in parts]):
                pass
        except VerificationError as error:
            findings.append(str(error))
    return findings
