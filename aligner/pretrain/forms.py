"""The forms of a multimodal vector: what each part of alignment adds to it, and tells of what is hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Unpack

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from alignrec.aligner.alignment.consensus import Doubles
from alignrec.aligner.alignment.cross_view import measure_guess, regression
from alignrec.aligner.alignment.views import fit_view, project_view
from alignrec.aligner.hardware import one_thread_if_small
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain.item_encoder import ItemEncoder
from alignrec.aligner.pretrain.linear_encoder import LinearEncoder
from alignrec.aligner.pretrain.linear_errors import prediction_errors
from alignrec.aligner.pretrain.pretraining import pretrain
from alignrec.aligner.pretrain.residual_encoder import ResidualEncoder
from alignrec.aligner.pretrain.settings import CLS_FORM, LINEAR, RESIDUAL, PretrainSettings
from alignrec.aligner.trainer import Hooks
from alignrec.core.cross_view import Direction
from alignrec.core.vocabulary import MULTIMODAL

OTHERS = "the others"
_STREAM = 7  # of random numbers
_HELD_OUT = 0.2
_FEWEST = 20  # held-out items that something can be said by
_MOST = 20_000  # items that are looked at


@dataclass(frozen=True)
class Form:
    """One way to make an item's vector.

    Attributes:
        name: what a reader knows it by.
        settings: of its training.
        shuffled: whether the Transformer learns from pairs of different items.
    """

    name: str
    settings: PretrainSettings
    shuffled: bool = False

    def train(self, inputs: Inputs, seed: int, **hooks: Unpack[Hooks]) -> ItemEncoder:
        """Its encoder; arguments are those of `pretrain`."""
        return pretrain(inputs, self.settings, seed, shuffled=self.shuffled, **hooks).encoder


def forms(settings: PretrainSettings) -> list[Form]:
    """Every form but the run's own, everything else as in `settings`, the least first.

    Without ICA, each modality is whitened alone, as strongly as content says, and all stand side by side; in
    linear form all are whitened together; the residual form adds what a Transformer learns. On shuffled pairs
    its Transformer gets the errors of one item and the content of another: what it has over that is learned
    from pairs. The paper's form is `[CLS]`.
    """

    def changed(vector: str, epochs: int | None = None) -> PretrainSettings:
        change = {"vector": vector, "epochs": settings.epochs if epochs is None else epochs}
        return settings.model_copy(update=change)

    found = [
        Form(f"{MULTIMODAL} without ICA", changed(LINEAR, epochs=0)),
        Form(f"{MULTIMODAL} in linear form", changed(LINEAR)),
        Form(f"{MULTIMODAL} in residual form", changed(RESIDUAL)),
        Form(f"{MULTIMODAL} on shuffled pairs", changed(RESIDUAL), shuffled=True),
        Form(f"{MULTIMODAL} in the paper's form", changed(CLS_FORM)),
    ]
    return [form for form in found if form.shuffled or form.settings != settings]


def held_out_directions(form: Form, inputs: Inputs, seed: int, **hooks: Unpack[Hooks]) -> list[Direction]:
    """What a form tells of each modality by the others, on a fifth of the items that it was not fitted on.

    A linear form tells by its regression, a residual one by what it has learned on top of that. `[CLS]` tells
    nothing by itself: a ridge regression from it is fitted on the items that the form has seen.

    Args:
        form: fitted anew, on the other items.
        inputs: the catalogue; at most 20,000 of its items that have several modalities are looked at.
        seed: draws them.
        hooks: of the training.
    """
    left, apart = _held_out(inputs, seed)
    if not apart:
        return []
    encoder = form.train(left, seed, **hooks)
    return _directions(apart, lambda items, m: _guess(encoder, left, items, m))


def ridge_directions(inputs: Inputs, seed: int) -> list[Direction]:
    """The same of ridge regressions, each as strong as does best: what a Transformer has to beat.

    The strength of a linear form suits whitening and telling at once, so it may tell less than it could.
    """
    left, apart = _held_out(inputs, seed)
    components = {m: fit_view(source) for m, source in left.items()}

    def guess(items: Inputs, m: str) -> tuple[Doubles, Doubles]:
        known, rows = (
            np.hstack([project_view(c, some[o]) for o, c in components.items() if o != m]).astype(np.float64)
            for some in (left, items)
        )
        usable = left[m].valid & known.any(axis=1)
        wanted = project_view(components[m], left[m]).astype(np.float64)
        weights = regression(known[usable], wanted[usable])
        return rows @ weights, project_view(components[m], items[m]).astype(np.float64)

    return _directions(apart, guess)


def _held_out(inputs: Inputs, seed: int) -> tuple[Inputs, Inputs]:
    """A catalogue's items in two parts, to learn from and to look for; the second is empty of few items."""
    valid = np.stack([source.valid for source in inputs.values()], axis=1)
    rng = np.random.default_rng([seed, _STREAM])
    items = rng.permutation(np.flatnonzero(valid.sum(axis=1) > 1))[:_MOST]
    cut = round(_HELD_OUT * len(items))
    held_out, learned = np.sort(items[:cut]), np.sort(items[cut:])
    left = {m: source.rows(learned) for m, source in inputs.items()}
    if cut < _FEWEST or not all(source.valid.any() for source in left.values()):
        return left, {}
    return left, {m: source.rows(held_out) for m, source in inputs.items()}


def _directions(apart: Inputs, guess: Callable[[Inputs, str], tuple[Doubles, Doubles]]) -> list[Direction]:
    found = []
    for m in apart:
        others = np.any([source.valid for other, source in apart.items() if other != m], axis=0)
        rows = np.flatnonzero(apart[m].valid & others)
        if len(rows) >= _FEWEST:
            items = {other: source.rows(rows) for other, source in apart.items()}
            with one_thread_if_small(0), threadpool_limits(1):
                found.append(measure_guess(OTHERS, m, *guess(items, m)))
    return found


def _guess(encoder: ItemEncoder, left: Inputs, items: Inputs, m: str) -> tuple[Doubles, Doubles]:
    """What an encoder tells of a modality of items by the others, and what it is: float64 `[b, used]`."""
    if isinstance(encoder, LinearEncoder | ResidualEncoder):
        return _by_residual(encoder, items, m)
    components = fit_view(left[m])
    known = _without(encoder, left, m)
    wanted = project_view(components, left[m]).astype(np.float64)
    usable = left[m].valid & known.any(axis=1)
    centre = known[usable].mean(axis=0)
    weights = regression(known[usable] - centre, wanted[usable])
    truth = project_view(components, items[m]).astype(np.float64)
    return (_without(encoder, items, m) - centre) @ weights, truth


def _without(encoder: ItemEncoder, inputs: Inputs, m: str) -> Doubles:
    """The vectors of items that do not show a modality."""
    every = np.ones(len(inputs[m].valid), dtype=np.bool_)
    return encoder.encode({**inputs, m: inputs[m].without(every)})[0].astype(np.float64)


def _by_residual(encoder: LinearEncoder | ResidualEncoder, items: Inputs, m: str) -> tuple[Doubles, Doubles]:
    linear = encoder if isinstance(encoder, LinearEncoder) else encoder.linear
    parts = {name: project_view(c, items[name]) for name, c in linear.components.items()}
    valid = {name: items[name].valid for name in parts}
    every: NDArray[np.int64] = np.arange(len(valid[m]))
    errors = np.zeros(parts[m].shape, dtype=np.float32)
    prediction_errors(linear.consensus, m, parts, valid, every, errors)
    truth = parts[m].astype(np.float64)
    guess = truth - errors
    if isinstance(encoder, ResidualEncoder) and m in encoder.learned:
        guess += encoder.residual_of(items, every, m)
    return guess, truth
