"""Loading by name: checked, cached, offline, and clear about what does not exist."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import HfApi, constants

from alignrec.export import (
    HubError,
    Manifest,
    RefusedError,
    ReleaseError,
    VerificationError,
    iter_features,
    load_features,
)
from alignrec.export.hub.errors import MissingRepositoryError, UnreachableError
from alignrec.export.hub.find_version import find_version, list_versions
from alignrec.export.hub.pull import pull, verify_version
from alignrec.export.hub.push import push
from alignrec.export.hub.repository import open_repo
from alignrec.export.hub.withdraw import withdraw
from alignrec.export.load import open_release
from tests.export.hub_cases import REPO, SETS, client, features, make_release
from tests.hub.server import Fault, HubServer


@pytest.fixture
def published(hub: HubServer, api: HfApi, release: Path, fresh_cache: Callable[[], None]) -> str:
    """v1.0.0 on the Hub; nothing in the cache."""
    commit = push(release, REPO, "1.0.0", api=api).commit
    fresh_cache()
    return str(commit)


@pytest.fixture
def fresh_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], None]:
    """Go on as another machine would."""

    def change() -> None:
        home = tmp_path / f"hf-{len(list(tmp_path.iterdir()))}"
        home.mkdir()
        monkeypatch.setattr(constants, "HF_HOME", str(home))
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))

    return change


@pytest.fixture
def by_name(hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """`load_features` makes its own client: let it be one of the local Hub."""
    monkeypatch.setattr("alignrec.export.hub.repository.HfApi", lambda **options: client(hub))


def got(hub: HubServer) -> list[str]:
    return [
        line.path.partition("/resolve/")[2].partition("/")[2] for line in hub.requests("GET", "/resolve/")
    ]


def flip(body: bytes) -> bytes:
    return body[:-9] + bytes([body[-9] ^ 4]) + body[-8:]


@pytest.mark.parametrize("name", [*SETS, None])
def test_a_set_comes_back_as_it_was(published: str, by_name: None, name: str | None) -> None:
    expected = features(name or "multimodal", SETS[name or "multimodal"])
    loaded = load_features(REPO, name, version="1.0.0")
    assert list(loaded.ids) == list(expected.ids)
    np.testing.assert_array_equal(loaded.matrix, expected.matrix)
    np.testing.assert_array_equal(loaded.valid, expected.valid)


def test_only_what_is_needed_is_fetched_and_only_once(hub: HubServer, published: str, by_name: None) -> None:
    hub.log.clear()
    load_features(REPO, "text")
    assert sorted(got(hub)) == ["data/text/part-00000.parquet", "manifest.json", "release.json"]
    hub.log.clear()
    load_features(REPO, "text")
    assert [line.path for line in hub.log] == [f"/api/datasets/{REPO}/refs"]


def test_the_highest_version_is_the_default(hub: HubServer, api: HfApi, release: Path, by_name: None) -> None:
    for version, seed in (("1.10.0", 5), ("1.9.0", 6)):
        make_release(release, {"image": seed})
        push(release, REPO, version, api=api)
    np.testing.assert_array_equal(load_features(REPO, "image").matrix, features("image", 8, 5).matrix)
    np.testing.assert_array_equal(
        load_features(REPO, "image", version="v1.9.0").matrix, features("image", 8, 6).matrix
    )


@pytest.mark.parametrize("offline", [False, True])
def test_what_is_cached_loads_without_the_hub(
    hub: HubServer, published: str, by_name: None, monkeypatch: pytest.MonkeyPatch, offline: bool
) -> None:
    online = load_features(REPO, "image", version="1.0.0")
    monkeypatch.setattr("alignrec.export.hub.repository.PAUSES", (0.0,))
    if offline:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    else:
        hub.stop()
    for version in ("1.0.0", None):
        np.testing.assert_array_equal(load_features(REPO, "image", version=version).matrix, online.matrix)
    with pytest.raises(UnreachableError, match=r"1\.1\.0.*it holds 1\.0\.0"):
        load_features(REPO, "image", version="1.1.0")
    with pytest.raises(UnreachableError):
        load_features(REPO, "text", version="1.0.0")
    with pytest.raises(ReleaseError, match="multimodal"):
        load_features(REPO, "multimodale", version="1.0.0")


def test_a_hub_that_fails_is_a_hub_that_is_away(hub: HubServer, published: str, by_name: None) -> None:
    load_features(REPO, "image")
    hub.faults.append(Fault("GET", "/refs", status=503, times=99))
    assert load_features(REPO, "image").dim == 8


@pytest.mark.parametrize("path", ["image/part", "manifest.json", "release.json"])
@pytest.mark.parametrize("wrong", [{"answer": flip}, {"cut": 40}])
def test_a_wrong_download_is_fetched_again(
    hub: HubServer, published: str, by_name: None, path: str, wrong: dict[str, object]
) -> None:
    fault = Fault("GET", path, **wrong)  # type: ignore[arg-type]
    hub.faults.append(fault)
    np.testing.assert_array_equal(load_features(REPO, "image").matrix, features("image", 8).matrix)
    assert fault.times == 0


@pytest.mark.parametrize("path", ["image/part", "manifest.json"])
def test_a_download_that_stays_wrong_is_refused_and_not_kept(
    hub: HubServer, published: str, by_name: None, path: str
) -> None:
    hub.faults.append(Fault("GET", path, answer=flip, times=2))
    with pytest.raises(VerificationError, match=path) as caught:
        load_features(REPO, "image")
    assert caught.value.exit_code == 3
    assert load_features(REPO, "image").dim == 8


def test_a_damaged_cache_is_mended_or_refused(hub: HubServer, published: str, by_name: None) -> None:
    def damage() -> None:
        found = open_release(REPO)
        (entry,) = found.manifest.parts("image")
        part = found.fetch(entry)
        part.resolve().write_bytes(flip(part.read_bytes()))

    damage()
    np.testing.assert_array_equal(load_features(REPO, "image").matrix, features("image", 8).matrix)
    damage()
    hub.stop()
    with pytest.raises(VerificationError, match="damaged"):
        load_features(REPO, "image")


def test_a_tag_moved_after_publication_shows(
    hub: HubServer, api: HfApi, release: Path, published: str
) -> None:
    find_version(open_repo(REPO, api), "1.0.0")
    make_release(release, {"image": 1})
    other = push(release, REPO, "1.1.0", api=api).commit
    hub.repository(REPO).tags["v1.0.0"] = str(other)
    for use in (
        lambda: open_release(REPO, "1.0.0", api=api),
        lambda: verify_version(REPO, "1.0.0", api=api),
    ):
        with pytest.raises(VerificationError, match=f"moved.*{published}.*{other}"):
            use()


def test_a_moved_tag_shows_on_a_new_machine_too(
    hub: HubServer, api: HfApi, release: Path, published: str, fresh_cache: Callable[[], None]
) -> None:
    make_release(release, {"image": 1})
    hub.repository(REPO).tags["v1.0.0"] = str(push(release, REPO, "1.1.0", api=api).commit)
    fresh_cache()
    with pytest.raises(VerificationError, match=r"holds version 1\.1\.0"):
        open_release(REPO, "1.0.0", api=api)
    hub.repository(REPO).tags["v1.0.0"] = next(iter(hub.repository(REPO).commits))
    with pytest.raises(VerificationError, match=r"no manifest\.json"):
        open_release(REPO, "1.0.0", api=api)


def test_a_tag_moved_to_the_same_content_shows_when_pushing(
    hub: HubServer, api: HfApi, release: Path, published: str
) -> None:
    find_version(open_repo(REPO, api), "1.0.0")
    hub.repository(REPO).tags["v1.0.0"] = hub.add(REPO, "extra.txt", b"x").oid
    with pytest.raises(VerificationError, match="moved"):
        push(release, REPO, "1.0.0", api=api)


def test_what_does_not_exist_is_named_with_the_nearest(hub: HubServer, api: HfApi, published: str) -> None:
    with pytest.raises(ReleaseError, match=r"no version 1\.0\.1.*nearest is 1\.0\.0"):
        open_release(REPO, "1.0.1", api=api)
    with pytest.raises(ReleaseError, match=r"no set 'imge'.*'image'"):
        open_release(REPO, "1.0.0", api=api).choose("imge")
    with pytest.raises(MissingRepositoryError, match=re.escape(f"Did you mean '{REPO}'")) as caught:
        open_release("team/feature", api=api)
    assert caught.value.exit_code == 4
    with pytest.raises(ReleaseError, match="OWNER/NAME"):
        open_repo("features", api)
    api.create_repo("team/empty", repo_type="dataset")
    with pytest.raises(ReleaseError, match="no published version yet"):
        open_release("team/empty", api=api)


def test_a_private_repository_without_a_token(hub: HubServer, published: str) -> None:
    with pytest.raises(HubError, match="log in") as caught:
        open_release(REPO, api=client(hub, False))
    assert caught.value.exit_code == 4


def test_a_published_set_comes_piece_by_piece_and_mapped(
    hub: HubServer, published: str, by_name: None
) -> None:
    whole = features("image", 8)
    pieces = list(iter_features(REPO, "image", version="1.0.0", rows=7))
    assert [len(piece.ids) for piece in pieces] == [7, 7, 6]
    np.testing.assert_array_equal(np.concatenate([piece.matrix for piece in pieces]), whole.matrix)
    mapped = load_features(REPO, "image", memory_map=True)
    assert isinstance(mapped.matrix, np.memmap)
    np.testing.assert_array_equal(mapped.matrix, whole.matrix)


def test_versions_are_listed(hub: HubServer, api: HfApi, published: str) -> None:
    hub.repository(REPO).tag("latest", "main")
    assert list_versions(REPO, api=api) == ["1.0.0"]


def test_pull_makes_the_folder_that_was_pushed(
    hub: HubServer, api: HfApi, release: Path, published: str, tmp_path: Path
) -> None:
    to = tmp_path / "pulled"
    assert pull(REPO, None, to, api=api).commit == published
    theirs = {p.relative_to(release): p.read_bytes() for p in release.rglob("*") if p.is_file()}
    assert {p.relative_to(to): p.read_bytes() for p in to.rglob("*") if p.is_file()} == theirs
    hub.log.clear()
    pull(REPO, "1.0.0", to, api=api)
    assert not hub.requests("GET", "/resolve/")
    (to / "metrics.json").write_text("{}")
    with pytest.raises(ReleaseError, match="choose another folder"):
        pull(REPO, "1.0.0", to, api=api)


def test_a_failed_pull_leaves_nothing(hub: HubServer, api: HfApi, published: str, tmp_path: Path) -> None:
    hub.faults.append(Fault("GET", "text/part", answer=flip, times=2))
    with pytest.raises(VerificationError):
        pull(REPO, "1.0.0", tmp_path / "to" / "pulled", api=api)
    assert not (tmp_path / "to").exists() or not list((tmp_path / "to").iterdir())


def test_verify_reads_every_file(hub: HubServer, api: HfApi, published: str, manifest: Manifest) -> None:
    hub.log.clear()
    verify_version(REPO, "1.0.0", api=api)
    assert {entry.path for entry in manifest.files} <= set(got(hub))


def test_a_withdrawn_version_says_why(hub: HubServer, api: HfApi, release: Path, published: str) -> None:
    make_release(release, {"image": 1})
    push(release, REPO, "1.1.0", api=api)
    with pytest.raises(ReleaseError, match="reason"):
        withdraw(REPO, "1.1.0", " ", api=api)
    with pytest.raises(ReleaseError, match=r"no version 3\.0\.0"):
        withdraw(REPO, "3.0.0", "x", api=api)
    withdraw(REPO, "1.1.0", "wrong  images", api=api)
    stored = hub.repository(REPO)
    assert set(stored.tags) == {"v1.0.0"}
    assert "**1.1.0**" in stored.head.files["README.md"].data.decode()
    with pytest.raises(RefusedError, match=r"withdrawn on .*wrong images.*1\.0\.0"):
        open_release(REPO, "1.1.0", api=api)
    assert open_release(REPO, api=api).where == f"{REPO}@1.0.0"
    with pytest.raises(RefusedError, match="withdrawn"):
        push(release, REPO, "1.1.0", api=api)
    push(release, REPO, "1.1.1", api=api)
    assert "wrong images" in stored.head.files["README.md"].data.decode()
    assert withdraw(REPO, "1.1.0", "again", api=api).reason == "wrong images"


def test_an_interrupted_withdrawal_is_finished(hub: HubServer, api: HfApi, published: str) -> None:
    hub.faults.append(Fault("DELETE", "/tag/", status=500))
    with pytest.raises(UnreachableError):
        withdraw(REPO, "1.0.0", "wrong", api=api)
    withdraw(REPO, "1.0.0", "wrong", api=api)
    assert not hub.repository(REPO).tags
    assert len([c for c in hub.repository(REPO).commits.values() if c.title == "Withdraw v1.0.0"]) == 1


@pytest.mark.parametrize("applied", [False, True])
def test_a_withdrawal_survives_a_failed_commit(
    hub: HubServer, api: HfApi, published: str, applied: bool
) -> None:
    hub.faults.append(Fault("POST", "/commit/", status=500, applied=applied))
    hub.faults.append(Fault("POST", "/commit/", before=lambda: hub.add(REPO, "t.txt", b"t")))
    withdraw(REPO, "1.0.0", "wrong", api=api)
    assert not hub.repository(REPO).tags


def test_a_folder_has_no_versions(release: Path) -> None:
    assert load_features(release, "image").dim == 8
    assert load_features(str(release), "image").dim == 8
    with pytest.raises(ReleaseError, match="no versions"):
        load_features(release, "image", version="1.0.0")
    with pytest.raises(ReleaseError, match="not a release"):
        load_features("no/such/folder")
