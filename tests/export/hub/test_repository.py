"""What is downloaded is checked, fetched again where it is wrong, and never kept wrong."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import HfApi

from alignrec.export.errors import HubError, ReleaseError, VerificationError
from alignrec.export.hub.repository import open_repo
from alignrec.export.load import load_features, open_release
from tests.export.hub_cases import REPO, features, flip
from tests.hub.server import Fault, HubServer


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


def test_a_repository_shows_its_head_and_files(hub: HubServer, api: HfApi, published: str) -> None:
    repo = open_repo(REPO, api)
    assert (repo.head().commit, repo.head().private) == (published, True)
    assert repo.tags() == {"v1.0.0": published}
    everything = repo.files(published)
    assert repo.files_at(published, ["manifest.json", "absent"]) == {
        "manifest.json": everything["manifest.json"]
    }
    assert repo.read("absent", published, everything) is None
    assert repo.neighbours() == [REPO]


def test_a_name_that_is_none_is_refused(api: HfApi) -> None:
    with pytest.raises(ReleaseError, match="neither a folder nor a repository name") as caught:
        open_repo("no name", api)
    assert not isinstance(caught.value, HubError)


def test_a_damaged_copy_that_cannot_be_removed_is_named(
    hub: HubServer, published: str, by_name: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = open_release(REPO)
    (entry,) = found.manifest.parts("image")
    part = found.fetch(entry)
    part.resolve().write_bytes(flip(part.read_bytes()))

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(VerificationError, match=r"damaged and cannot be removed .*HF_HUB_CACHE"):
        load_features(REPO, "image")
