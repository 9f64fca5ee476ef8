"""What this machine has seen of published versions, so that a moved tag shows and offline work goes on."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from alignrec.core.errors import AlignRecWarning
from alignrec.core.files import sweep, write_bytes
from alignrec.core.sealed import read_sealed_json, seal_json
from alignrec.export.hub.repository import HubRepo
from alignrec.export.hub.versions import Version


@dataclass(frozen=True)
class Record:
    """A version as it was when first seen: its commit, its release id, its manifest's hash and size."""

    commit: str
    release_id: str
    manifest_sha256: str
    manifest_bytes: int


def _folder(repo: HubRepo) -> Path:
    host = re.sub(r"[^A-Za-z0-9.-]+", "-", repo.api.endpoint.partition("://")[2])
    return repo.home / "versions" / host / repo.name.replace("/", "--")


def record_path(repo: HubRepo, version: Version) -> Path:
    """Where the record of a version lies: deleting it means trusting the Hub afresh."""
    return _folder(repo) / f"{version}.json"


def read_record(repo: HubRepo, version: Version) -> Record | None:
    """The record of a version, or None if this machine has not seen it (or the record is damaged)."""
    try:
        return Record(**(read_sealed_json(record_path(repo, version)) or {}))
    except TypeError:
        return None


def write_record(repo: HubRepo, version: Version, record: Record) -> None:
    """Keep a record, whole or not at all; where that cannot be, a warning says what is lost by it."""
    with _only_warning(repo, version, "kept: a tag that is moved later will not show on this machine"):
        sweep(_folder(repo))
        write_bytes(record_path(repo, version), seal_json(asdict(record)))


def forget_record(repo: HubRepo, version: Version) -> None:
    """Drop the record of a version that is withdrawn; where that cannot be, a warning says what follows."""
    with _only_warning(repo, version, "dropped: without a network this machine goes on to find the version"):
        record_path(repo, version).unlink(missing_ok=True)


def recorded_versions(repo: HubRepo) -> list[Version]:
    """Versions that this machine has seen, lowest first."""
    tags = (Version.of_tag(f"v{path.stem}") for path in _folder(repo).glob("*.json"))
    return sorted(version for version in tags if version is not None and read_record(repo, version))


@contextmanager
def _only_warning(repo: HubRepo, version: Version, lost: str) -> Iterator[None]:
    """Records come after what they are of, which an error of the disk must not turn into a failure."""
    try:
        yield
    except OSError as error:
        place = record_path(repo, version)
        warnings.warn(
            f"the record of {repo.name}@{version} cannot be {lost} ({place}: {error.strerror or error}). "
            "HF_HOME names another place",
            AlignRecWarning,
            stacklevel=2,
        )
