"""Item pictures travel with a push that asks for it, and with no other."""

from __future__ import annotations

import shutil
from pathlib import Path

import datasets
import pytest
from huggingface_hub import HfApi
from typer.testing import CliRunner

from alignrec.export import HubError, Manifest, RefusedError, ReleaseError
from alignrec.export.hub.card import render_card
from alignrec.export.hub.pull import pull
from alignrec.export.hub.push import push
from alignrec.export.release.images import add_images
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.stages.chain import run as run_stages
from tests.export.hub_cases import REPO
from tests.hub.client import environment
from tests.hub.server import Fault, HubServer
from tests.pipeline.catalogues import picture, write_catalogue

PICTURES = [(f"i{n:03d}", picture(n)) for n in range(3)]


@pytest.fixture
def pictured(release: Path, tmp_path: Path) -> Path:
    """A copy of the release that holds pictures."""
    add_images(release, PICTURES, tmp_path / "pictured")
    return tmp_path / "pictured"


def test_a_folder_with_pictures_is_refused_unless_they_are_meant(
    hub: HubServer, api: HfApi, release: Path, pictured: Path, tmp_path: Path
) -> None:
    with pytest.raises(RefusedError, match="--with-images"):
        push(pictured, REPO, "1.0.0", api=api)
    with pytest.raises(ReleaseError, match="no pictures"):
        push(release, REPO, "1.0.0", with_images=True, api=api)
    assert REPO not in hub.api.repositories
    first = push(pictured, REPO, "1.0.0", with_images=True, api=api)
    assert push(pictured, REPO, "1.0.0", with_images=True, api=api).status == "already"
    pull(REPO, "1.0.0", tmp_path / "pulled", api=api)
    assert Manifest.read(tmp_path / "pulled").images == Manifest.read(pictured).images
    with pytest.raises(RefusedError, match="not with the same pictures"):
        push(release, REPO, "1.0.0", api=api)
    without = push(release, REPO, "1.1.0", api=api)
    assert without.removed == ("images/part-00000.parquet",)
    commits = hub.repository(REPO).commits
    assert "images/part-00000.parquet" in commits[str(first.commit)].files
    assert "images/part-00000.parquet" not in commits[str(without.commit)].files


def test_a_push_without_them_does_not_publish_the_pictures_of_an_interrupted_one(
    hub: HubServer, api: HfApi, release: Path, pictured: Path
) -> None:
    hub.faults += [Fault("POST", "/tag/", status=400, times=99)]
    with pytest.raises(HubError):
        push(pictured, REPO, "1.0.0", with_images=True, api=api)
    hub.faults.clear()
    published = push(release, REPO, "1.0.0", api=api)
    assert published.status == "published"
    files = hub.repository(REPO).commits[str(published.commit)].files
    assert not [path for path in files if path.startswith("images/")]


def test_the_card_tells_of_pictures(release: Path, pictured: Path) -> None:
    text = render_card(REPO, "1.0.0", Manifest.read(pictured), {})
    assert "config_name: images" in text and "the pictures of 3 items" in text
    assert "images/" not in render_card(REPO, "1.0.0", Manifest.read(release), {})


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over a catalogue with a picture that nobody can read; returns its folder."""
    folder = tmp_path_factory.mktemp("shop")
    config = write_catalogue(folder)
    (folder / "images" / "4.png").write_bytes(picture(4)[:-200])
    run_stages(config, overrides=["export.license=other"], console=Console(quiet=True))
    return folder


def command(hub: HubServer, folder: Path, home: Path, *more: str) -> tuple[int, str]:
    words = ["push", str(folder / "run" / "release"), REPO, "--version", "1.0.0", *more]
    ended = CliRunner().invoke(app, words, env=environment(hub.url, home))
    return ended.exit_code, ended.output if ended.exception is None else str(ended.exception)


def test_the_command_takes_the_pictures_of_the_run(
    hub: HubServer, api: HfApi, shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alignrec.export.hub.repository.HfApi", lambda *_, **__: api)
    config = ("-c", str(shop / "alignrec.yaml"))
    code, output = command(hub, shop, tmp_path, "--with-images", *config, "--dry-run")
    assert code == 0 and "images/part-00000.parquet" in output
    code, output = command(hub, shop, tmp_path, "--with-images", *config)
    assert code == 0 and "warning: 5 pictures" in output and "their owners'" in output
    files = hub.repository(REPO).head.files
    (tmp_path / "part.parquet").write_bytes(files["images/part-00000.parquet"].data)
    table = datasets.Dataset.from_parquet(str(tmp_path / "part.parquet"), cache_dir=str(tmp_path / "cache"))
    assert table["item_id"][:] == ["i0", "i1", "i2", "i3", "i5"]
    assert table[3]["image"].size == (48, 40)
    assert [path.name for path in (shop / "run").iterdir() if path.name.startswith(".release")] == []


def test_other_pictures_than_the_releases_are_refused(hub: HubServer, shop: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(shop, own)
    (own / "images" / "1.png").write_bytes(picture(99))
    code, output = command(hub, own, tmp_path, "--with-images", "-c", str(own / "alignrec.yaml"))
    assert code != 0 and "are not those that" in output
    assert REPO not in hub.api.repositories
