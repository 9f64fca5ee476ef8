"""As what a release folder was published, noted beside it, so that the next version can be named offline."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from alignrec.core.errors import AlignRecWarning
from alignrec.core.files import write_bytes
from alignrec.core.sealed import read_sealed_json, seal_json
from alignrec.export.hub.versions import Version
from alignrec.export.release.manifest import Manifest

FIRST: Final = Version(1, 0, 0)


@dataclass(frozen=True)
class PublishedAs:
    """A version that was made of a release folder.

    Attributes:
        repo: OWNER/NAME.
        version: X.Y.Z.
        release_id: of what it holds.
        parts: SHA-256 of each file of its sets, by its path.
    """

    repo: str
    version: str
    release_id: str
    parts: dict[str, str]

    def following(self, manifest: Manifest) -> Version | None:
        """The version that a release deserves after this one; None where it is this one.

        X is raised where vectors that readers have are no more what they were, Y where items were only
        added to them.
        """
        if manifest.release_id == self.release_id:
            return None
        version, parts = Version.parse(self.version), _parts(manifest)
        if self.parts.items() <= parts.items():
            return Version(version.major, version.minor + 1, 0)
        return Version(version.major + 1, 0, 0)


def note_published(folder: Path, repo: str, version: str) -> None:
    """Note beside a release folder as what it was published.

    Of one repository the highest version is kept. Where nothing can be written, a warning says what is
    lost by it: the publication itself stands.
    """
    known, manifest = published_as(folder), Manifest.read(folder)
    if known is not None and known.repo == repo and Version.parse(known.version) > Version.parse(version):
        return
    note = PublishedAs(repo, version, manifest.release_id, _parts(manifest))
    try:
        write_bytes(_place(folder), seal_json(asdict(note)))
    except OSError as error:
        warnings.warn(
            f"{_place(folder)} cannot be written ({error.strerror or error}): the next run will not know "
            f"that {repo}@{version} was made of {folder}",
            AlignRecWarning,
            stacklevel=2,
        )


def published_as(folder: Path) -> PublishedAs | None:
    """What was noted beside a release folder; None where nothing was, or the note is damaged."""
    try:
        return PublishedAs(**(read_sealed_json(_place(folder)) or {}))
    except TypeError:
        return None


def publishing_command(folder: Path, repo: str) -> list[str]:
    """The words of the command that publishes a release folder next; of what is published, what checks it.

    Args:
        folder: a release.
        repo: OWNER/NAME, where it was not published before.
    """
    before = published_as(folder)
    following = FIRST if before is None else before.following(Manifest.read(folder))
    if before is not None:
        repo = before.repo
        if following is None:
            return ["alignrec", "verify", f"{repo}@{before.version}"]
    return ["alignrec", "push", str(folder), repo, "--version", str(following)]


def _place(folder: Path) -> Path:
    """Beside the release, which holds no file but its own and is replaced as a whole."""
    folder = folder.resolve()
    return folder.with_name(f"{folder.name}-published.json")


def _parts(manifest: Manifest) -> dict[str, str]:
    return {part.path: part.sha256 for name in manifest.sets for part in manifest.parts(name)}
