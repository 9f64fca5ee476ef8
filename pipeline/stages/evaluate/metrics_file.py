"""`metrics.json`: every number of an evaluation with its definitions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from alignrec.aligner.landmarks.registry import all_landmarks
from alignrec.core.cross_view import ALIGNMENT, DEFINITION, CrossView
from alignrec.core.protocols import definitions
from alignrec.core.results import FORMAT, SPLITS, Measurement
from alignrec.core.vocabulary import CONTROL, SHUFFLED_CONTROL
from alignrec.pipeline.config.settings import Config

# What ablations and untrained features are.
_SUBJECTS = {
    CONTROL: "the same training (objective, size, members, seed) on IDs alone: what aligned has over it is "
    "what content is worth; trained on the items that training interactions touch, all others come last",
    SHUFFLED_CONTROL: "the same training, every item with the features of another one",
    "aligned in the paper's form": "BPR, and the alignment of users with items as a term of its own; 64 "
    "dimensions, learning rate 0.003",
    "aligned with BPR alone, with softmax alone": "the other loss, everything else (width, members, batch, "
    "learning rate) equal",
    "aligned in 64 dimensions": "one member of 64 dimensions, as the paper's form has it; everything "
    "else, the loss too, equal",
    "aligned without ICA": "on features of an encoder that was not pretrained; a linear one whitens each "
    "modality alone instead, at the strength that content chooses for that",
    "aligned without CCA, without regularisation": "without the term that aligns content with IDs; without "
    "the one that keeps content as similar as features are",
    "aligned without UIA": "the paper's form less its alignment of users with items; compare it with "
    "aligned in the paper's form, from which it differs in that alone: the default's softmax is such an "
    "alignment itself, and differs in loss, width, members, batch and learning rate at once",
    "aligned without image, without text": "on features of an encoder that knows the other modality alone",
    "multimodal without ICA": "every modality whitened alone, as strongly as content says for that, side by "
    "side: the same modalities and weights, nothing aligned",
    "multimodal in linear form, in residual form": "all modalities whitened together in closed form; the "
    "same, moved by what a Transformer tells beyond it",
    "multimodal on shuffled pairs": "the residual form, whose Transformer learned from pairs of "
    "different items",
    "multimodal in the paper's form": "[CLS] of the multiway encoder, trained to predict masked tokens",
    "centred": "unit vectors less their mean over the catalogue, normalised again",
    "whitened": "up to 256 principal components of each modality, all equally large; modalities equally "
    "large too, or `components equal`; or `as content says`, at the strength that content chooses",
    "ridge imputation": "centred concatenation, a missing part told from the others by ridge regression",
}

ELSEWHERE = (
    "from elsewhere: the top-k lists that another system wrote on this split, on test and all items alone; "
    "nothing of its training is known here"
)


def pooled_words(config: Config) -> dict[str, str]:
    """What numbers over several splits mean, beyond the definitions of all numbers."""
    first, last = config.seed + 1, config.seed + config.evaluate.splits - 1
    others = (
        f"the one that a run of the seed {first} would cut"
        if first == last
        else f"those that runs of the seeds {first} to {last} would cut"
    )
    numbers = ", ".join(map(str, config.evaluate.seeds))
    seeds = f"the seed{'s' * (len(config.evaluate.seeds) > 1)} {numbers}"
    return {
        SPLITS: f"{config.evaluate.splits} random splits of the same interactions: the run's own, and "
        f"{others}; they share interactions, so intervals "
        "are for other users of this catalogue, and not for other catalogues",
        "value": f"a user's value is the mean over trainings of {seeds}, then over the splits in "
        "which the user has positives; the value is the mean over users; with `against`, the mean paired "
        "difference",
        "std": "of the means on single splits and seeds; that of a sample",
    }


def search_words(logs: Mapping[str, object]) -> dict[str, str]:
    """With which settings trained landmarks were measured, by the words of their search's log."""
    return {f"settings of {name}": str(log) for name, log in logs.items()}


def metrics_bytes(
    records: Sequence[Measurement],
    config: Config,
    more: Mapping[str, str] | None = None,
    alignment: CrossView | None = None,
) -> bytes:
    """The file of an evaluation.

    Args:
        records: its numbers.
        config: of the run.
        more: takes the place of definitions, or is added to them.
        alignment: what modalities tell of one another, where that was measured.
    """
    split = config.split.model_dump(mode="json", exclude={"path", "items", "users"})
    words = {
        **definitions(config.modalities, exclude_valid=config.evaluate.exclude_valid),
        **_landmarks(),
        **_SUBJECTS,
        **dict.fromkeys(config.evaluate.rankings, ELSEWHERE),
        **(more or {}),
    }
    return _file_bytes({**words, "split": split, "seed": config.seed}, records, alignment)


def alignment_bytes(alignment: CrossView) -> bytes:
    """The file of a run that has no evaluation: what its modalities tell of one another."""
    return _file_bytes({}, [], alignment)


def _file_bytes(
    words: Mapping[str, Any], records: Sequence[Measurement], alignment: CrossView | None
) -> bytes:
    content: dict[str, Any] = {"format": FORMAT, "definitions": dict(words)}
    if alignment is not None:
        content["definitions"][ALIGNMENT] = DEFINITION
        content[ALIGNMENT] = alignment.record()
    content["records"] = [record.record() for record in records]
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()


def _landmarks() -> dict[str, str]:
    """What each landmark is, and under which other names it stands beside untrained features."""
    landmarks = all_landmarks()
    names = {name: mark.name for mark in landmarks for name in mark.rivals.values() if name != mark.name}
    return {mark.name: mark.sentence for mark in landmarks} | {
        alias: f"the landmark {name}" for alias, name in names.items()
    }
