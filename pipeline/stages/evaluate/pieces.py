"""A piece of an evaluation: one training under one seed, resumable, and kept once it is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.top_k import Evaluations, evaluate_all, evaluate_as
from alignrec.aligner.train.collaborative import collaborative
from alignrec.core.protocols import find_protocol
from alignrec.core.vocabulary import CONTROL
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.checkpoint import Checkpoint
from alignrec.pipeline.runner.manifest import fingerprint
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.evaluate.evaluation_cache import kept_evaluations
from alignrec.pipeline.stages.following import following

# Trains to the end, given where to keep what its resumption needs and what to call it on the screen.
Fit = Callable[[Checkpoint, str], Scorer]


@dataclass(frozen=True)
class Less:
    """What a training lacks: histories are thinned, or items have lost a modality.

    Attributes:
        protocol: that measures it.
        share: that is kept, or lost, as the protocol has it.
    """

    protocol: str
    share: float

    def __str__(self) -> str:
        """The words of the protocol."""
        protocol = find_protocol(self.protocol)
        return f"{protocol.label}, {self.share:.0%} {protocol.share}"


@dataclass(frozen=True)
class Piece:
    """One row of the table under one seed; None where nothing is trained.

    Attributes:
        parts: hashes of all that decides it, but for subject and seed.
        scratch: keeps its checkpoint and, once it is measured, what it reached.
        less: what it learns from is less than what the run has; None where it is all.
    """

    subject: str
    seed: int | None
    fit: Fit
    parts: Mapping[str, str]
    scratch: Path
    less: Less | None = None

    @property
    def name(self) -> str:
        """The subject, with the seed and what there is less if there are any."""
        seed = None if self.seed is None else f"seed {self.seed}"
        less = None if self.less is None else str(self.less)
        return ", ".join(word for word in (self.subject, seed, less) if word is not None)

    @property
    def checkpoint(self) -> Checkpoint:
        """Of its training."""
        return checkpoint_of(self.scratch, self.name, self.parts)

    @property
    def reached(self) -> Path:
        """The file that holds what it reached."""
        return self.checkpoint.path.with_suffix(".judged")

    def evaluate(self, evaluator: Evaluator, title: str) -> Evaluations:
        """Train and measure it, unless that is done."""
        self.scratch.mkdir(exist_ok=True)
        measure = evaluate_all if self.less is None else partial(evaluate_as, self.less.protocol)
        kept = kept_evaluations(self.reached, lambda: measure(self.fit(self.checkpoint, title), evaluator))
        self.checkpoint.path.unlink(missing_ok=True)
        return kept


def control(
    context: StageContext,
    cut: CatalogueSplit,
    seed: int,
    redrawn: int | None = None,
    less: Less | None = None,
) -> Piece:
    """What is left of the run's training without content.

    It depends on no feature, so it outlives the stage: new features are compared with the same control.

    Args:
        context: of the run.
        cut: what it learns from.
        seed: of its training.
        redrawn: the seed that drew the split; None for the run's own split.
        less: how `cut` was thinned; None for whole histories.
    """
    settings = context.config.train
    parts = {
        name: part
        for name, part in context.parts.items()
        if name in ("split", "train settings", "evaluate settings") or name.endswith(" version")
    }
    parts |= split_parts(redrawn, less)

    def fit(checkpoint: Checkpoint, title: str) -> Scorer:
        with following(checkpoint, settings.epochs, context.console, title) as hooks:
            return collaborative(cut.split, settings, seed, **hooks)

    return Piece(CONTROL, seed, fit, parts, context.run.scratch("control"), less)


def split_parts(redrawn: int | None, less: Less | None) -> dict[str, str]:
    """The parts of a piece's fingerprint for a split that a seed drew anew, and for what there is less."""
    parts = {"split drawn by the seed": redrawn, "less": less}
    return {name: str(value) for name, value in parts.items() if value is not None}


def keep_controls(pieces: Iterable[Piece]) -> None:
    """Remove what controls of other splits, settings and seeds reached."""
    kept = {piece.reached: piece.scratch for piece in pieces}
    for folder in set(kept.values()):
        for path in folder.iterdir():
            if path not in kept:
                path.unlink()


def checkpoint_of(scratch: Path, name: str, parts: Mapping[str, str]) -> Checkpoint:
    """The checkpoint of a training in a folder, by its name and all that decides it."""
    mark = fingerprint(name, parts)
    return Checkpoint(scratch / f"{mark[:16]}.pt", mark)
