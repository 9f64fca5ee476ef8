"""Download a published version into a folder, checked, and check one where it is."""

from __future__ import annotations

import shutil
from pathlib import Path

from huggingface_hub import HfApi

from alignrec.core.files import replacing_folder, write_bytes
from alignrec.core.names import inside
from alignrec.export.errors import ReleaseError, VerificationError
from alignrec.export.hub.find_version import Published, find_version
from alignrec.export.hub.repository import open_repo
from alignrec.export.release.manifest import MANIFEST, Manifest
from alignrec.export.release.verify import unsound_sets, verify_folder


def pull(repo: str, version: str | None, to: Path, *, api: HfApi | None = None) -> Published:
    """Download a version into a release folder, which is there whole or not at all.

    Args:
        repo: OWNER/NAME.
        version: X.Y.Z; None for the highest.
        to: the folder to make; one that holds this very release already is kept.
        api: the client; without it one with the environment's endpoint and token.

    Raises:
        ReleaseError: no such version, or `to` exists and holds something else.
        RefusedError: the version was withdrawn.
        VerificationError: a file is not what the release announces, or the version was moved.
        HubError: no such repository, or the Hub failed.
    """
    found = find_version(open_repo(repo, api), version)
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        if (to / MANIFEST).is_file() and _holds(to, found.manifest):
            return found
        raise ReleaseError(
            f"{to} exists and is not {repo}@{found.version}: choose another folder, or remove it"
        )
    found.fetch(found.manifest.files)
    with replacing_folder(to) as new:
        for entry in found.manifest.files:
            target = inside(new, entry.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found.folder / entry.path, target)
        write_bytes(new / MANIFEST, (found.folder / MANIFEST).read_bytes())
        verify_folder(new)
    return found


def _holds(folder: Path, manifest: Manifest) -> bool:
    try:
        return verify_folder(folder) == manifest
    except VerificationError:
        return False


def verify_version(repo: str, version: str | None, *, api: HfApi | None = None) -> Published:
    """Fetch every file of a version into the cache, each checked by its SHA-256, and every set for soundness.

    Raises: as `pull`.
    """
    found = find_version(open_repo(repo, api), version)
    found.fetch(found.manifest.files)
    if findings := unsound_sets(found.manifest, found.folder):
        raise VerificationError(f"{repo}@{found.version} is not sound:\n  " + "\n  ".join(findings))
    return found
