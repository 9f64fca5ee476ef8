"""`metrics.json`: every number of an evaluation with its definitions."""

from __future__ import annotations

import json
from collections.abc import Sequence

from alignrec.core.results import FORMAT, Measurement
from alignrec.core.vocabulary import MODALITIES, definitions
from alignrec.pipeline.config.settings import Config

# What landmarks, ablations and untrained features are.
_SUBJECTS = {
    "item-CF": "landmark of top-k: co-occurrence, see there",
    "EASE": "Steck, WWW 2019; of the penalties 50, 100, 200, 400, 800 the best on validation Recall@20; left "
    "out above 20,000 items",
    "LightGCN": "He et al., SIGIR 2020; BPR, 64 dimensions, learning rate 0.003, stopped by validation "
    "Recall@20, at latest after train.epochs",
    "BPR-MF": "LightGCN without layers: Rendle et al., UAI 2009",
    "VBPR": "He and McAuley, AAAI 2016, on the multimodal features; trained as LightGCN is",
    "aligned in the paper's form": "BPR, and the alignment of users with items as a term of its own; 64 "
    "dimensions, learning rate 0.003",
    "aligned without ICA": "on features of an encoder that was not pretrained",
    "aligned without CCA, without regularisation": "without the term that aligns content with IDs; without "
    "the one that keeps content as similar as features are",
    "aligned without UIA": "the paper's form less its alignment of users with items: the softmax is such an "
    "alignment itself, so nothing of it is left under BPR alone",
    "aligned without image, without text": "on features of an encoder that knows the other modality alone",
    "centred": "unit vectors less their mean over the catalogue, normalised again",
    "whitened": "up to 256 principal components of each modality, all equally large",
    "ridge imputation": "centred concatenation, a missing part told from the other by ridge regression",
    "co-occurrence": "item-CF by shared users: |a and b| / sqrt(|a| |b|), 50 nearest neighbours",
}


def metrics_bytes(records: Sequence[Measurement], config: Config) -> bytes:
    """The file of an evaluation."""
    split = config.split.model_dump(mode="json", exclude={"path", "items", "users"})
    content = {
        "format": FORMAT,
        "definitions": {**definitions(MODALITIES), **_SUBJECTS, "split": split, "seed": config.seed},
        "records": [record.record() for record in records],
    }
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()
