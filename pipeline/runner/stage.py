"""What a stage is: a name, what decides its results, and how they are made. The runner does the rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from alignrec.aligner.processes import ALONE, Processes
from alignrec.core.files import digest
from alignrec.core.libraries import library_versions
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.manifest import MANIFEST, StageManifest, fingerprint
from alignrec.pipeline.runner.run_folder import RunFolder

if TYPE_CHECKING:
    from alignrec.pipeline.runner.checkpoint import Checkpoint
    from alignrec.pipeline.runner.cost import Cost, Measured


@dataclass(frozen=True)
class Plan:
    """What a stage is going to do, found out without doing it.

    Attributes:
        inputs: JSON values of all that decides what the stage writes, by what they cover: settings, and what
            earlier stages wrote. The stage's version and its libraries' versions are added by the runner.
            Paths and machines decide nothing and do not belong here.
        left: what is still to do of a stage that can stop half-way, in words.
        begun: whether a part of it is there already.
        bytes: what the stage needs on disk, roughly.
        details: what planning found and making needs again.
    """

    inputs: Mapping[str, Any]
    left: str = ""
    begun: bool = False
    bytes: int = 0
    details: Any = None


@dataclass(frozen=True)
class StageContext:
    """What a stage finds when its turn comes.

    Attributes:
        config: of the run.
        stage: the stage.
        done: the manifests of the stages before it, all up to date, by name.
        rehash: look at contents, not at sizes and times.
        console: where progress goes.
        plan: what `Stage.plan` found; None while it looks.
        processes: that can share a training.
    """

    config: Config
    stage: Stage
    done: Mapping[str, StageManifest]
    rehash: bool = False
    console: Console = field(default_factory=lambda: Console(quiet=True))
    plan: Plan | None = None
    processes: Processes = ALONE

    @cached_property
    def run(self) -> RunFolder:
        """The run's folder, with everything that earlier stages wrote."""
        return RunFolder(self.config.run_folder)

    @property
    def scratch(self) -> Path:
        """The stage's folder for what only its resumption needs; removed once the stage is done."""
        return self.run.scratch(self.stage.name)

    @property
    def place(self) -> Path:
        """Where the stage's result lies: what an earlier run left there."""
        return self.run.path / self.stage.result

    @property
    def previous(self) -> StageManifest | None:
        """The stage's manifest of an earlier run, up to date or not; None where there is none."""
        return self.run.read_manifest(self.stage.manifest)

    @cached_property
    def parts(self) -> dict[str, str]:
        """Hashes, or the very words, of all that decides what the stage writes, by what they cover."""
        assert self.plan is not None
        return stage_parts(self.stage, self.plan)

    def checkpoint(self, name: str = "checkpoint", parts: Mapping[str, str] | None = None) -> Checkpoint:
        """The state of a training under way, in the stage's scratch folder.

        Args:
            name: of the training, where a stage has several.
            parts: hashes of all that decides it; by default the stage's own.
        """
        from alignrec.pipeline.runner.checkpoint import Checkpoint  # loads torch

        mark = fingerprint(name, self.parts if parts is None else parts)
        return Checkpoint(self.scratch / f"{name.replace(' ', '-')}.pt", mark)


class Stage(ABC):
    """One link of the chain.

    A stage is an object that says what it is and makes its files in a folder that the runner gives it. The
    runner compares fingerprints, replaces the folder whole or not at all, writes the manifest, keeps the
    scratch folder until then, and looks after the disk.

    Attributes:
        name: as the command line has it.
        version: counts up when the same inputs would give other bytes.
        libraries: installed distributions whose versions decide bytes.
        reads: the stages whose results it needs, by name; empty for all that run before it.
        after: of a plugin's stage, the stage that it follows.
        folder: where its files lie, below the run folder; by default of its name. With an ending it is a
            single file.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    libraries: ClassVar[Sequence[str]] = ()
    reads: ClassVar[Sequence[str]] = ()
    after: ClassVar[str] = ""
    folder: ClassVar[str] = ""

    @property
    def result(self) -> str:
        """Path of its folder or single file, below the run folder."""
        return self.folder or self.name

    @property
    def manifest(self) -> str:
        """Path of its manifest, below the run folder."""
        return f"{self.result}/{MANIFEST}"

    def skip(self, config: Config) -> str:  # noqa: ARG002
        """Why a config does not need the stage, as the end of a sentence; "" where it does."""
        return ""

    @abstractmethod
    def plan(self, context: StageContext) -> Plan:
        """Find out what there is to do: without writing, without loading models or torch."""

    def remember(self, context: StageContext) -> None:  # noqa: B027
        """Keep what makes the next plan quicker; called by a run, never by `status`."""

    @abstractmethod
    def make(self, context: StageContext, target: Path) -> Mapping[str, Any]:
        """Write the stage's files.

        Args:
            context: with the plan.
            target: an empty folder (or the path of the single file) that takes the stage's place afterwards.

        Returns:
            JSON values that the stage has to say of itself; under `sets`, the feature sets that it wrote.
        """

    def assist(self, context: StageContext) -> None:
        """Do a share of the training that the first of several processes called for in `make`.

        Nothing is written. Only stages that call have something to do.

        Args:
            context: of a process that is not the first, planned.
        """
        raise NotImplementedError(f"the stage {self.name} shares nothing")

    def finished(self, context: StageContext) -> None:  # noqa: B027
        """Remove what a stage keeps outside of its scratch folder until it is done."""

    def shortened(self, context: StageContext) -> StageContext | None:
        """A part of the work that tells what all of it takes, for a rehearsal to do; by default all of it.

        Args:
            context: of the rehearsal, planned: its run folder is a temporary one, and its config trains for
                few epochs.

        Returns:
            The context to make the stage with; None where nothing tells.
        """
        return context

    def cost(self, rehearsal: StageContext, actual: StageContext, measured: Measured) -> Cost:  # noqa: ARG002
        """What the whole stage takes, after the rehearsal; by default what the rehearsal took.

        Args:
            rehearsal: that was made.
            actual: the stage in the run itself, with a plan only if what it needs is there.
            measured: what the rehearsal took.
        """
        from alignrec.pipeline.runner.cost import Cost, bytes_of

        disk = bytes_of(rehearsal.place, rehearsal.run.path / rehearsal.stage.manifest)
        return Cost((measured.seconds, measured.seconds), measured.memory, disk)

    @abstractmethod
    def describe(self, summary: Mapping[str, Any]) -> list[str]:
        """What `make` returned, in lines for a person."""


def stage_parts(stage: Stage, plan: Plan) -> dict[str, str]:
    """What a stage's fingerprint is made of: its version, its libraries', and its inputs."""
    parts = {"stage version": str(stage.version)}
    parts |= {f"{name} version": found for name, found in library_versions(stage.libraries).items()}
    inputs = {name: value if isinstance(value, str) else digest(value) for name, value in plan.inputs.items()}
    return parts | inputs


def describe_sets(sets: Mapping[str, Mapping[str, Any]]) -> str:
    """Feature sets of a summary, in words: `image 798 × 1280, text 799 × 384`."""
    return ", ".join(f"{name} {entry['valid']:,} × {entry['dim']}" for name, entry in sets.items())


def begun(context: StageContext) -> Mapping[str, Any]:
    """For the plan of a stage that trains: whether it was stopped in mid-training."""
    stopped = any(context.scratch.glob("*.pt"))
    return {"begun": stopped, "left": "stopped in mid-training" if stopped else ""}
