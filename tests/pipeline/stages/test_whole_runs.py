from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from alignrec.export import load_features, verify_folder
from alignrec.pipeline.catalog.inputs import Input
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.errors import CatalogError, RunFolderError
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.lock import locked
from alignrec.pipeline.runner.shards import plan, read_shard
from alignrec.pipeline.stages.chain import RunResult, run, status
from tests.pipeline.catalogues import picture, write_catalogue, write_items
from tests.pipeline.small_models import write_quick_catalogue

QUIET = Console(quiet=True)
ALL_DONE = dict.fromkeys(("extract", "split", "evaluate", "export", "report"), "done")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunResult]:
    folder = tmp_path_factory.mktemp("finished")
    config = write_catalogue(folder, items=6)
    (folder / "images" / "4.png").write_bytes(picture(4)[:-200])
    return config, run(config, console=QUIET)


@pytest.fixture
def own(finished: tuple[Path, RunResult], tmp_path: Path) -> Path:
    """A finished run that the test may change; returns the config's path."""
    shutil.copytree(finished[0].parent, tmp_path / "own")
    return tmp_path / "own" / "alignrec.yaml"


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _why(config: Path, *overrides: str) -> str:
    return status(load_config(config, overrides))[0].why


def test_a_catalogue_becomes_a_verified_release(finished: tuple[Path, RunResult]) -> None:
    release = finished[1].release
    assert release is not None
    manifest = verify_folder(release)
    assert {n: (s.dim, s.rows, s.valid) for n, s in manifest.sets.items()} == {
        "image": (1280, 6, 5),
        "text": (384, 6, 6),
    }
    image = load_features(release, "image")
    assert image.ids == [f"i{n}" for n in range(6)]
    assert image.valid.tolist() == [True] * 4 + [False, True]
    assert not image.matrix[4].any()
    rejected = pq.read_table(release / "data" / "rejected.parquet").to_pylist()
    assert [(r["item_id"], r["modality"], r["reason"]) for r in rejected] == [("i4", "image", "truncated")]
    assert str(finished[0].parent) not in (release / "manifest.json").read_text()


def test_a_second_run_elsewhere_gives_the_same_bytes(
    finished: tuple[Path, RunResult], tmp_path: Path
) -> None:
    again = run(finished[0], overrides=[f"out={tmp_path / 'again'}"], console=QUIET)
    assert again.release is not None and finished[1].release is not None
    assert _files(again.release) == _files(finished[1].release)


def test_a_finished_run_does_nothing_again(own: Path) -> None:
    run(own, console=QUIET)
    before = {p: p.stat().st_mtime_ns for p in (own.parent / "run").rglob("*.arrow")}
    run(own, console=QUIET)
    assert before == {p: p.stat().st_mtime_ns for p in (own.parent / "run").rglob("*.arrow")}
    assert {s.stage: s.state for s in status(load_config(own))} == ALL_DONE


def test_what_changed_is_named_and_alone_redone(own: Path) -> None:
    run(own, console=QUIET)
    text_shards = sorted((own.parent / "run/extract/shards/text").iterdir())
    (own.parent / "images" / "2.png").write_bytes(picture(99))
    assert _why(own) == "changed: image inputs; 6 of 6 images to embed"
    assert "text model" in _why(own, "extract.batch_size=3")
    assert "text inputs" in _why(own, "catalog.items.text='{title}'")
    before = {p: p.stat().st_mtime_ns for p in text_shards}
    run(own, console=QUIET)
    assert before == {p: p.stat().st_mtime_ns for p in text_shards}
    assert {s.stage: s.state for s in status(load_config(own))} == ALL_DONE


def test_damage_is_found_and_mended(own: Path) -> None:
    first = run(own, console=QUIET)
    wanted = _files(first.folder / "extract")
    shard = next((own.parent / "run/extract/shards/image").iterdir())
    shard.write_bytes(shard.read_bytes()[:-8])
    name = f"extract/shards/image/{shard.name}"
    assert _why(own).startswith(f"{name} differs from its recorded size; ")
    run(own, console=QUIET)
    assert _files(first.folder / "extract") == wanted


def test_too_many_rejections_stop_the_run_and_a_raised_limit_goes_on(own: Path) -> None:
    with pytest.raises(CatalogError, match=r"1 of 6 images of items.*truncated.*max_rejected"):
        run(own, overrides=["extract.max_rejected=0.1", "out=strict"], console=QUIET)
    strict = own.parent / "strict"
    kept = {p.name: p.stat().st_mtime_ns for p in (strict / ".extract" / "shards").rglob("*.arrow")}
    run(own, overrides=["extract.max_rejected=0.2", "out=strict"], console=QUIET)
    assert kept == {p.name: p.stat().st_mtime_ns for p in (strict / "extract" / "shards").rglob("*.arrow")}
    assert not (strict / ".extract").exists()


def test_two_processes_do_not_share_a_run_folder(own: Path) -> None:
    with locked(own.parent / "run"), pytest.raises(RunFolderError, match="another process"):
        run(own, console=QUIET)


def test_the_command_line_answers_where_a_script_reads(own: Path) -> None:
    run(own, console=QUIET)
    answer = CliRunner().invoke(app, ["status", "-c", str(own), "--json"])
    assert {state["stage"]: state["state"] for state in json.loads(answer.stdout)} == ALL_DONE
    answer = CliRunner().invoke(app, ["export", "-q", "-c", str(own)])
    assert Path(answer.stdout.strip()) == own.parent / "run" / "release"


@pytest.mark.parametrize("command", ["run", "extract", "pretrain", "evaluate", "export", "status", "demo"])
def test_every_command_explains_itself(command: str) -> None:
    answer = CliRunner().invoke(app, [command, "--help"])
    assert answer.exit_code == 0
    assert "--help" in answer.stdout


STATUS = """
import sys
from alignrec.pipeline.cli.app import app
app(sys.argv[1:], standalone_mode=False)
print([name for name in ("torch", "transformers") if name in sys.modules])
"""


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ([], ALL_DONE),
        (["--verify"], ALL_DONE),
        # Nothing says yet in which precision, nor what a model of the Hub is that is not here.
        (["-o", "out=new", "-o", "extract.precision=bfloat16"], dict.fromkeys(ALL_DONE, "to do")),
        (["-o", "out=new", "-o", "extract.text=transformers:team/unseen"], dict.fromkeys(ALL_DONE, "to do")),
        (
            ["-o", "export.sets=[multimodal, aligned]"],
            {
                "extract": "stale",
                "split": "stale",
                "pretrain": "to do",
                "train": "to do",
                "evaluate": "stale",
                "export": "stale",
                "report": "stale",
            },
        ),
    ],
)
def test_status_loads_no_model_library_and_writes_nothing(
    own: Path, more: list[str], expected: dict[str, str]
) -> None:
    before = _files(own.parent), _times(own.parent)
    command = [sys.executable, "-c", STATUS, "status", "-c", str(own), "--json", *more]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    states, loaded = answer.stdout.splitlines()
    assert {state["stage"]: state["state"] for state in json.loads(states)} == expected
    assert loaded == "[]"
    assert (_files(own.parent), _times(own.parent)) == before


def _times(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*")}


def _tiny_shop(folder: Path, items: int) -> Path:
    """A catalogue whose run goes on to a release of every set, with models that take no time."""
    config = write_quick_catalogue(folder, items=items, users=12)
    settings = yaml.safe_load(config.read_text())
    settings |= {"train": {"dim": 8, "epochs": 1}, "evaluate": {"k": [2], "masked": []}}
    settings["export"] = {"sets": ["image", "text", "multimodal", "content", "aligned"], "license": "mit"}
    config.write_text(yaml.safe_dump(settings))
    return config


def test_a_damaged_picture_alone_in_its_shard_is_one_rejection(tmp_path: Path) -> None:
    config = _tiny_shop(tmp_path, 41)
    # Item 39 gets an id that ends a shard, so that the last item has one of its own.
    last = next(name for name in map("b{}".format, range(10_000)) if _ends_a_shard(name))
    for table in (tmp_path / "items.jsonl", tmp_path / "interactions.csv"):
        table.write_text(re.sub(r"\bi39\b", last, table.read_text()))
    (tmp_path / "images" / "40.png").write_bytes(picture(40)[:-200])
    result = run(config, console=QUIET)
    sizes = [len(read_shard(path).item_ids) for path in (tmp_path / "run/extract/shards/image").iterdir()]
    assert sorted(sizes) == [1, 40]
    assert result.release is not None
    verify_folder(result.release)
    rejected = pq.read_table(result.release / "data" / "rejected.parquet").to_pylist()
    assert [(row["item_id"], row["modality"], row["reason"]) for row in rejected] == [
        ("i40", "image", "truncated")
    ]
    for name in ("image", "text", "multimodal", "content", "aligned"):
        features = load_features(result.release, name)
        assert len(features.ids) == 41 and features.valid.sum() == (40 if name == "image" else 41)
        assert features.matrix.any(axis=1).tolist() == features.valid.tolist()


def _ends_a_shard(item_id: str) -> bool:
    after = plan([Input(item_id, 0, "d", None), Input("after", 1, "d", None)], {})
    return len(after) == 2


@pytest.mark.parametrize("modality", ["image", "text"])
def test_a_modality_of_one_item_alone_goes_all_the_way(tmp_path: Path, modality: str) -> None:
    config = _tiny_shop(tmp_path, 12)
    rows = [json.loads(line) for line in (tmp_path / "items.jsonl").read_text().splitlines()]
    for row in rows[1:]:
        row |= {"image": None} if modality == "image" else {"title": "", "description": ""}
    write_items(tmp_path, rows)
    result = run(config, console=QUIET)
    assert result.release is not None
    assert load_features(result.release, modality).valid.tolist() == [True] + [False] * 11
    multimodal = load_features(result.release, "multimodal")
    assert multimodal.valid.all() and np.isfinite(multimodal.matrix).all()
