"""What a run is made of: stages, what each finds, and what it would do about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.manifest import MANIFEST, StageManifest


@dataclass(frozen=True)
class Before:
    """What a stage finds when its turn comes.

    Attributes:
        config: the run.
        done: the manifests of the stages before it, all up to date, by name.
        rehash: look at contents, not at sizes and times.
    """

    config: Config
    done: Mapping[str, StageManifest]
    rehash: bool = False

    def folder(self, stage: str) -> Path:
        """Where an earlier stage left its files."""
        return self.config.run_folder / stage


@dataclass(frozen=True)
class Work:
    """A stage of one run, known before it begins.

    Attributes:
        parts: hashes of all that decides what the stage writes, by what they cover: they make its
            fingerprint, and those that changed say why it is stale.
        run: does what is not done yet, and writes the stage's manifest last.
        left: what is still to do of a stage that can stop half-way, in words.
        begun: whether a part of it is there already.
    """

    parts: Mapping[str, str]
    run: Callable[[Console], StageManifest]
    left: str = ""
    begun: bool = False


@dataclass(frozen=True)
class Stage:
    """One link of the chain.

    Attributes:
        name: as the command line has it.
        plan: finds out what there is to do, without doing it.
        tell: what a finished stage made, line by line.
        skip: why a config does not need the stage, or "".
        folder: where its files lie, below the run folder.
        manifest: its manifest's path, below the run folder.
    """

    name: str
    plan: Callable[[Before], Work]
    tell: Callable[[StageManifest], list[str]]
    skip: Callable[[Config], str] = lambda _config: ""
    folder: str = ""
    manifest: str = ""

    def __post_init__(self) -> None:
        """By default a stage's files and manifest lie in the folder of its name."""
        object.__setattr__(self, "folder", self.folder or self.name)
        object.__setattr__(self, "manifest", self.manifest or f"{self.folder}/{MANIFEST}")

    def read(self, config: Config) -> StageManifest | None:
        """The manifest of an earlier run, or None."""
        return StageManifest.read(config.run_folder / self.manifest)


def scratch_folder(config: Config, stage: str) -> Path:
    """Where a stage keeps what only its resumption needs; the runner removes it once the stage is done."""
    return config.run_folder / f".{stage}"
