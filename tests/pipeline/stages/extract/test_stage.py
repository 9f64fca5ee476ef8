"""Extraction through a whole run: what embeds anew and what does not; planning loads no model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import datasets
import pytest
import yaml

from alignrec.core.files import sha256_file
from alignrec.extractors import identity
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.modality import IMAGE
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.engines import local as local_engine
from alignrec.pipeline.errors import CatalogError
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.manifest import StageManifest
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.runner.runner import bring_up_to_date, planned
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.chain import run, status
from alignrec.pipeline.stages.extract import modality_job
from alignrec.pipeline.stages.extract.shard_files import SHARDS
from alignrec.pipeline.stages.extract.stage import STAGE
from tests.extractors import models
from tests.pipeline.catalogues import picture, write_catalogue, write_items

QUIET = Console(quiet=True)


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """A finished extraction whose text model is a folder beside the catalogue; returns the config's path."""
    config = write_catalogue(tmp_path)
    models.sentence_bert(tmp_path / "model")
    settings = yaml.safe_load(config.read_text())
    settings["catalog"]["items"]["image"] = None
    settings["extract"]["text"] = "transformers:model"
    settings["export"] = {"sets": ["text"]}
    config.write_text(yaml.safe_dump(settings))
    run(config, STAGE.name, console=QUIET)
    return config


def _shards(config: Path) -> dict[str, tuple[int, str]]:
    folder = config.parent / "run" / "extract" / SHARDS / "text"
    return {path.name: (path.stat().st_ino, sha256_file(path)) for path in folder.iterdir()}


def _state(config: Path, *overrides: str) -> tuple[str, str]:
    first = status(load_config(config, overrides))[0]
    return first.state, first.why


def test_a_moved_model_embeds_nothing_anew(local: Path) -> None:
    before = _shards(local)
    (local.parent / "model").rename(local.parent / "elsewhere")
    assert _state(local, "extract.text=transformers:elsewhere") == ("done", "")
    run(local, STAGE.name, ["extract.text=transformers:elsewhere"], QUIET)
    assert _shards(local) == before


def test_a_changed_tokenizer_embeds_anew(local: Path) -> None:
    file = local.parent / "model" / "tokenizer_config.json"
    file.write_text(file.read_text() + "\n")
    assert _state(local) == ("stale", "changed: text model; 6 of 6 texts to embed")


def test_another_version_of_a_library_embeds_anew(local: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "library_versions", lambda names: dict.fromkeys(names, "99.0"))
    assert _state(local) == ("stale", "changed: text model; 6 of 6 texts to embed")


def test_device_and_batch_size_asked_for_as_they_were_chosen_link_what_is_there(local: Path) -> None:
    before = _shards(local)
    explicit = ["extract.device=cpu", "extract.batch_size=8"]
    assert _state(local, *explicit) == ("stale", "changed: text model")
    run(local, STAGE.name, explicit, QUIET)
    assert _shards(local) == before


def _without_bfloat16(monkeypatch: pytest.MonkeyPatch, *, has: bool) -> None:
    for module in (modality_job, local_engine):
        monkeypatch.setattr(module, "has_bfloat16", lambda _: has)


def test_bfloat16_without_instructions_is_float32_and_says_so(
    local: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, asked = _shards(local), "extract.precision=bfloat16"
    _without_bfloat16(monkeypatch, has=False)
    assert _state(local, asked) == ("done", "")  # the same vectors
    (local.parent / "run" / "extract" / "stage.json").unlink()
    run(local, STAGE.name, [asked], Console())
    assert "computes in float32" in " ".join(capsys.readouterr().err.split())
    assert {name: sha256 for name, (_, sha256) in _shards(local).items()} == {
        name: sha256 for name, (_, sha256) in before.items()
    }
    entry = RunFolder(local.parent / "run").read_manifest("extract/stage.json")
    assert entry is not None and entry.summary["sets"]["text"]["identity"]["precision"] == "float32"
    _without_bfloat16(monkeypatch, has=True)
    assert _state(local, asked) == ("done", "")  # on another machine too: what is done stays


def test_bfloat16_that_ran_is_in_the_fingerprint_and_other_workers_are_refused(
    local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, asked = _shards(local), "extract.precision=bfloat16"
    _without_bfloat16(monkeypatch, has=True)
    assert _state(local, asked) == ("stale", "changed: text model; 6 of 6 texts to embed")
    run(local, STAGE.name, [asked], QUIET)
    assert not before.keys() & _shards(local).keys()
    entry = RunFolder(local.parent / "run").read_manifest("extract/stage.json")
    assert entry is not None and entry.summary["sets"]["text"]["identity"]["precision"] == "bfloat16"
    _without_bfloat16(monkeypatch, has=False)
    assert _state(local, asked) == ("done", "")
    for path in (local.parent / "run" / "extract" / SHARDS / "text").iterdir():
        path.write_bytes(b"damaged")
    with pytest.raises(ExtractorError, match="bfloat16, for which this machine's processor has no"):
        run(local, STAGE.name, [asked], QUIET)


def test_what_was_finished_elsewhere_stays_done_and_goes_on_here(local: Path) -> None:
    """As a run that a machine with a GPU finished, and one that it left half done."""
    path = local.parent / "run" / "extract" / "stage.json"
    done = StageManifest.read(path)
    assert done is not None
    entry = done.summary["sets"]["text"]
    assert (entry["choice"]["device"], entry["choice"]["batch_size"]) == ("cpu", 8)
    summary: dict[str, Any] = json.loads(json.dumps(done.summary))
    summary["sets"]["text"]["choice"]["device"] = "cuda"
    StageManifest(done.stage, done.parts, done.files, summary).write(path)
    assert _state(local) == ("done", "")
    vectors = {sha for _, sha in _shards(local).values()}
    for shard in (path.parent / SHARDS / "text").iterdir():
        shard.unlink()
    run(local, STAGE.name, console=QUIET)
    again = StageManifest.read(path)
    assert again is not None and again.summary["sets"]["text"]["choice"]["device"] == "cpu"
    assert {sha for _, sha in _shards(local).values()} == vectors


def test_status_loads_neither_torch_nor_a_model(local: Path) -> None:
    code = (
        "import json, sys\n"
        "from pathlib import Path\n"
        "from alignrec.pipeline.config.file import load_config\n"
        "from alignrec.pipeline.runner.runner import state_of\n"
        "from alignrec.pipeline.runner.stage import StageContext\n"
        "from alignrec.pipeline.stages.extract.stage import STAGE\n"
        f"config = load_config(Path({str(local)!r}))\n"
        "state = state_of(StageContext(config, STAGE, {}))\n"
        "print(json.dumps([state.state, sorted(sys.modules)]))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    state, loaded = json.loads(out)
    assert state == "done"
    assert not {"torch", "transformers", "open_clip"} & set(loaded)


def test_how_tables_were_understood_is_said_before_anything_is_embedded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = {name: datasets.Dataset.from_dict({"item_id": [name], "title": ["x"]}) for name in ("a", "b")}
    datasets.DatasetDict(parts).save_to_disk(str(tmp_path / "saved"))
    config = tmp_path / "alignrec.yaml"
    items = {"path": "saved", "image": None, "text": "{title}"}
    config.write_text(
        yaml.safe_dump({"out": "run", "catalog": {"items": items}, "export": {"sets": ["text"]}})
    )
    capsys.readouterr()
    run(config, STAGE.name)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"{tmp_path / 'saved'}: all splits are read, a 1, b 1 rows."
    assert any(line.startswith("extract: 2 items") for line in lines)


def _vectors(config: Path) -> dict[str, list[float]]:
    features = RunFolder(load_config(config).run_folder).features(IMAGE.name)
    return {i: v for i, v in zip(features.ids, features.matrix.tolist(), strict=True) if any(v)}


def test_a_picture_that_changes_while_the_run_goes_on_never_gives_its_vector_to_the_old_one(
    tmp_path: Path,
) -> None:
    config = write_catalogue(tmp_path)
    loaded = load_config(config, ["catalog.items.text=null", "export.sets=[image]"])
    first = tmp_path / "images" / "1.png"
    context = planned(StageContext(loaded, STAGE, {}))
    first.write_bytes(picture(99))
    (tmp_path / "images" / "2.png").unlink()
    bring_up_to_date(context)
    changed = _vectors(config)
    assert set(changed) == {"i0", "i1", "i3", "i4", "i5"}
    assert [row["reason"] for row in RunFolder(loaded.run_folder).rejected()] == ["not-found"]
    first.write_bytes(picture(1))
    (tmp_path / "images" / "2.png").write_bytes(picture(2))
    bring_up_to_date(StageContext(loaded, STAGE, {}))
    restored = _vectors(config)
    assert set(restored) == {"i0", "i1", "i2", "i3", "i4", "i5"} and restored["i1"] != changed["i1"]
    write_catalogue(tmp_path / "fresh")
    fresh = load_config(
        tmp_path / "fresh" / "alignrec.yaml", ["catalog.items.text=null", "export.sets=[image]"]
    )
    bring_up_to_date(StageContext(fresh, STAGE, {}))
    assert restored == _vectors(tmp_path / "fresh" / "alignrec.yaml")


@pytest.mark.parametrize("missing", [0, 3])
def test_a_modality_of_which_nothing_is_usable_is_an_error_with_its_reasons(
    tmp_path: Path, missing: int
) -> None:
    config = write_catalogue(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "items.jsonl").read_text().splitlines()]
    for number, row in enumerate(rows):
        (tmp_path / "images" / f"{number}.png").write_bytes(picture(number)[:-200])
        row["image"] = None if number < missing else row["image"]
    write_items(tmp_path, rows)
    with pytest.raises(CatalogError) as caught:
        run(config, STAGE.name, ["extract.max_rejected=1"], QUIET)
    words = str(caught.value)
    assert "not one of 6 items has a usable image:" in words
    assert f"\n  {6 - missing} × truncated, such as row {missing}: " in words
    assert ("\n  3 × missing, such as row 0: the item names no image" in words) == bool(missing)
    assert "extract.max_rejected" in words and "catalog.items.image: null" in words
    run(
        config,
        STAGE.name,
        ["extract.max_rejected=1", "catalog.items.image=null", "export.sets=[text]"],
        QUIET,
    )
