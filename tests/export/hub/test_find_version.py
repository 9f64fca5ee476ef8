"""Versions are found, online and off; one that was moved shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from huggingface_hub import HfApi, constants

from alignrec.export.errors import HubError, ReleaseError, VerificationError
from alignrec.export.hub.errors import MissingRepositoryError, UnreachableError
from alignrec.export.hub.find_version import find_version, list_versions
from alignrec.export.hub.pull import verify_version
from alignrec.export.hub.push import push
from alignrec.export.hub.repository import open_repo
from alignrec.export.load import load_features, open_release
from tests.export.hub_cases import REPO, client, make_release
from tests.hub.server import Fault, HubServer


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


def test_versions_are_listed(hub: HubServer, api: HfApi, published: str) -> None:
    for other in ("latest", f"v{'9' * 5000}.0.0", "v1.0"):
        hub.repository(REPO).tag(other, "main")
    assert list_versions(REPO, api=api) == ["1.0.0"]


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


@pytest.mark.parametrize("offline", [False, True])
def test_without_the_hub_an_empty_cache_is_not_mentioned(
    hub: HubServer, published: str, by_name: None, monkeypatch: pytest.MonkeyPatch, offline: bool
) -> None:
    monkeypatch.setattr("alignrec.export.hub.repository.PAUSES", (0.0,))
    hub.stop()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    words = "offline mode; unset HF_HUB_OFFLINE" if offline else "the Hub cannot be reached .*proxy"
    for version in ("1.0.0", None):
        with pytest.raises(UnreachableError, match=words) as caught:
            load_features(REPO, "image", version=version)
        assert "cache" not in str(caught.value)


def test_a_hub_that_asks_to_wait_leaves_the_cache(hub: HubServer, published: str, by_name: None) -> None:
    load_features(REPO, "image")
    hub.faults.append(Fault("GET", "/refs", status=429, headers={"Retry-After": "900"}, times=99))
    assert load_features(REPO, "image").dim == 8
    with pytest.raises(UnreachableError, match=r"not in the cache\. .*429"):
        load_features(REPO, "text")


def test_a_portal_in_between_leaves_the_cache(hub: HubServer, published: str, by_name: None) -> None:
    load_features(REPO, "image")
    hub.faults.append(Fault("GET", "/refs", answer=lambda _: b"<html>Log in</html>", times=99))
    assert load_features(REPO, "image").dim == 8


@pytest.mark.parametrize("answer", [b"<html>", b'{"a": 1}', b'[{"a": 1}]', b"7"])
def test_a_hub_that_lists_nothing_leaves_the_first_error(
    hub: HubServer, api: HfApi, published: str, answer: bytes
) -> None:
    hub.faults.append(Fault("GET", r"/api/datasets\?", answer=lambda _: answer, times=99))
    with pytest.raises(MissingRepositoryError, match="no such dataset repository") as caught:
        open_release("team/feature", api=api)
    assert "Did you mean" not in str(caught.value)
