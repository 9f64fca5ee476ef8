"""The runner finishes a stage whole or not at all, and again when what decides it has changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alignrec.core import libraries
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import InputsChangedError, RunFolderError
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.manifest import StageManifest
from alignrec.pipeline.runner.runner import StageState, bring_up_to_date, state_of
from alignrec.pipeline.runner.stage import Plan, Stage, StageContext


class Counting(Stage):
    """Writes the config's seed, and how often it was asked to."""

    name = "counting"
    libraries = ("numpy",)

    def __init__(self) -> None:
        self.times = 0
        self.needed = 0
        self.fails = False

    def plan(self, context: StageContext) -> Plan:
        return Plan({"seed": str(context.config.seed)}, bytes=self.needed)

    def make(self, context: StageContext, target: Path) -> Mapping[str, Any]:
        self.times += 1
        assert context.scratch.is_dir()
        (target / "inner").mkdir()
        (target / "inner" / "seed.txt").write_text(str(context.config.seed))
        if self.fails:
            raise OSError("half-way")
        return {"times": self.times}

    def describe(self, summary: Mapping[str, Any]) -> list[str]:
        return [f"counting: {summary['times']}"]


class Chased(Counting):
    """What it was planned with changes, the first times that it is made."""

    def __init__(self, changes: int) -> None:
        super().__init__()
        self.changes = changes

    def plan(self, context: StageContext) -> Plan:
        return Plan({"state": str(self.times), "rehash": str(context.rehash)})

    def make(self, context: StageContext, target: Path) -> Mapping[str, Any]:
        summary = super().make(context, target)
        if self.times <= self.changes:
            raise InputsChangedError(f"input {self.times} changed")
        return summary


class Page(Counting):
    """The same in a single file, with its manifest beside it."""

    name = "page"
    folder = "page.html"

    @property
    def manifest(self) -> str:
        return "page.json"

    def make(self, context: StageContext, target: Path) -> Mapping[str, Any]:
        self.times += 1
        target.write_text(str(context.config.seed))
        return {"times": self.times}


def context(tmp_path: Path, stage: Stage, seed: int = 1) -> StageContext:
    config = Config.model_validate(
        {"out": tmp_path / "run", "seed": seed, "catalog": {"items": {"path": "x"}}}
    )
    return StageContext(config, stage, {})


def test_it_is_done_once_and_again_when_an_input_changes(tmp_path: Path) -> None:
    stage = Counting()
    once = bring_up_to_date(context(tmp_path, stage))
    again = bring_up_to_date(context(tmp_path, stage))
    first = once.manifest
    assert (once.renewed, again.renewed, again.manifest, stage.times) == (True, False, first, 1)
    assert once.seconds > 0 and again.seconds > 0
    assert first == StageManifest.read(tmp_path / "run" / "counting" / "stage.json")
    assert list(first.files) == ["inner/seed.txt"] and first.summary == {"times": 1}
    assert not (tmp_path / "run" / ".counting").exists()
    assert state_of(context(tmp_path, stage, seed=2)) == StageState("counting", "stale", "changed: seed")
    bring_up_to_date(context(tmp_path, stage, seed=2))
    assert (tmp_path / "run" / "counting" / "inner" / "seed.txt").read_text() == "2"


def test_another_version_of_a_library_makes_it_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Counting()
    bring_up_to_date(context(tmp_path, stage))
    assert state_of(context(tmp_path, stage)).state == "done"
    monkeypatch.setattr(libraries, "version", lambda _library: "0.0.1")
    assert state_of(context(tmp_path, stage)) == StageState("counting", "stale", "changed: numpy version")


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    stage = Counting()
    done = bring_up_to_date(context(tmp_path, stage)).manifest
    stage.fails = True
    with pytest.raises(OSError, match="half-way"):
        bring_up_to_date(context(tmp_path, stage, seed=2))
    assert bring_up_to_date(context(tmp_path, stage)).manifest == done
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["counting"]


def test_the_state_of_what_is_not_there_writes_nothing(tmp_path: Path) -> None:
    assert state_of(context(tmp_path, Counting())) == StageState("counting", "to do", "not there yet")
    assert not (tmp_path / "run").exists()


def test_the_disk_is_looked_at_before(tmp_path: Path) -> None:
    stage = Counting()
    stage.needed = 2**80
    with pytest.raises(RunFolderError, match="GiB free"):
        bring_up_to_date(context(tmp_path, stage))
    assert stage.times == 0


def _flip(path: Path) -> None:
    """Turn one bit of a file, in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damaged", "why"),
    [
        ("inner/seed.txt", "counting/inner/seed.txt differs from its recorded hash"),
        ("stage.json", "counting/stage.json is not as it was written"),
    ],
)
def test_a_flipped_bit_means_not_done_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damaged: str, why: str
) -> None:
    stage = Counting()
    bring_up_to_date(context(tmp_path, stage))
    wanted = (tmp_path / "run" / "counting" / "inner" / "seed.txt").read_bytes()
    _flip(tmp_path / "run" / "counting" / damaged)
    assert state_of(replace(context(tmp_path, stage), rehash=True)).why == why
    bring_up_to_date(replace(context(tmp_path, stage), console=Console()))
    assert stage.times == 2
    assert capsys.readouterr().err.splitlines()[0] == f"counting: {why}; it is done again"
    assert (tmp_path / "run" / "counting" / "inner" / "seed.txt").read_bytes() == wanted
    assert state_of(replace(context(tmp_path, stage), rehash=True)).state == "done"


def test_a_state_is_told_by_sizes_unless_contents_are_asked_for(tmp_path: Path) -> None:
    stage = Counting()
    bring_up_to_date(context(tmp_path, stage))
    _flip(tmp_path / "run" / "counting" / "inner" / "seed.txt")
    assert state_of(context(tmp_path, stage)).state == "done"


@pytest.mark.parametrize(("damage", "how"), [("", "size"), ("3", "size"), ("13", "hash")])
def test_a_single_file_is_replaced_as_a_folder_is(tmp_path: Path, damage: str, how: str) -> None:
    stage = Page()
    manifest = bring_up_to_date(context(tmp_path, stage, seed=12)).manifest
    page = tmp_path / "run" / "page.html"
    assert page.read_text() == "12" and list(manifest.files) == ["page.html"]
    page.write_text(damage)
    verified = replace(context(tmp_path, stage, seed=12), rehash=True)
    assert state_of(verified).why == f"page.html differs from its recorded {how}"
    bring_up_to_date(context(tmp_path, stage, seed=12))
    assert page.read_text() == "12"


def test_what_changes_meanwhile_is_planned_anew_a_few_times(tmp_path: Path) -> None:
    config = Config(out=tmp_path, catalog={"items": {"path": "items.csv"}})
    chased = Chased(changes=4)
    done = bring_up_to_date(StageContext(config, chased, {})).manifest
    assert (chased.times, done.summary) == (5, {"times": 5})
    assert (done.parts["state"], done.parts["rehash"]) == ("4", "True")
    with pytest.raises(InputsChangedError, match=r"^input 5 changed\. Run again when nothing writes"):
        bring_up_to_date(StageContext(config.model_copy(update={"out": tmp_path / "b"}), Chased(9), {}))
    assert not (tmp_path / "b" / "counting").exists()
