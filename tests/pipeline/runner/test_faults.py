"""Every file that a run writes, damaged in every way: done again, or one clear error; used never."""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from alignrec.pipeline.runner.checkpoint import Checkpoint
from alignrec.pipeline.stages.extract.shard_files import ShardFiles
from tests.pipeline.tiny_runs import CACHES, command, contents, restore, write_tiny

AIM = 400


def _flip(place: float) -> Callable[[Path], None]:
    def flip(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[int(place * (len(content) - 1))] ^= 4
        path.write_bytes(content)

    return flip


def _cut(kept: float) -> Callable[[Path], None]:
    def cut(path: Path) -> None:
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * kept)])

    return cut


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


FAULTS: dict[str, Callable[[Path], None]] = {
    "a bit flipped at its start": _flip(0),
    "a bit flipped in its first quarter": _flip(0.25),
    "a bit flipped in its middle": _flip(0.5),
    "a bit flipped at its end": _flip(1),
    "cut in half": _cut(0.5),
    "cut at its end": _cut(0.99),
    "emptied": _cut(0),
    "deleted": Path.unlink,
    "a folder in its place": _folder,
}


class _KilledError(BaseException):
    """Ends a run as a kill does: nothing of ours catches it."""


@dataclass(frozen=True)
class World:
    """A finished run, and what is beside it to begin again from."""

    config: Path
    clean: dict[str, bytes]
    states: Path

    @property
    def run(self) -> Path:
        return self.config.parent / "run"

    def killed(self, stage: str) -> Path:
        """The run as a kill within a stage left it."""
        return self.states / stage


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("faults")
    config, states = write_tiny(folder / "tiny"), folder / "states"
    run = config.parent / "run"
    for stage, kill in KILLS.items():
        with pytest.MonkeyPatch.context() as patch, pytest.raises(_KilledError):
            kill(patch)
            command("run", "-q", "-c", config)
        shutil.copytree(run, states / stage)
    assert command("run", "-q", "-c", config) == 0
    shutil.copytree(run, states / "finished")
    # A control that is kept is read only where an evaluation is made anew.
    shutil.copytree(
        run, states / "evaluate", ignore=lambda folder, _: ["evaluate"] if folder == str(run) else []
    )
    return World(config, contents(run), states)


def _killed_in_extract(patch: pytest.MonkeyPatch) -> None:
    def link(self: ShardFiles, shards: Any, target: Path) -> None:
        if self.scratch.name == "text":  # both modalities are embedded by then
            raise _KilledError
        done(self, shards, target)

    done = ShardFiles.link
    patch.setattr(ShardFiles, "link", link)


def _killed_after_an_epoch(stage: str) -> Callable[[pytest.MonkeyPatch], None]:
    def kill(patch: pytest.MonkeyPatch) -> None:
        def save(self: Checkpoint, state: dict[str, Any]) -> None:
            done(self, state)
            if self.path.parent.name == f".{stage}":
                raise _KilledError

        done = Checkpoint.save
        patch.setattr(Checkpoint, "save", save)

    return kill


KILLS = {
    "extract": _killed_in_extract,
    "pretrain": _killed_after_an_epoch("pretrain"),
    "train": _killed_after_an_epoch("train"),
}


def _cases(world: World) -> Iterator[tuple[str, str, str]]:
    """The state to begin from, the file, and the fault."""
    for fault in FAULTS:
        for name in contents(world.killed("finished")):
            yield "evaluate" if name.startswith(".control/") else "finished", name, fault
        yield from (("finished", name, fault) for name in CACHES)
        for stage in KILLS:
            scratch = (name for name in contents(world.killed(stage)) if name.startswith(f".{stage}/"))
            yield from ((stage, name, fault) for name in scratch)


def _what_is_wrong(world: World, state: str, name: str, fault: str, errors: Callable[[], str]) -> str:
    """What a run makes of a fault that it must not; "" where all is well. The run is left as it was clean."""
    if state != "finished":
        restore(world.killed(state), world.run)
    FAULTS[fault](world.run / name)
    until = [] if state == "finished" else ["--until", state]
    errors()
    try:
        code = command("run", "-q", "-c", world.config, *until)
    except BaseException:
        return traceback.format_exc()[-600:]
    words = errors()
    if code != 0:
        restore(world.killed("finished"), world.run)
        clear = code in (2, 3, 4) and words.startswith("error: ") and "Traceback" not in words
        return "" if clear else f"exit code {code}: {words[-600:]}"
    results, wanted = contents(world.run), world.clean
    if state != "finished":
        results, wanted = (
            {k: v for k, v in f.items() if k.startswith(f"{state}/")} for f in (results, wanted)
        )
    differing = [name for name in {**results, **wanted} if results.get(name) != wanted.get(name)]
    if differing or state != "finished":
        restore(world.killed("finished"), world.run)
    return f"exit code 0, and other bytes than without the fault: {differing[:5]}" if differing else ""


def _failures(world: World, cases: list[tuple[str, str, str]], errors: Callable[[], str]) -> list[str]:
    restore(world.killed("finished"), world.run)
    found = [(case, _what_is_wrong(world, *case, errors)) for case in cases]
    return [f"{state}: {name}, {fault}: {wrong}" for (state, name, fault), wrong in found if wrong]


@pytest.mark.slow
def test_no_fault_of_any_file_goes_into_a_result(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    cases = list(_cases(world))
    failures = _failures(world, cases, lambda: capsys.readouterr().err)
    with capsys.disabled():
        print(f"\n{len(cases)} faults, {len(failures)} of them used or not clearly refused")
    assert len(cases) >= AIM
    assert not failures, "\n".join(failures)


@pytest.mark.slow
def test_no_damaged_release_is_whole(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    release = world.run / "release"
    # The manifest covers the other files; itself it is covered by the run's export.json, or by its commit.
    files = [name for name in contents(world.killed("finished") / "release") if name != "manifest.json"]
    cases = [(name, fault) for name in files for fault in FAULTS]
    failures = []
    for name, fault in cases:
        restore(world.killed("finished") / "release", release)
        FAULTS[fault](release / name)
        capsys.readouterr()
        try:
            code, words = command("verify", release), capsys.readouterr().err
        except BaseException:
            code, words = 1, traceback.format_exc()[-600:]
        if code not in (2, 3) or not words.startswith("error: "):
            failures.append(f"{name}, {fault}: exit code {code}: {words}")
    with capsys.disabled():
        print(f"\n{len(cases)} faults of a release, {len(failures)} of them not found")
    assert cases and not failures, "\n".join(failures)


def test_one_fault_of_each_kind_of_file(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    flip, cut = "a bit flipped in its middle", "cut at its end"
    shard = next(name for name in world.clean if name.startswith("extract/shards/text/"))
    cases = [
        ("finished", "extract/stage.json", flip),
        ("finished", shard, flip),
        ("finished", "pretrain/encoder/multimodal/model.safetensors", flip),
        ("finished", "train/aligned.arrow", flip),
        ("finished", "report.html", flip),
        ("finished", "release/data/aligned/part-00000.parquet", flip),
        ("extract", f".{shard}", flip),
        ("extract", f".{shard}", cut),
        ("train", ".train/checkpoint.pt", flip),
        ("train", ".train/checkpoint.pt", cut),
    ]
    failures = _failures(world, cases, lambda: capsys.readouterr().err)
    assert not failures, "\n".join(failures)
