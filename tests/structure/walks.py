"""How many files data passes: the walks of a picture, an interaction and a setting through a real, tiny run.

A walk is a list of stations, functions that turn the datum into its next form. When one is called, the files
of the project on the call stack below the runner have the datum in hand or decide what becomes of it. A file
is entered again where it comes back onto the stack after it had left it.

Run as `python -m tests.structure.walks`.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import yaml

from alignrec.pipeline import run
from alignrec.pipeline.runner.console import Console
from tests.pipeline.catalogues import write_catalogue
from tests.structure.modules import ROOMS, ROOT

# Nothing at or above these frames is the walk's: they bring any stage up to date, whatever it holds.
ABOVE = ("pipeline/runner/runner.py", "pipeline/stages/chain.py")


@dataclass
class Walk:
    """From the named start to the named end.

    Attributes:
        title: both, in words.
        aim: how many files at most.
        stations: file and qualified name of each station, in order, each `under` a file where it must be
            that one's work; a station that is not reached is an error.
        declared: files that only declare the datum, which no call shows.
        files: those passed, in order; filled by `measure`.
        again: the files entered again, once for each time.
    """

    title: str
    aim: int
    stations: list[str]
    declared: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)


def walks() -> list[Walk]:
    """The walks, not yet measured."""
    return [
        Walk(
            "an image, from the items table to its row in a release",
            10,
            [
                "pipeline/catalog/tables.py:table_of_rows.<locals>.read",
                "pipeline/catalog/formats/json_lines.py:open_json_lines.<locals>.objects",
                "pipeline/catalog/file_refs.py:find_file",
                "extractors/inputs/images.py:decode_image",
                "extractors/backends/packaged/efficientnet.py:EfficientNetLite.prepare",
                "extractors/backends/packaged/efficientnet.py:EfficientNetLite.embed",
                "pipeline/runner/arrow_files.py:write_sealed_arrow under pipeline/runner/shards.py",
                "pipeline/runner/arrow_files.py:read_sealed_arrow under pipeline/stages/export.py",
                "export/release/parquet.py:write_parts under pipeline/stages/export.py",
            ],
        ),
        Walk(
            "an interaction row, to `aligned` vectors",
            9,
            [
                "pipeline/catalog/interactions.py:read_interactions",
                "pipeline/stages/extract/stage.py:_write_tables",
                "pipeline/runner/arrow_files.py:read_arrow under pipeline/stages/split.py",
                "aligner/evaluate/splits.py:k_core under pipeline/stages/split.py",
                "aligner/evaluate/splits.py:split_random under pipeline/stages/split.py",
                "pipeline/runner/catalogue_split.py:CatalogueSplit.write",
                "pipeline/runner/catalogue_split.py:CatalogueSplit.read under pipeline/stages/train.py",
                "aligner/train/graphs.py:bipartite",
                "aligner/train/model.py:AlignRec.forward",
                "pipeline/runner/arrow_files.py:write_arrow under pipeline/stages/train.py",
            ],
        ),
        Walk(
            "`train.dim`, from YAML to the model",
            6,
            ["pipeline/config/file.py:load_config", "aligner/train/model.py:AlignRec.__init__"],
            ["pipeline/config/settings.py", "aligner/train/settings.py"],
        ),
    ]


Stack = tuple[str, ...]


class _Recorder:
    """Keeps the project's stack at the first call of each function of interest, after the one before."""

    def __init__(self, stations: set[str]) -> None:
        self.calls: list[tuple[str, Stack]] = []
        self.stations, self.known = stations, {}

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> None:
        if event != "call":
            return
        code = frame.f_code
        name = self.known.get(code)
        if name is None:
            name = self.known[code] = f"{_project_file(code.co_filename)}:{code.co_qualname}"
        if name in self.stations:
            self.calls.append((name, _stack(frame)))


def _project_file(path: str) -> str:
    inside = Path(path).is_relative_to(ROOT) and Path(path).relative_to(ROOT).as_posix()
    return inside if inside and inside.split("/")[0] in ROOMS else ""


def _stack(frame: FrameType | None) -> Stack:
    """The project's files on a stack below the runner, outermost first."""
    files: list[str] = []
    while frame is not None:
        file = _project_file(frame.f_code.co_filename)
        if file in ABOVE:
            break
        if file:
            files.append(file)
        frame = frame.f_back
    return tuple(reversed(files))


@contextmanager
def _recording(recorder: Callable[[FrameType, str, Any], None]) -> Iterator[None]:
    threading.setprofile(recorder)
    sys.setprofile(recorder)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def measure(folder: Path) -> list[Walk]:
    """The walks, measured in a run of a tiny catalogue with default models.

    Args:
        folder: where the catalogue and the run go.
    """
    config = write_catalogue(folder, items=12, users=9)
    settings = yaml.safe_load(config.read_text())
    settings["export"]["sets"] = ["image", "text", "multimodal", "aligned"]
    settings["train"] = {"dim": 8, "epochs": 1}
    config.write_text(yaml.safe_dump(settings))
    measured = walks()
    recorder = _Recorder({station.split(" ")[0] for walk in measured for station in walk.stations})
    with _recording(recorder):
        run(config, console=Console(quiet=True))
    for walk in measured:
        _follow(walk, recorder.calls)
    return measured


def _follow(walk: Walk, calls: list[tuple[str, Stack]]) -> None:
    """Go from each station to the first call of the next one after it."""
    before: Stack = ()
    position = 0
    walk.files += walk.declared
    for station in walk.stations:
        name, _, under = station.partition(" under ")
        while position < len(calls) and not (
            calls[position][0] == name and (not under or under in calls[position][1])
        ):
            position += 1
        if position == len(calls):
            raise LookupError(f"{walk.title}: {station} is not called after the station before it")
        stack = calls[position][1]
        kept = next((n for n, (a, b) in enumerate(zip(before, stack, strict=False)) if a != b), len(before))
        for number, file in enumerate(stack):
            if file not in walk.files:
                walk.files.append(file)
            elif number >= kept and file not in stack[:number] and file not in before:
                walk.again.append(file)
        before = stack


def table(measured: list[Walk]) -> str:
    """The result as a person reads it."""
    lines = []
    for walk in measured:
        again = f"entered again: {len(walk.again)}"
        lines.append(f"{walk.title}: {len(walk.files)} files, aim {walk.aim}; {again}")
        lines += [f"    {file}{'  (again)' * walk.again.count(file)}" for file in walk.files]
    return "\n".join(lines)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        print(table(measure(Path(scratch))))
