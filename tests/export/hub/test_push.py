"""Publishing to the local Hub: versions, dedupe, refusals."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from huggingface_hub import HfApi, constants

from alignrec.core.errors import AlignRecWarning
from alignrec.export import Manifest, RefusedError, ReleaseError, VerificationError, list_versions
from alignrec.export.errors import HubError
from alignrec.export.hub.push import push
from tests.export.hub_cases import REPO, client, make_release, sent_sets
from tests.hub.server import HubServer
from tests.hub.store import Blob


def test_a_version_is_one_commit_and_one_tag(
    hub: HubServer, api: HfApi, release: Path, manifest: Manifest
) -> None:
    result = push(release, REPO, "1.0.0", api=api)
    stored = hub.repository(REPO)
    assert result.status == "published"
    assert stored.tags == {"v1.0.0": result.commit}
    assert len(stored.commits) == 2  # the Hub's initial one, and ours
    assert stored.private
    files = stored.head.files
    for entry in manifest.files:
        assert files[entry.path].sha256 == entry.sha256
    note = json.loads(files["release.json"].data)
    assert note.pop("created").endswith("+00:00")
    parent = stored.head.parent
    assert note == {"version": "1.0.0", "release_id": manifest.release_id, "parent": parent}


def test_the_same_again_is_done_already(hub: HubServer, api: HfApi, release: Path) -> None:
    first = push(release, REPO, "1.0.0", api=api)
    before = len(hub.log)
    again = push(release, REPO, "1.0.0", api=api)
    assert (again.status, again.commit, again.sent) == ("already", first.commit, ())
    assert not [
        line for line in hub.log[before:] if line.method in ("PUT", "DELETE") or "/commit/" in line.path
    ]


def test_other_content_under_a_version_is_refused(hub: HubServer, api: HfApi, release: Path) -> None:
    first = push(release, REPO, "1.0.0", api=api)
    make_release(release, {"image": 1})
    with pytest.raises(RefusedError, match="other content") as caught:
        push(release, REPO, "1.0.0", api=api)
    assert caught.value.exit_code == 3
    assert hub.repository(REPO).head.oid == first.commit


def test_a_second_version_sends_only_what_changed(hub: HubServer, api: HfApi, release: Path) -> None:
    first = push(release, REPO, "1.0.0", api=api)
    make_release(release, {"text": 1})
    before = len(hub.log)
    second = push(release, REPO, "1.1.0", api=api)
    assert sent_sets(hub, before) == 1
    changed = {"data/text/part-00000.parquet", "manifest.json", "release.json", "README.md"}
    assert set(second.sent) == changed
    stored = hub.repository(REPO)
    assert stored.tags == {"v1.0.0": first.commit, "v1.1.0": second.commit}
    assert list_versions(REPO, api=api) == ["1.0.0", "1.1.0"]


def test_a_new_version_with_old_content_says_which_it_equals(
    hub: HubServer, api: HfApi, release: Path
) -> None:
    assert push(release, REPO, "1.0.0", api=api).equal_to is None
    make_release(release, {"text": 1})
    assert push(release, REPO, "1.1.0", api=api).equal_to is None
    make_release(release)
    before = len(hub.log)
    assert push(release, REPO, "1.2.0", dry_run=True, api=api).equal_to == "1.0.0"
    again = push(release, REPO, "1.2.0", api=api)
    assert (again.status, again.equal_to, sent_sets(hub, before)) == ("published", "1.0.0", 0)
    assert push(release, REPO, "1.2.0", api=api).status == "already"
    assert push(release, REPO, "1.3.0", api=api).equal_to == "1.2.0", "the latest that has it"


def test_versions_come_in_any_order(hub: HubServer, api: HfApi, release: Path) -> None:
    for version in ("2.0.0", "1.10.0", "1.9.0"):
        assert push(release, REPO, version, api=api).status == "published"
    assert list_versions(REPO, api=api) == ["1.9.0", "1.10.0", "2.0.0"]


def test_files_that_a_version_has_no_more_leave_the_head(hub: HubServer, api: HfApi, release: Path) -> None:
    first = push(release, REPO, "1.0.0", api=api)
    hub.add(REPO, "data/theirs.csv", b"not ours")
    make_release(release, sets={"image": 8, "multimodal": 4})
    second = push(release, REPO, "1.1.0", api=api)
    assert second.removed == ("data/text/part-00000.parquet",)
    stored = hub.repository(REPO)
    assert stored.head.files["data/theirs.csv"].data == b"not ours"
    assert "data/text/part-00000.parquet" not in stored.head.files
    assert "data/text/part-00000.parquet" in stored.commits[str(first.commit)].files


def test_a_foreign_file_in_the_way_is_not_replaced(hub: HubServer, api: HfApi, release: Path) -> None:
    api.create_repo(REPO, repo_type="dataset", private=True)
    hub.add(REPO, "metrics.json", b"theirs")
    with pytest.raises(RefusedError, match=r"no release put there.*metrics\.json"):
        push(release, REPO, "1.0.0", api=api)
    assert hub.repository(REPO).head.files["metrics.json"].data == b"theirs"


def test_what_people_wrote_in_the_card_stays(hub: HubServer, api: HfApi, release: Path) -> None:
    api.create_repo(REPO, repo_type="dataset", private=True)
    hub.add(REPO, "README.md", b"---\nlanguage: en\ntags: [shop]\nlicense: CC-BY-4.0\n---\nOur own words.\n")
    push(release, REPO, "1.0.0", api=api)
    card = hub.repository(REPO).head.files["README.md"].data.decode()
    metadata = yaml.safe_load(card.split("---\n")[1])
    assert metadata["language"] == "en"
    assert metadata["license"] == "CC-BY-4.0" and metadata["tags"][0] == "shop"
    assert card.endswith("Our own words.\n")
    push(release, REPO, "1.1.0", api=api)
    assert hub.repository(REPO).head.files["README.md"].data.decode().count("Our own words.") == 1


def test_a_dry_run_changes_nothing(hub: HubServer, api: HfApi, release: Path, manifest: Manifest) -> None:
    plan = push(release, REPO, "1.0.0", dry_run=True, api=api)
    assert (plan.status, plan.commit, plan.private) == ("planned", None, True)
    assert {entry.path for entry in manifest.files} < set(plan.sent)
    assert REPO not in hub.api.repositories
    push(release, REPO, "1.0.0", api=api)
    make_release(release, {"image": 1})
    before, head = len(hub.log), hub.repository(REPO).head.oid
    plan = push(release, REPO, "1.1.0", dry_run=True, api=api)
    assert "data/image/part-00000.parquet" in plan.sent
    assert hub.repository(REPO).head.oid == head
    asked = [line for line in hub.log[before:] if line.method not in ("GET", "HEAD")]
    assert all("/paths-info/" in line.path for line in asked)  # a question, though a POST
    with pytest.raises(RefusedError):
        push(release, REPO, "1.0.0", dry_run=True, api=api)


def test_private_unless_public(hub: HubServer, api: HfApi, release: Path) -> None:
    api.create_repo(REPO, repo_type="dataset", private=False)
    with pytest.raises(RefusedError, match="public"):
        push(release, REPO, "1.0.0", api=api)
    assert not hub.repository(REPO).tags
    assert not push(release, REPO, "1.0.0", public=True, api=api).private
    assert not push(release, "team/other", "1.0.0", public=True, api=api).private
    assert not hub.repository("team/other").private


@pytest.mark.parametrize("licence", [None, " "])
def test_without_a_licence_nothing_is_sent(
    hub: HubServer, api: HfApi, release: Path, licence: str | None
) -> None:
    make_release(release, licence=licence)
    with pytest.raises(ReleaseError, match=r"export\.license"):
        push(release, REPO, "1.0.0", api=api)
    assert not hub.log


@pytest.mark.parametrize("version", ["1.0", "1.0.0.0", "01.0.0", "one", "1.0.0-rc1", "-1.0.0", ""])
def test_a_malformed_version_is_refused(hub: HubServer, api: HfApi, release: Path, version: str) -> None:
    with pytest.raises(ReleaseError, match=r"X\.Y\.Z"):
        push(release, REPO, version, api=api)
    assert not hub.log


@pytest.mark.parametrize("name", ["features", "a/b/c", "../x", "team/has space", "team/-x"])
def test_a_malformed_name_is_refused(hub: HubServer, api: HfApi, release: Path, name: str) -> None:
    with pytest.raises(ReleaseError, match="OWNER/NAME"):
        push(release, name, "1.0.0", api=api)
    assert not hub.log


def test_a_damaged_folder_is_not_sent(hub: HubServer, api: HfApi, release: Path) -> None:
    part = release / "data" / "image" / "part-00000.parquet"
    part.write_bytes(part.read_bytes()[:-1] + b"\0")
    with pytest.raises(VerificationError):
        push(release, REPO, "1.0.0", api=api)
    assert not hub.log


def test_tokens_that_may_not_write(hub: HubServer, release: Path) -> None:
    for token in (False, "hf_read", "hf_unknown"):
        with pytest.raises(HubError) as caught:
            push(release, REPO, "1.0.0", api=client(hub, token))
        assert caught.value.exit_code == 4
        assert "token" in str(caught.value)
        assert "hf_" not in str(caught.value)
    assert REPO not in hub.api.repositories


def test_a_tag_on_something_else_is_refused(hub: HubServer, api: HfApi, release: Path) -> None:
    api.create_repo(REPO, repo_type="dataset", private=True)
    hub.repository(REPO).tag("v1.0.0", "main")
    with pytest.raises(RefusedError, match="not a release"):
        push(release, REPO, "1.0.0", api=api)


def test_a_foreign_manifest_is_not_replaced(hub: HubServer, api: HfApi, release: Path) -> None:
    api.create_repo(REPO, repo_type="dataset", private=True)
    hub.repository(REPO).commit("x", None, {"manifest.json": Blob(b"{}", False)}, [])
    with pytest.raises(RefusedError, match=r"manifest\.json"):
        push(release, REPO, "1.0.0", api=api)


def test_a_pulled_release_is_pushed_elsewhere(
    hub: HubServer, api: HfApi, release: Path, tmp_path: Path
) -> None:
    shutil.copytree(release, tmp_path / "copy")
    (tmp_path / "copy" / "README.md").write_text("left from a download")
    push(tmp_path / "copy", "team/mirror", "3.0.0", api=api)
    assert b"left from" not in hub.repository("team/mirror").head.files["README.md"].data


def test_a_push_needs_no_place_on_this_machine(
    hub: HubServer, api: HfApi, release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(constants, "HF_HOME", str(tmp_path / "file" / "hf"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "file" / "cache"))
    for status in ("published", "already"):
        with pytest.warns(AlignRecWarning, match="HF_HOME names another place"):
            assert push(release, REPO, "1.0.0", api=api).status == status
    assert set(hub.repository(REPO).tags) == {"v1.0.0"}


def test_a_card_of_another_licence_is_refused(hub: HubServer, api: HfApi, release: Path) -> None:
    api.create_repo(REPO, repo_type="dataset", private=True)
    hub.add(REPO, "README.md", b"---\nlicense: mit\n---\n")
    for dry_run in (True, False):
        with pytest.raises(RefusedError, match=r"states the licence mit.*cc-by-4\.0"):
            push(release, REPO, "1.0.0", dry_run=dry_run, api=api)
    assert b"cc-by" not in hub.repository(REPO).head.files["README.md"].data
    make_release(release, licence="mit")
    push(release, REPO, "1.0.0", api=api)
    make_release(release, licence="cc-by-4.0")  # its publisher changes what its publisher set
    push(release, REPO, "1.1.0", api=api)
    assert b"license: cc-by-4.0" in hub.repository(REPO).head.files["README.md"].data
