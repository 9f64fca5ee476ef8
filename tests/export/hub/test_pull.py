"""A version comes as the folder that was pushed, or not at all."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from huggingface_hub import HfApi, constants

from alignrec.core.errors import AlignRecWarning
from alignrec.export.errors import ReleaseError, VerificationError
from alignrec.export.hub.pull import pull, verify_version
from alignrec.export.release.manifest import Manifest
from alignrec.export.release.verify import verify_folder
from tests.export.hub_cases import REPO, flip, got
from tests.hub.server import Fault, HubServer


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


def test_pulls_side_by_side_end_in_one_whole_release(
    api: HfApi, published: str, manifest: Manifest, tmp_path: Path
) -> None:
    to = tmp_path / "pulled"
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            started = Barrier(4)

            def together(started: Barrier = started) -> str:
                started.wait()
                return pull(REPO, None, to, api=api).commit

            pulls = [pool.submit(together) for _ in range(4)]
            assert {done.result() for done in pulls} == {published}
            assert verify_folder(to) == manifest
            assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".pulled")] == []
            shutil.rmtree(to)


def test_a_failed_pull_leaves_nothing(hub: HubServer, api: HfApi, published: str, tmp_path: Path) -> None:
    hub.faults.append(Fault("GET", "text/part", answer=flip, times=2))
    with pytest.raises(VerificationError):
        pull(REPO, "1.0.0", tmp_path / "to" / "pulled", api=api)
    assert not (tmp_path / "to").exists() or not list((tmp_path / "to").iterdir())


def test_verify_reads_every_file(hub: HubServer, api: HfApi, published: str, manifest: Manifest) -> None:
    hub.log.clear()
    verify_version(REPO, "1.0.0", api=api)
    assert {entry.path for entry in manifest.files} <= set(got(hub))


def test_a_home_that_cannot_be_written_is_a_warning(
    api: HfApi, published: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(constants, "HF_HOME", str(tmp_path / "file" / "hf"))
    with pytest.warns(AlignRecWarning, match="HF_HOME names another place"):
        pull(REPO, None, tmp_path / "pulled", api=api)
    with pytest.warns(AlignRecWarning, match="HF_HOME names another place"):
        verify_version(REPO, None, api=api)
    verify_folder(tmp_path / "pulled")


def test_a_cache_that_cannot_be_written_is_named(
    api: HfApi, published: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ReleaseError, match=r"Not a directory.*HF_HUB_CACHE names another place") as caught:
        pull(REPO, None, tmp_path / "pulled", api=api)
    assert caught.value.exit_code == 2
    assert not (tmp_path / "pulled").exists()
