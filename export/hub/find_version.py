"""Find a published version and fetch what is needed of it, checked and cached."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from huggingface_hub import HfApi

from alignrec.export.errors import RefusedError, ReleaseError, VerificationError
from alignrec.export.hub.errors import BusyError, MissingRepositoryError, UnreachableError
from alignrec.export.hub.expected_file import ExpectedFile
from alignrec.export.hub.release_note import RELEASE_NOTE, read_note
from alignrec.export.hub.repository import HubRepo, open_repo
from alignrec.export.hub.seen_versions import (
    Record,
    forget_record,
    read_record,
    record_path,
    recorded_versions,
    write_record,
)
from alignrec.export.hub.versions import Version
from alignrec.export.hub.withdrawn import WITHDRAWN, Withdrawal, parse_withdrawn
from alignrec.export.release.manifest import MANIFEST, FileEntry, Manifest


@dataclass(frozen=True)
class Published:
    """A version that was found: where it is, and its checked manifest.

    Attributes:
        folder: the local snapshot; it holds the manifest and whatever was fetched.
    """

    repo: HubRepo
    version: Version
    commit: str
    manifest: Manifest
    folder: Path

    def fetch(self, entries: Iterable[FileEntry]) -> Path:
        """Fetch files of the release into the snapshot folder, each checked by its SHA-256.

        Raises:
            HubError: a file is not cached and the Hub does not give it.
            VerificationError: a file is not what the manifest says.
        """
        for entry in entries:
            self.repo.download(entry.path, self.commit, ExpectedFile(entry.bytes, entry.sha256))
        return self.folder


def list_versions(name: str, *, api: HfApi | None = None) -> list[str]:
    """Published versions of a repository, lowest first; withdrawn ones are not among them.

    Raises:
        ReleaseError: the name is not OWNER/NAME.
        HubError: no such repository, or the Hub cannot be reached.
    """
    return [str(version) for version in sorted(published_tags(open_repo(name, api)))]


def find_version(repo: HubRepo, wanted: str | None) -> Published:
    """A version's commit and manifest; from the cache alone when the Hub gives no answer.

    Args:
        repo: where to look.
        wanted: X.Y.Z; None for the highest.

    Raises:
        ReleaseError: no such version; the message names the nearest.
        RefusedError: the version was withdrawn; the message says why.
        VerificationError: a file is not what the release announces, or the version was moved.
        HubError: no such repository, or the Hub cannot be reached and the files are not cached.
    """
    version = Version.parse(wanted) if wanted is not None else None
    try:
        tags = published_tags(repo)
    except (UnreachableError, BusyError) as error:
        return _find_cached(repo, version, error)
    if version is None:
        version = max(tags, default=None)
    if version is None or version not in tags:
        raise _absent(repo, version, sorted(tags))
    return version_at(repo, version, tags[version])


def version_at(repo: HubRepo, version: Version, commit: str) -> Published:
    """A version that the repository lists, and its manifest.

    Args:
        repo: where it is.
        version: which.
        commit: what its tag leads to.

    Raises:
        VerificationError: it is not what it announces, or was moved.
        HubError: the Hub cannot be reached and its manifest is not cached.
    """
    record = read_record(repo, version)
    if record is None:
        return _first_sight(repo, version, commit)
    if record.commit != commit:
        raise VerificationError(
            f"{repo.name}@{version} was moved after it was published: it was commit {record.commit} (release "
            f"{record.release_id}) and is now commit {commit}. Ask the publisher why; to trust the new one "
            f"all the same, delete {record_path(repo, version)}"
        )
    return _known(repo, version, record)


def published_tags(repo: HubRepo) -> dict[Version, str]:
    """The commit of each published version.

    Raises:
        MissingRepositoryError: no such repository; the message names the owner's nearest.
    """
    try:
        tags = repo.tags()
    except MissingRepositoryError as error:
        similar = difflib.get_close_matches(repo.name, repo.neighbours(), n=1)
        hint = f". Did you mean {similar[0]!r}?" if similar else ""
        raise MissingRepositoryError(f"{error}{hint}") from error
    versions = ((Version.of_tag(tag), commit) for tag, commit in tags.items())
    return {version: commit for version, commit in versions if version is not None}


def _find_cached(repo: HubRepo, version: Version | None, error: UnreachableError | BusyError) -> Published:
    """The version in the cache; what kept the Hub from answering where it is not there."""
    cached = recorded_versions(repo)
    chosen = version if version is not None else max(cached, default=None)
    record = read_record(repo, chosen) if chosen is not None else None
    if chosen is not None and record is not None:
        return _known(replace(repo, away=str(error)), chosen, record)
    if not cached:
        raise error
    held = ", ".join(map(str, cached))
    raise UnreachableError(
        f"{error}. Version {version} of {repo.name} is not in the cache either: it holds {held}"
    ) from error


def _known(repo: HubRepo, version: Version, record: Record) -> Published:
    """A version seen before: its manifest must be the very one."""
    expected = ExpectedFile(record.manifest_bytes, record.manifest_sha256)
    path = repo.document(MANIFEST, record.commit, expected)
    return Published(repo, version, record.commit, Manifest.read(path.parent), path.parent)


def _first_sight(repo: HubRepo, version: Version, commit: str) -> Published:
    """A version not seen before: check that it is a release and calls itself by this version."""
    files = repo.files_at(commit, [MANIFEST, RELEASE_NOTE])
    where = f"{repo.name}@{version} (commit {commit})"
    for needed in (MANIFEST, RELEASE_NOTE):
        if needed not in files:
            raise VerificationError(
                f"{where} is not a release: it has no {needed}. The tag was not made by push, or was moved"
            )
    path = repo.document(MANIFEST, commit, files[MANIFEST])
    manifest = Manifest.read(path.parent)
    note = read_note(repo, commit, files[RELEASE_NOTE])
    if (note.version, note.release_id) != (str(version), manifest.release_id):
        raise VerificationError(
            f"{where} holds version {note.version} of release {note.release_id}: the tag was moved after it "
            "was published. Ask the publisher"
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    write_record(repo, version, Record(commit, manifest.release_id, digest, path.stat().st_size))
    return Published(repo, version, commit, manifest, path.parent)


def _absent(repo: HubRepo, version: Version | None, published: list[Version]) -> ReleaseError:
    if version is None:
        return ReleaseError(f"{repo.name} has no published version yet; see `alignrec push`")
    withdrawal = withdrawals(repo).get(str(version))
    if withdrawal is not None:
        forget_record(repo, version)
        return RefusedError(
            f"{repo.name}@{version} was withdrawn on {withdrawal.date}: {withdrawal.reason}. "
            f"Published versions: {', '.join(map(str, published)) or 'none'}"
        )
    listed = ", ".join(map(str, published))
    hint = (
        f"the nearest is {version.nearest(published)}; published are {listed}" if published else "it has none"
    )
    return ReleaseError(f"{repo.name} has no version {version}: {hint}")


def withdrawals(repo: HubRepo) -> dict[str, Withdrawal]:
    """Withdrawn versions, as the main branch lists them."""
    head = repo.head().commit
    return parse_withdrawn(repo.read(WITHDRAWN, head, repo.files_at(head, [WITHDRAWN])))
