"""What each published version of a repository holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from huggingface_hub import HfApi

from alignrec.export.errors import VerificationError
from alignrec.export.hub.find_version import Published, published_tags, version_at, withdrawals
from alignrec.export.hub.repository import open_repo
from alignrec.export.hub.withdrawn import Withdrawal


@dataclass(frozen=True)
class PublishedContents:
    """One version.

    Attributes:
        version: X.Y.Z.
        commit: 40 hex digits.
        release_id: of its release; None where `fault` says why there is none to be trusted.
        sets: dimension and rows by feature set.
        pictures: how many files of item pictures it has.
        licence: as its publisher stated it.
        equal_to: the lowest version with the same content, if that is an earlier one.
        fault: why its manifest is not trusted; "" where it is.
    """

    version: str
    commit: str
    release_id: str | None = None
    sets: dict[str, dict[str, int]] | None = None
    pictures: int = 0
    licence: str | None = None
    equal_to: str | None = None
    fault: str = ""


def published_contents(
    name: str, *, api: HfApi | None = None
) -> tuple[list[PublishedContents], dict[str, Withdrawal]]:
    """What the versions of a repository hold, lowest first; only their manifests are fetched.

    Args:
        name: OWNER/NAME.
        api: the client; without it one with the environment's endpoint and token.

    Returns:
        The published versions, and the withdrawn ones by version.

    Raises:
        ReleaseError: the name is not OWNER/NAME.
        HubError: no such repository, or the Hub cannot be reached.
    """
    repo = open_repo(name, api)
    contents: list[PublishedContents] = []
    found: list[Published] = []
    for version, commit in sorted(published_tags(repo).items()):
        try:
            one = version_at(repo, version, commit)
        except VerificationError as error:
            contents.append(PublishedContents(str(version), commit, fault=str(error)))
            continue
        same = next((other for other in found if other.manifest.same_content(one.manifest)), None)
        contents.append(_contents(one, None if same is None else str(same.version)))
        found.append(one)
    return contents, withdrawals(repo)


def _contents(found: Published, equal_to: str | None) -> PublishedContents:
    manifest = found.manifest
    licence: Any = manifest.provenance.get("licence")
    return PublishedContents(
        str(found.version),
        found.commit,
        manifest.release_id,
        {name: {"dim": entry.dim, "rows": entry.rows} for name, entry in manifest.sets.items()},
        sum(entry.rows or 0 for entry in manifest.images),
        licence,
        equal_to,
    )
