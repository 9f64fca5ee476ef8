"""Every fault of the Hub while pushing ends healed, or in a clear error with no version visible."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from alignrec.export import HubError, Manifest, RefusedError, VerificationError
from alignrec.export.hub.errors import BusyError, StaleHeadError, UnreachableError, UploadError
from alignrec.export.hub.push import push
from tests.export.hub_cases import REPO, make_release
from tests.hub.server import Fault, HubServer

FOREVER = 1000


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody waits; what would have been waited is kept."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


def assert_published(hub: HubServer, manifest: Manifest, version: str = "1.0.0") -> None:
    stored = hub.repository(REPO)
    files = stored.commits[stored.tags[f"v{version}"]].files
    for entry in manifest.files:
        assert files[entry.path].sha256 == entry.sha256
    assert json.loads(files["release.json"].data)["version"] == version


def our_commits(hub: HubServer, version: str = "1.0.0") -> int:
    return sum(c.title.startswith(f"Publish v{version} ") for c in hub.repository(REPO).commits.values())


HEALED = {
    "500 after the commit was applied": Fault("POST", "/commit/", status=500, applied=True),
    "no answer after the commit was applied": Fault("POST", "/commit/", cut=0),
    "500 before the commit": Fault("POST", "/commit/", status=500),
    "commit answered 503 twice": Fault("POST", "/commit/", status=503, times=2),
    "tag answered 500 but made": Fault("POST", "/tag/", status=500, applied=True),
    "tag made but no answer": Fault("POST", "/tag/", cut=0),
    "tag answered 500 and not made": Fault("POST", "/tag/", status=500),
    "upload altered": Fault("PUT", "/lfs/", request=lambda body: body[:-1] + b"?"),
    "upload cut short": Fault("PUT", "/lfs/", request=lambda body: body[:-7]),
    "upload hung up": Fault("PUT", "/lfs/", cut=0),
    "upload answered 500": Fault("PUT", "/lfs/", status=500, times=2),
    "preupload slowed down": Fault("POST", "/preupload/", status=429, headers={"Retry-After": "3"}),
    "batch answered 502": Fault("POST", "/objects/batch", status=502),
    "verify answered 500": Fault("POST", "/verify$", status=500),
    "commit slowed down": Fault("POST", "/commit/", status=429, headers={"Retry-After": "3"}),
    "tag slowed down": Fault("POST", "/tag/", status=429, headers={"Retry-After": "3"}),
    "refs slowed down": Fault("GET", "/refs", status=429, headers={"Retry-After": "3"}),
    "refs answered 500": Fault("GET", "/refs", status=500),
    "tree cut short": Fault("GET", "/tree/", cut=5),
    "check of the stored files answered 500": Fault("POST", "/paths-info/", status=500),
    "a small file read back with one bit wrong": Fault(
        "GET", "/resolve/", answer=lambda body: bytes([body[0] ^ 1]) + body[1:]
    ),
    "a small file cut short": Fault("GET", "/resolve/", cut=5),
}


@pytest.mark.parametrize("name", HEALED)
def test_one_fault_is_healed_in_the_same_call(
    hub: HubServer, api: HfApi, release: Path, manifest: Manifest, pauses: list[float], name: str
) -> None:
    api.create_repo(REPO, repo_type="dataset", private=True)
    fault = dataclasses.replace(HEALED[name])
    hub.faults.append(fault)
    push(release, REPO, "1.0.0", api=api)
    assert fault.times == 0, "the fault never struck"
    assert_published(hub, manifest)
    assert our_commits(hub) == 1
    if fault.headers:
        assert any(wait >= 3 for wait in pauses)


LASTING = {
    "commit fails": (Fault("POST", "/commit/", status=500), UnreachableError),
    "commit is slowed down": (
        Fault("POST", "/commit/", status=429, headers={"Retry-After": "900"}),
        BusyError,
    ),
    "upload altered": (Fault("PUT", "/lfs/", request=lambda body: body + b"?"), UploadError),
    "upload fails": (Fault("PUT", "/lfs/", status=500), UnreachableError),
    "tag fails": (Fault("POST", "/tag/", status=500), UnreachableError),
    "refs fail": (Fault("GET", "/refs", status=500), UnreachableError),
    "create fails": (Fault("POST", "/repos/create", status=500), UnreachableError),
    "commit is forbidden": (Fault("POST", "/commit/", status=403), HubError),
    "commit is malformed": (Fault("POST", "/commit/", status=400), HubError),
    "card is rejected": (Fault("POST", "/validate-yaml", status=400), HubError),
    "everything is down": (Fault("GET", "", cut=0), UnreachableError),
}


@pytest.mark.parametrize("name", LASTING)
def test_a_lasting_fault_ends_clearly_and_the_next_call_heals(
    hub: HubServer, api: HfApi, release: Path, manifest: Manifest, name: str
) -> None:
    fault, kind = LASTING[name]
    hub.faults.append(dataclasses.replace(fault, times=FOREVER))
    with pytest.raises(kind) as caught:
        push(release, REPO, "1.0.0", api=api)
    assert caught.value.exit_code == 4
    assert REPO in str(caught.value)
    assert "hf_test" not in str(caught.value)
    assert not any(stored.tags for stored in hub.api.repositories.values())
    hub.faults.clear()
    push(release, REPO, "1.0.0", api=api)
    assert_published(hub, manifest)
    assert our_commits(hub) == 1


def test_a_rival_in_between_loses_nothing(
    hub: HubServer, api: HfApi, release: Path, manifest: Manifest
) -> None:
    api.create_repo(REPO, repo_type="dataset", private=True)
    hub.faults.append(Fault("POST", "/commit/", before=lambda: hub.add(REPO, "theirs.txt", b"t")))
    push(release, REPO, "1.0.0", api=api)
    assert_published(hub, manifest)
    assert hub.repository(REPO).head.files["theirs.txt"].data == b"t"


def test_a_rival_who_never_rests_ends_in_a_clear_message(hub: HubServer, api: HfApi, release: Path) -> None:
    api.create_repo(REPO, repo_type="dataset", private=True)
    count = iter(range(FOREVER))

    def rival() -> None:
        hub.add(REPO, f"theirs-{next(count)}.txt", b"t")

    hub.faults.append(Fault("POST", "/commit/", before=rival, times=FOREVER))
    with pytest.raises(StaleHeadError, match="somebody else"):
        push(release, REPO, "1.0.0", api=api)
    assert not hub.repository(REPO).tags
    assert sum(path.startswith("theirs") for path in hub.repository(REPO).head.files) == next(count)


@pytest.mark.parametrize("where", ["/commit/", "/tag/"])
def test_a_rival_who_takes_the_version(
    hub: HubServer, api: HfApi, release: Path, tmp_path: Path, where: str
) -> None:
    other = make_release(tmp_path / "other", {"image": 7})
    api.create_repo(REPO, repo_type="dataset", private=True)
    hub.faults.append(Fault("POST", where, before=lambda: push(tmp_path / "other", REPO, "1.0.0", api=api)))
    with pytest.raises(RefusedError, match="other content"):
        push(release, REPO, "1.0.0", api=api)
    assert_published(hub, other)


def test_a_rival_with_the_same_release(hub: HubServer, api: HfApi, release: Path, manifest: Manifest) -> None:
    api.create_repo(REPO, repo_type="dataset", private=True)
    hub.faults.append(Fault("POST", "/commit/", before=lambda: push(release, REPO, "1.0.0", api=api)))
    result = push(release, REPO, "1.0.0", api=api)
    assert hub.repository(REPO).tags == {"v1.0.0": result.commit}
    assert our_commits(hub) == 1


@pytest.mark.parametrize("rival", [False, True])
def test_a_crash_between_commit_and_tag_heals_by_tagging(
    hub: HubServer, api: HfApi, release: Path, manifest: Manifest, rival: bool
) -> None:
    hub.faults.append(Fault("POST", "/tag/", status=500, times=FOREVER))
    with pytest.raises(UnreachableError):
        push(release, REPO, "1.0.0", api=api)
    hub.faults.clear()
    if rival:  # who even publishes another version on top
        make_release(release, {"text": 3})
        push(release, REPO, "1.1.0", api=api)
        make_release(release)
    plan = push(release, REPO, "1.0.0", dry_run=True, api=api)
    before = len(hub.log)
    result = push(release, REPO, "1.0.0", api=api)
    assert (result.status, result.commit) == ("healed", plan.commit)
    assert not [line for line in hub.log[before:] if line.method == "PUT" or "/commit/" in line.path]
    assert_published(hub, manifest)


def test_a_release_made_anew_after_a_crash_is_the_one_published(
    hub: HubServer, api: HfApi, release: Path
) -> None:
    hub.faults.append(Fault("POST", "/tag/", status=500, times=FOREVER))
    with pytest.raises(UnreachableError):
        push(release, REPO, "1.0.0", api=api)
    hub.faults.clear()
    assert push(release, REPO, "1.0.0", dry_run=True, api=api).commit is not None
    changed = make_release(release, {"text": 3})
    assert push(release, REPO, "1.0.0", api=api).status == "published"
    assert_published(hub, changed)


def test_what_the_hub_stored_otherwise_is_never_tagged(hub: HubServer, api: HfApi, release: Path) -> None:
    def lie(body: bytes) -> bytes:
        files = json.loads(body)
        for entry in files:
            if "lfs" in entry:
                entry["lfs"]["oid"] = "0" * 64
        return json.dumps(files).encode()

    hub.faults.append(Fault("POST", "/paths-info/", answer=lie, times=FOREVER))
    with pytest.raises(VerificationError, match=r"data/image/part-00000\.parquet"):
        push(release, REPO, "1.0.0", api=api)
    assert not hub.repository(REPO).tags
    hub.faults.clear()
    assert push(release, REPO, "1.0.0", api=api).status == "healed"


@pytest.mark.parametrize("status", [400, 403, 409, 418])
def test_a_hub_that_repeats_the_token_is_not_quoted(
    hub: HubServer, api: HfApi, release: Path, status: int
) -> None:
    echo = {"X-Error-Message": "you sent hf_test, Bearer hf_test"}
    hub.faults.append(Fault("POST", "/commit/", status=status, headers=echo, times=FOREVER))
    with pytest.raises(HubError, match=r"hf_\*\*\*") as caught:
        push(release, REPO, "1.0.0", api=api)
    assert "hf_test" not in str(caught.value)


def test_the_server_is_not_there(hub: HubServer, api: HfApi, release: Path) -> None:
    hub.stop()
    with pytest.raises(UnreachableError, match="cannot be reached") as caught:
        push(release, REPO, "1.0.0", api=api)
    assert caught.value.exit_code == 4
