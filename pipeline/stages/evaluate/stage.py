"""The evaluate stage: what the features are worth, measured and saved."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.landmarks.registry import all_landmarks, landmarks_of
from alignrec.core.files import digest, write_bytes
from alignrec.core.protocols import THINNED
from alignrec.core.results import METRICS_FILE, POOLED_FILE
from alignrec.core.vocabulary import ALIGNED, MULTIMODAL, USER
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import InputsChangedError
from alignrec.pipeline.runner.cost import Cost, Measured
from alignrec.pipeline.runner.run_folder import EVALUATE, PRETRAIN, SPLIT, TRAIN
from alignrec.pipeline.runner.stage import Plan, Stage, StageContext, stage_parts
from alignrec.pipeline.stages.evaluate.landmark_input import landmark_input
from alignrec.pipeline.stages.evaluate.metrics_file import metrics_bytes, pooled_words, search_words
from alignrec.pipeline.stages.evaluate.rankings import check_names, evaluate_rankings, rankings_inputs
from alignrec.pipeline.stages.pretrain import content_inputs, pretrain_resumably, pretraining_inputs
from alignrec.pipeline.stages.train import training_inputs

if TYPE_CHECKING:
    from alignrec.aligner.evaluate.protocols import Matrix
    from alignrec.aligner.landmarks.contract import Landmark
    from alignrec.pipeline.stages.evaluate.pieces import Piece

# The part of a fingerprint that only a full evaluation has, and the number of what is measured in it.
FULL = "seeds and landmarks of the full evaluation"
_FULL_VERSION = 2
# The part that only an evaluation with lists from elsewhere has.
RANKINGS = "lists from elsewhere"
# The part that only an evaluation on several splits has, and the number of what is measured on them.
SPLITS = "splits and their seeds"
_SPLITS_VERSION = 3
# Parts that add to an evaluation, and change nothing of the rest.
_MORE = (FULL, RANKINGS, SPLITS)
# The part that says which protocols are measured, and changes nothing of what they train.
SHARES = "shares that are masked and thinned"
_OF_SHARES = {"masked", THINNED}
# Its pieces, and those of several splits, outlive other runs of the stage.
FULL_SCRATCH = "evaluate-full"


class EvaluateStage(Stage):
    """Measures the run's features, and what the training on them recommends."""

    name = EVALUATE
    version = 8
    libraries = ("numpy", "scipy", "torch")

    def __init__(self, landmarks: Callable[..., list[Landmark]] = landmarks_of) -> None:
        """With `landmarks` in place of `landmarks_of`: those beside the run's own training."""
        self.landmarks = landmarks

    def skip(self, config: Config) -> str:
        """Without interactions there is nothing to measure by."""
        return "" if config.interacts else "it has no interactions; name them under catalog.interactions."

    def plan(self, context: StageContext) -> Plan:
        """The settings, the content, the split, and what was trained decide."""
        config, done = context.config, context.done
        inputs: dict[str, Any] = {
            "evaluate settings": config.evaluate.model_dump(
                mode="json", exclude={"seeds", "full", "rankings", "splits", "published"} | _OF_SHARES
            ),
            SHARES: config.evaluate.model_dump(mode="json", include=_OF_SHARES),
            "landmarks": {mark.name: mark.identity for mark in all_landmarks() if mark.quick},
            "split": done[SPLIT].files,
            "seed": str(config.seed),
            **content_inputs(context),
        }
        if PRETRAIN in done:
            inputs |= pretraining_inputs(config) | {MULTIMODAL: done[PRETRAIN].files}
        if TRAIN in done:
            inputs |= training_inputs(context) | {"trained": done[TRAIN].files}
        more = self._more_inputs(context, inputs)
        return Plan(inputs | more, details=more)

    def _more_inputs(self, context: StageContext, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """What a full evaluation, lists from elsewhere and several splits add; nothing without these.

        An evaluation that is there, of the same inputs and settings, serves one that asks for less: it has
        all that is asked for, so it stays. It never serves one that asks for more.
        """
        config, previous = context.config, context.previous
        asked: dict[str, Any] = {}
        if config.evaluate.full:
            landmarks = {mark.name: mark.identity for mark in all_landmarks() if not mark.quick}
            asked[FULL] = digest([_FULL_VERSION, config.evaluate.seeds, landmarks])
        if config.evaluate.rankings:
            names = [name for mark in all_landmarks() for name in (mark.name, *mark.rivals.values())]
            check_names(config.evaluate.rankings, names)
            asked[RANKINGS] = digest(rankings_inputs(config.evaluate.rankings))
        if config.evaluate.splits > 1:
            asked[SPLITS] = digest([_SPLITS_VERSION, config.evaluate.splits, config.evaluate.seeds])
        if previous is None:
            return asked
        there = {part: previous.parts[part] for part in _MORE if part in previous.parts} | asked
        same = previous.parts == stage_parts(self, Plan({**inputs, **there}))
        return there if same and not previous.damage(context.place, hashes=True) else asked

    def make(self, context: StageContext, target: Path) -> Mapping[str, Any]:
        """Write `metrics.json`."""
        # Loading torch is left to those who measure.
        from alignrec.aligner.evaluate.protocols import masked, zero_shot_and_item_cf
        from alignrec.aligner.evaluate.ranking import dot_scorer
        from alignrec.aligner.evaluate.top_k import Evaluations, evaluate_all, left_out
        from alignrec.aligner.landmarks.quick_evaluation import quick_evaluation, rivals
        from alignrec.aligner.landmarks.thinned_evaluation import thinned_evaluation
        from alignrec.pipeline.stages.evaluate.feature_comparison import RANK_CORRELATION, foretelling_words
        from alignrec.pipeline.stages.evaluate.feature_sources import FeatureSources
        from alignrec.pipeline.stages.evaluate.form_ablations import form_ablations
        from alignrec.pipeline.stages.evaluate.full_evaluation import full_evaluation, full_seeds
        from alignrec.pipeline.stages.evaluate.pieces import control, keep_controls
        from alignrec.pipeline.stages.evaluate.pooled_evaluation import pooled_evaluation
        from alignrec.pipeline.stages.evaluate.trainings import Trainings

        config, run, console = context.config, context.run, context.console
        assert context.plan is not None
        parts = {name: part for name, part in context.parts.items() if name not in (*_MORE, SHARES)}
        scratch = run.scratch(FULL_SCRATCH)
        sources = FeatureSources(context, parts, scratch)
        cut, inputs = run.split(), sources.inputs
        settings = config.evaluate
        evaluator = Evaluator(cut.split, settings.k, settings.exclude_valid)
        # First, as whoever wrote a list that breaks a rule should not wait to hear of it.
        elsewhere = evaluate_rankings(settings.rankings, cut, evaluator, console.note)
        if elsewhere and digest(rankings_inputs(settings.rankings)) != context.plan.details[RANKINGS]:
            raise InputsChangedError("a file of evaluate.rankings changed while it was read")
        pretrained = run.features(MULTIMODAL) if PRETRAIN in context.done else None
        vectors = None if pretrained is None else pretrained.matrix
        data = landmark_input(config, cut.split, config.seed, pretrained, inputs)
        landmarks = [
            mark
            for mark in self.landmarks(cut.split.items, full=False)
            if pretrained is not None or not mark.needs_features
        ]
        trainings = Trainings(sources, cut)

        full = FULL in context.plan.details

        @cache  # some stand beside untrained features and in the table
        def reach(mark: Landmark) -> Evaluations:
            if full:
                piece = trainings.of_landmark(mark, config.seed)
                return piece.evaluate(evaluator, f"evaluate: {piece.name}")
            return evaluate_all(mark.fit(data), evaluator)

        console.note("evaluate: zero-shot and item-CF")
        trained = {} if vectors is None else {MULTIMODAL: vectors}
        seeds = full_seeds(config) if full else (config.seed,)
        whole = {seed: sources.own(seed)[MULTIMODAL] for seed in seeds if vectors is not None}
        beside = rivals(landmarks, reach)
        records = zero_shot_and_item_cf(evaluator, inputs, trained, config.seed, beside)
        if settings.masked:
            pretrain = partial(_pretrain_anew, context, parts)
            records += masked(evaluator, inputs, settings.masked, seeds, whole, pretrain)
        controls: list[Piece] = []
        words: dict[str, str] = {}
        for protocol, count in left_out(evaluator).items() if TRAIN in context.done else ():
            console.note(
                f"evaluate: {protocol} is left out: {count} items are its candidates, and a list of "
                f"{max(settings.k)} would hold them all"
            )
        alignment = run.alignment()
        if FULL in context.plan.details and vectors is not None:
            console.note("evaluate: the forms of multimodal")
            by_form = form_ablations(context, inputs, whole, evaluator, parts, scratch)
            records += by_form.records
            if alignment is not None:
                alignment = alignment.model_copy(update={"forms": by_form.directions})
        if FULL in context.plan.details:
            console.note("evaluate: the full evaluation")
            found, controls = full_evaluation(trainings, evaluator, elsewhere)
            records += found
            words = search_words(trainings.search_logs())
            words[RANK_CORRELATION] = foretelling_words(1 + len(sources.untrained))
        elif TRAIN in context.done:
            console.note("evaluate: recommendation, against landmarks")
            own = dot_scorer(*(run.features(name).matrix for name in (USER, ALIGNED)))
            without = control(context, cut, config.seed)
            reached = without.evaluate(evaluator, f"evaluate: {without.subject}")
            records += quick_evaluation(evaluator, own, reached, landmarks, reach, config.seed, elsewhere)
            controls.append(without)
        if FULL not in context.plan.details:
            records += thinned_evaluation(evaluator, settings.thinned, trained, landmarks, data)
        write_bytes(target / METRICS_FILE, metrics_bytes(records, config, words, alignment=alignment))
        if SPLITS in context.plan.details:
            pooled, others, words = pooled_evaluation(sources)
            controls += others
            write_bytes(target / POOLED_FILE, metrics_bytes(pooled, config, pooled_words(config) | words))
        if controls:
            keep_controls(controls)
        return {"records": len(records), "users": cut.split.users, "items": int(cut.split.recommended.sum())}

    def shortened(self, context: StageContext) -> StageContext | None:
        """Without what landmarks learn; nothing tells of a full evaluation, nor of one on several splits."""
        if context.config.evaluate.full or context.config.evaluate.splits > 1:
            return None
        from alignrec.pipeline.stages.evaluate.landmark_cost import instant_landmarks

        return replace(context, stage=EvaluateStage(instant_landmarks))

    def cost(self, rehearsal: StageContext, actual: StageContext, measured: Measured) -> Cost:
        """With what landmarks take to learn, of whole histories and of thinned ones."""
        from alignrec.pipeline.stages.evaluate.cost import evaluation_cost

        return evaluation_cost(super().cost(rehearsal, actual, measured), rehearsal, actual.config, measured)

    def finished(self, context: StageContext) -> None:
        """Pieces of a full evaluation, and of several splits, are kept until it is done."""
        assert context.plan is not None
        if {FULL, SPLITS} & set(context.plan.details):
            shutil.rmtree(context.run.scratch(FULL_SCRATCH), ignore_errors=True)

    def describe(self, summary: Mapping[str, Any]) -> list[str]:
        """How many numbers, over whom."""
        return [
            f"evaluate: {summary['records']:,} numbers over {summary['users']:,} users and "
            f"{summary['items']:,} items"
        ]


def _pretrain_anew(
    context: StageContext, parts: Mapping[str, str], left: Inputs, name: str, seed: int
) -> Matrix:
    config = context.config.model_copy(update={"seed": seed})
    title = name if seed == context.config.seed else f"{name}, seed {seed}"
    checkpoint = context.checkpoint(title, parts)
    trained = pretrain_resumably(left, config, checkpoint, context.console, f"evaluate {title}")
    return trained.encoder.encode(left, config.pretrain.device)[0]


STAGE = EvaluateStage()
