"""What a multimodal vector has to beat: simple ways to put modalities side by side."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from alignrec.aligner.alignment.consensus import Consensus
from alignrec.aligner.alignment.strength import choose_strength
from alignrec.aligner.alignment.views import is_image, view_columns, view_parts
from alignrec.aligner.components import Components
from alignrec.aligner.content_space import centre, concatenate
from alignrec.aligner.inputs import Inputs, ModalityInput
from alignrec.core.vocabulary import PAIR

Floats = NDArray[np.float32]
CONCATENATION = "concatenation"
CENTRED, HALF_IMAGE = "centred concatenation", "centred, image at half weight"
EQUAL = "whitened, components equal"
ALONE = "whitened as content says"
IMPUTED, IMPUTED_HALF = "ridge imputation", "ridge imputation, image at half"
_COMPONENTS = 256
_RIDGES = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
_HELD_OUT = 0.2
_SEED = 0  # of what content decides; baselines are the same whatever is trained beside them


def baselines(inputs: Inputs) -> dict[str, Floats]:
    """Untrained features of a catalogue, by name: each modality and all, as they are, centred and whitened.

    `ALONE` has what the linear encoder has, its weights and its strength, but for the alignment: every
    modality is whitened alone, and nothing is told.

    Args:
        inputs: modalities that some item has.

    Returns:
        float32 `[n, ·]`; an item without a modality has zeros in that part.
    """
    features = {m: source.pooled for m, source in inputs.items()} | {
        f"centred {m}": centre(source.pooled, source.valid) for m, source in inputs.items()
    }
    inputs = apart(inputs)
    if len(inputs) > 1:
        features[CONCATENATION] = concatenate(*(source.pooled for source in inputs.values()))
        features |= centred_concatenations(inputs)
        features["whitened concatenation"] = concatenate(*(whitened(source) for source in inputs.values()))
        parts, valid = view_parts(inputs)
        strength = choose_strength(parts, valid, _SEED, view_columns(inputs))
        width = sum(part.shape[1] for part in parts.values())
        for name, chosen in ((EQUAL, 0.0), (ALONE, strength)):
            consensus = Consensus.fit(parts, valid, strength=chosen, dim=width, together=False)
            features[name] = consensus.vectors(parts, valid)[0]
    return features


def centred_concatenations(inputs: Inputs) -> dict[str, Floats]:
    """Centred modalities side by side, pictures at full and at half weight: these stand a missing one."""
    inputs = apart(inputs)
    centred = [centre(source.pooled, source.valid) for source in inputs.values()]
    weights = tuple(0.5 if is_image(m, source) else 1.0 for m, source in inputs.items())
    return {CENTRED: concatenate(*centred), HALF_IMAGE: concatenate(*centred, weights=weights)}


def apart(inputs: Inputs) -> Inputs:
    """The modalities that are put side by side: a pair is what its picture and text are together already."""
    return {m: source for m, source in inputs.items() if (source.kind or m) != PAIR} or inputs


def whitened(source: ModalityInput) -> Floats:
    """Up to 256 principal components of a modality, all made equally large; zeros where it is missing."""
    dim = min(_COMPONENTS, int(source.valid.sum()), source.pooled.shape[1])
    project = Components(source.pooled.shape[1], dim).fit(source.pooled[source.valid], whiten=1.0)
    components: Floats = project(torch.from_numpy(source.pooled)).numpy()
    return np.where(source.valid[:, None], components, np.float32(0))


def imputed(inputs: Inputs, seed: int) -> dict[str, Floats]:
    """Centred concatenations in which ridge regression fills in a missing modality from all others.

    Args:
        inputs: at least two modalities.
        seed: draws the items that the strength of the ridge is chosen on.

    Returns:
        By name, with pictures at full and at half weight: float32 `[n, ·]`, imputed parts as long as the
        regression makes them.
    """
    centred = {m: centre(source.pooled, source.valid) for m, source in inputs.items()}
    parts = {}
    for target in inputs:
        others = [m for m in inputs if m != target]
        known = np.hstack([centred[m] for m in others])
        some = np.any([inputs[m].valid for m in others], axis=0)
        complete = np.flatnonzero(some & inputs[target].valid)
        gaps = some & ~inputs[target].valid
        part = centred[target].copy()
        if gaps.any() and len(complete) > 1:
            part[gaps] = ridge(known[complete], centred[target][complete], known[gaps], seed)
        parts[target] = part
    halved = {m: part / 2 if is_image(m, inputs[m]) else part for m, part in parts.items()}
    return {IMPUTED: np.hstack(list(parts.values())), IMPUTED_HALF: np.hstack(list(halved.values()))}


def ridge(known: Floats, wanted: Floats, given: Floats, seed: int) -> Floats:
    """Ridge regression whose strength does best on a held-out fifth of the pairs.

    Args:
        known: float32 `[p, a]`, what the pairs show.
        wanted: float32 `[p, b]`, what is to be told from it.
        given: float32 `[q, a]`.
        seed: draws the held-out pairs.

    Returns:
        float32 `[q, b]`.
    """
    order = np.random.default_rng(seed).permutation(len(known))
    cut = max(1, round(_HELD_OUT * len(order)))
    held_out, learned = order[:cut], order[cut:]
    errors = [
        np.square(_fit(known[learned], wanted[learned], strength, known[held_out]) - wanted[held_out]).sum()
        for strength in _RIDGES
    ]
    return _fit(known, wanted, _RIDGES[int(np.argmin(errors))], given)


def _fit(known: Floats, wanted: Floats, strength: float, given: Floats) -> Floats:
    """Ridge regression in its dual form when there are fewer pairs than dimensions."""
    pairs, width = known.shape
    x = known.astype(np.float64)
    if pairs < width:
        weights = x.T @ np.linalg.solve(x @ x.T + strength * np.eye(pairs), wanted.astype(np.float64))
    else:
        weights = np.linalg.solve(x.T @ x + strength * np.eye(width), x.T @ wanted.astype(np.float64))
    return (given @ weights).astype(np.float32)


def lose(valid: NDArray[np.bool_], share: float, seed: int) -> NDArray[np.bool_]:
    """Which items lose a modality: a random share of those that have it.

    Larger shares take away what smaller ones do, and more.

    Args:
        valid: bool `[n]`, who has it.
        share: in [0, 1].
        seed: the same seed ranks the items alike.

    Returns:
        bool `[n]`.
    """
    owners = np.flatnonzero(valid)
    order = np.random.default_rng(seed).permutation(owners)
    lost = np.zeros(len(valid), dtype=np.bool_)
    lost[order[: round(share * len(owners))]] = True
    return lost
