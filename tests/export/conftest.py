"""Fixtures of the Hub tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi, constants

from alignrec.export.hub.push import push
from alignrec.export.release.manifest import Manifest
from tests.export.hub_cases import REPO, client, make_release
from tests.hub.server import HubServer


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A local Hub, and a cache that no other test sees."""
    monkeypatch.setattr(constants, "HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
    with HubServer() as server:
        yield server


@pytest.fixture
def api(hub: HubServer) -> HfApi:
    return client(hub)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    make_release(tmp_path / "release")
    return tmp_path / "release"


@pytest.fixture
def manifest(release: Path) -> Manifest:
    return Manifest.read(release)


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
