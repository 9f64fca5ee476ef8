"""The note `release.json` by which a commit says which version of which release it is."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field

from alignrec.core.documents import DocumentError, parse_as
from alignrec.core.files import canonical_json
from alignrec.export.errors import VerificationError
from alignrec.export.hub.expected_file import ExpectedFile
from alignrec.export.hub.repository import HubRepo
from alignrec.export.hub.versions import Version, VersionText

RELEASE_NOTE = "release.json"


class ReleaseNote(BaseModel):
    """A version, and the id of its release; what else a note has is left aside."""

    model_config = ConfigDict(frozen=True, strict=True)

    version: VersionText
    release_id: str = Field(pattern=r"^[0-9a-f]{64}$")


def read_note(repo: HubRepo, commit: str, expected: ExpectedFile) -> ReleaseNote:
    """The note of a commit.

    Raises:
        VerificationError: it is no such note.
    """
    try:
        return parse_as(ReleaseNote, repo.document(RELEASE_NOTE, commit, expected).read_bytes())
    except DocumentError as error:
        raise VerificationError(
            f"{RELEASE_NOTE} of {repo.name} at commit {commit} does not name a release: {error}"
        ) from None


def note_bytes(version: Version, release_id: str, parent: str | None) -> bytes:
    """The content of the note that a push adds; `parent` is the commit that it stands on."""
    created = datetime.now(UTC).isoformat(timespec="seconds")
    note = {"version": str(version), "release_id": release_id, "parent": parent, "created": created}
    return canonical_json(note) + b"\n"
