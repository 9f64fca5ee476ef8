"""A version comes as the folder that was pushed, or not at all."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import HfApi, constants
from typer.testing import CliRunner

from alignrec.core.errors import AlignRecWarning
from alignrec.export.errors import ReleaseError, VerificationError
from alignrec.export.hub.pull import pull, verify_version
from alignrec.export.hub.release_note import note_bytes
from alignrec.export.hub.versions import Version
from alignrec.export.load import iter_features, load_features
from alignrec.export.release.manifest import MANIFEST, Manifest
from alignrec.export.release.verify import verify_folder
from alignrec.pipeline.cli.app import app
from tests.export.hub_cases import REPO, flip, got
from tests.export.release.cases import reseal
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


def _publish(hub: HubServer, api: HfApi, folder: Path) -> None:
    """Put a release on the Hub as somebody may who does not use `push`, which refuses what is not sound."""
    api.create_repo(REPO, repo_type="dataset")
    files = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    files["release.json"] = note_bytes(Version(1, 0, 0), json.loads(files[MANIFEST])["release_id"], None)
    for path, data in files.items():
        hub.add(REPO, path, data)
    hub.repository(REPO).tag("v1.0.0", "main")


def _repeat_an_id_in_another_part(folder: Path) -> None:
    first = pq.read_table(folder / "data/image/part-00000.parquet")
    ids = pa.array(["new", first["item_id"][3].as_py()])
    second = first.slice(0, 2).set_column(0, first.schema.field(0), ids)
    pq.write_table(second, folder / "data/image/part-00001.parquet")
    entry = {"dim": 8, "dtype": "float32", "rows": 22, "valid": 17, "key": "item_id"}
    reseal(folder, {"image": entry}, {"data/image/part-00001.parquet": 2})


def _spoil_a_vector(folder: Path) -> None:
    path = folder / "data/image/part-00000.parquet"
    table = pq.read_table(path)
    vectors = table["embedding"].to_pylist()
    vectors[7][3] = float("nan")
    place = table.schema.get_field_index("embedding")
    column = pa.array(vectors, table.schema.field(place).type)
    pq.write_table(table.set_column(place, table.schema.field(place), column), path)
    reseal(folder, {})


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_repeat_an_id_in_another_part, "an id of the set 'image' occurs twice"),
        (_spoil_a_vector, "no finite number"),
    ],
)
def test_a_sealed_version_of_unsound_data_is_refused_wherever_it_is_read(
    hub: HubServer,
    api: HfApi,
    by_name: None,
    release: Path,
    tmp_path: Path,
    spoil: Callable[[Path], None],
    reason: str,
) -> None:
    spoil(release)
    _publish(hub, api, release)
    for arguments in (["verify", REPO], ["verify", f"{REPO}@1.0.0"], ["pull", REPO, "--to", f"{tmp_path}/p"]):
        ended = CliRunner().invoke(app, arguments)
        assert isinstance(ended.exception, VerificationError) and ended.exception.exit_code == 3
        assert re.search(reason, str(ended.exception))
    for read in (load_features, lambda *a: list(iter_features(*a)), partial(load_features, memory_map=True)):
        with pytest.raises(VerificationError, match=reason):
            read(REPO, "image")
    assert not (tmp_path / "p").exists() and not list((tmp_path / "hf" / "alignrec").rglob("*.npy"))


@pytest.mark.parametrize("name", ["../victim", "/victim", "\x1b[2J", "a\nb", "x" * 500])
def test_a_version_whose_sets_are_paths_writes_nothing(
    hub: HubServer, api: HfApi, by_name: None, release: Path, tmp_path: Path, name: str
) -> None:
    wanted = str(tmp_path / "victim") if name.startswith("/") else name
    reseal(release, {wanted: json.loads((release / MANIFEST).read_text())["sets"]["image"]})
    _publish(hub, api, release)
    before = sorted(tmp_path.iterdir())
    for form in (["--format", "numpy"], ["--format", "numpy", "--set", wanted], []):
        ended = CliRunner().invoke(app, ["pull", REPO, "--to", f"{tmp_path}/p", *form])
        assert isinstance(ended.exception, VerificationError)
        assert len(str(ended.exception)) < 600 and "\x1b" not in str(ended.exception)
    assert {path for path in tmp_path.iterdir() if path.name != "hf"} <= set(before)
