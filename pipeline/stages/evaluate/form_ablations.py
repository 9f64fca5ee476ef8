"""The multimodal vector in every form: what each part of inter-content alignment adds to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from alignrec.aligner.evaluate.comparison import compare_seeds
from alignrec.aligner.evaluate.evaluator import PARTS, Evaluator
from alignrec.aligner.evaluate.protocols import Matrix, evaluate_seeds, feature_scorers
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain.forms import Form, forms, held_out_directions, ridge_directions
from alignrec.aligner.trainer import Hooks
from alignrec.core.cross_view import Direction
from alignrec.core.protocols import ITEM_CF, ZERO_SHOT
from alignrec.core.results import Measurement
from alignrec.core.vocabulary import MULTIMODAL
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.evaluate.pieces import checkpoint_of
from alignrec.pipeline.stages.following import following

RIDGE = "a ridge regression by itself"


@dataclass(frozen=True, eq=False)
class FormAblations:
    """What the forms reached.

    Attributes:
        records: zero-shot and item-CF of each form, and the run's own over it.
        directions: by form, what it tells of each modality on items that it was not fitted on.
    """

    records: list[Measurement] = field(default_factory=list)
    directions: dict[str, list[Direction]] = field(default_factory=dict)


def form_ablations(
    context: StageContext,
    inputs: Inputs,
    own: Mapping[int, Matrix],
    evaluator: Evaluator,
    parts: Mapping[str, str],
    scratch: Path,
) -> FormAblations:
    """Train every form of `multimodal` but the run's own, and measure them all.

    Each is trained on the whole catalogue, for its vectors, under every seed, and on four fifths of the items
    under the run's own, for what it tells of the rest; all go on from their checkpoints.

    Args:
        context: a finished pretraining.
        inputs: the catalogue.
        own: by seed, the run's own form's vectors, float32 `[n, dim]`.
        evaluator: of the run.
        parts: hashes of all that decides a training, but for its form.
        scratch: keeps checkpoints.
    """
    config = context.config
    features, found = {MULTIMODAL: own}, FormAblations()

    def followed(form: Form, what: str) -> AbstractContextManager[Hooks]:
        title = f"evaluate: {form.name}, {what}"
        scratch.mkdir(exist_ok=True)
        checkpoint = checkpoint_of(scratch, title, parts)
        return following(checkpoint, form.settings.epochs, context.console, title)

    def encoded(form: Form, seed: int) -> Matrix:
        with followed(form, f"seed {seed}") as hooks:
            encoder = form.train(inputs, seed, **hooks)
        return encoder.encode(inputs, config.pretrain.device)[0]

    for form in (Form(MULTIMODAL, config.pretrain), *forms(config.pretrain)):
        if form.name != MULTIMODAL:
            features[form.name] = {seed: encoded(form, seed) for seed in own}
        if form.settings.epochs and len(inputs) > 1:
            with followed(form, "held-out items") as hooks:
                found.directions[form.name] = held_out_directions(form, inputs, config.seed, **hooks)
    if len(inputs) > 1:
        found.directions[RIDGE] = ridge_directions(inputs, config.seed)
    found.records.extend(_compared(features, evaluator))
    return found


def _compared(features: Mapping[str, Mapping[int, Matrix]], evaluator: Evaluator) -> Iterator[Measurement]:
    """Zero-shot and item-CF of every form, by seed, and the run's own over it."""
    pairs = [(MULTIMODAL, name) for name in features if name != MULTIMODAL]
    by_seed = {
        seed: feature_scorers({name: found[seed] for name, found in features.items()}, evaluator)
        for seed in features[MULTIMODAL]
    }
    for protocol, part in product((ZERO_SHOT, ITEM_CF), PARTS):
        results = evaluate_seeds(evaluator, {seed: found[protocol] for seed, found in by_seed.items()}, part)
        records = compare_seeds(protocol, results, pairs, split=part)
        # The run's own numbers stand beside the baselines already.
        yield from (r for r in records if r.subject != MULTIMODAL or r.against is not None)
