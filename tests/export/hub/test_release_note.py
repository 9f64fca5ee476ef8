"""The note of a commit is read as it was written, and whatever else it is is one error."""

from __future__ import annotations

import json

import pytest
from huggingface_hub import HfApi

from alignrec.export.errors import VerificationError
from alignrec.export.hub.release_note import RELEASE_NOTE, ReleaseNote, note_bytes, read_note
from alignrec.export.hub.repository import HubRepo, open_repo
from alignrec.export.hub.versions import Version
from tests.export.hub_cases import REPO
from tests.hub.server import HubServer

ID = "ab" * 32


def _read(hub: HubServer, api: HfApi, data: bytes) -> ReleaseNote:
    api.create_repo(REPO, repo_type="dataset", exist_ok=True)
    commit = hub.add(REPO, RELEASE_NOTE, data).oid
    repo: HubRepo = open_repo(REPO, api)
    return read_note(repo, commit, repo.files(commit)[RELEASE_NOTE])


def test_what_is_written_is_read(hub: HubServer, api: HfApi) -> None:
    data = note_bytes(Version(1, 2, 3), ID, None)
    assert _read(hub, api, data) == ReleaseNote(version="1.2.3", release_id=ID)
    assert set(json.loads(data)) == {"version", "release_id", "parent", "created"}


@pytest.mark.parametrize(
    "data",
    [
        *(b"{", b"[]", b"\xff", b"[" * 100_000, b"{}", json.dumps({"version": "1.0.0"}).encode()),
        json.dumps({"version": "\x1b[2Jnew", "release_id": ID}).encode(),
        json.dumps({"version": "1.0." + "9" * 5000, "release_id": ID}).encode(),
        json.dumps({"version": ["1.0.0"], "release_id": ID}).encode(),
        json.dumps({"version": "1.0.0", "release_id": "../x"}).encode(),
    ],
    ids=range(10),
)
def test_another_file_is_refused(hub: HubServer, api: HfApi, data: bytes) -> None:
    with pytest.raises(VerificationError, match=r"release\.json of .* does not name a release: ") as caught:
        _read(hub, api, data)
    assert len(str(caught.value)) < 500 and str(caught.value).isprintable()


def test_a_document_without_end_is_not_fetched(
    hub: HubServer, api: HfApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alignrec.export.hub.repository.MOST_BYTES", 40)
    with pytest.raises(VerificationError, match="bytes, more than the 40 that are read"):
        _read(hub, api, note_bytes(Version(1, 2, 3), ID, None))
    assert not hub.requests("GET", "/resolve/")
