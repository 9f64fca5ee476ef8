"""An estimate of a tiny run beside what the run then takes; that it leaves no trace; what it cannot tell."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from alignrec.pipeline.commands.estimate import Estimate, estimate, total
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import CatalogError
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.cost import Cost, bytes_of
from alignrec.pipeline.stages.chain import needed, run
from alignrec.pipeline.stages.extract import stage as extraction
from alignrec.pipeline.stages.extract.sample import sample
from tests.pipeline.tiny_runs import write_tiny

QUIET = Console(quiet=True)
STAGES = ["extract", "split", "pretrain", "train", "evaluate", "export", "report"]


def guess(config: Path, *overrides: str) -> dict[str, Estimate]:
    """The estimate of a config, of samples of less than its catalogue, by stage."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extraction, "sample", partial(sample, size=36, places=2))
        return {one.stage: one for one in estimate(load_config(config, overrides), QUIET)}


def on_disk(config: Config) -> dict[str, int]:
    """What each stage of a finished run takes on disk."""
    folder = config.run_folder
    return {
        stage.name: bytes_of(folder / stage.result, folder / stage.manifest)
        for stage in needed(config, "export")
    }


def snapshot(folder: Path) -> dict[str, int]:
    """When each file and folder was last changed."""
    return {path.relative_to(folder).as_posix(): path.lstat().st_mtime_ns for path in folder.rglob("*")}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Estimate]]:
    """A config, and the estimate of its run, which was not begun."""
    config = write_tiny(tmp_path_factory.mktemp("tiny"))
    return config, guess(config)


@pytest.fixture(scope="module")
def after(before: tuple[Path, dict[str, Estimate]]) -> Path:
    """The same config, with its run."""
    run(before[0], console=QUIET)
    return before[0]


def test_every_stage_of_the_run_has_its_cost(before: tuple[Path, dict[str, Estimate]]) -> None:
    config, found = before
    assert list(found) == STAGES
    assert not (config.parent / "run").exists()
    for one in found.values():
        assert not one.done and one.cost is not None
        low, high = one.cost.seconds
        assert 0 < low <= high and one.cost.memory > 2**20


def test_the_disk_is_what_the_run_then_takes(before: tuple[Path, dict[str, Estimate]], after: Path) -> None:
    found, real = before[1], on_disk(load_config(after))
    for name, size in real.items():
        cost = found[name].cost
        assert cost is not None and cost.disk == pytest.approx(size, rel=0.1), name


def test_what_is_done_costs_nothing_and_what_is_not_is_measured_beside_it(after: Path) -> None:
    folder = after.parent
    seen = snapshot(folder)
    assert all(one.done and one.cost == Cost((0, 0), 0, 0) for one in guess(after).values())
    assert snapshot(folder) == seen
    other = folder / "other"
    shutil.copytree(folder / "run", other)
    shutil.rmtree(other / "train")
    seen = snapshot(folder)
    found = guess(after, f"out={other}")
    assert [name for name, one in found.items() if one.done] == ["extract", "split", "pretrain"]
    train = found["train"].cost
    assert train is not None and train.seconds[0] > 0
    assert train.disk == pytest.approx(on_disk(load_config(after))["train"], rel=0.1)
    assert snapshot(folder) == seen


def test_nothing_tells_of_a_full_evaluation_nor_of_what_reads_it(after: Path) -> None:
    found = guess(after, "evaluate.full=true")
    assert [name for name, one in found.items() if one.cost is None] == ["evaluate", "export", "report"]
    assert found["evaluate"].record() == {
        "stage": "evaluate",
        "done": False,
        "seconds": None,
        "memory": None,
        "disk": None,
    }
    assert total(list(found.values())) == Cost((0, 0), 0, 0)


def test_a_catalogue_that_a_run_refuses_is_refused_in_the_same_words(tmp_path: Path) -> None:
    config = write_tiny(tmp_path)
    wrong = ["catalog.interactions.rating=stars"]
    with pytest.raises(CatalogError) as of_estimate:
        guess(config, *wrong)
    with pytest.raises(CatalogError) as of_run:
        run(config, overrides=wrong, console=QUIET)
    assert str(of_estimate.value) == str(of_run.value)


def test_the_total_is_the_sum_of_times_and_the_largest_memory() -> None:
    costs = [Cost((1, 2), 30, 5), Cost((10, 20), 10, 50)]
    found = [Estimate("one", False, costs[0]), Estimate("two", False, costs[1]), Estimate("x", False, None)]
    assert total(found) == Cost((11, 22), 30, 55)
