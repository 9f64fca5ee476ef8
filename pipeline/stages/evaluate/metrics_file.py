"""`metrics.json`: every number of an evaluation with its definitions; and the table that shows them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from alignrec.core.results import Measurement
from alignrec.core.vocabulary import MODALITIES, definitions
from alignrec.pipeline.config.settings import Config

METRICS = "metrics.json"
FORMAT = 1
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


def metrics_tables(path: Path) -> list[Table]:
    """The test numbers of an evaluation, a table a protocol and masked share; none where there is no file."""
    if not path.is_file():
        return []
    records = [r for r in json.loads(path.read_bytes())["records"] if r["split"] == "test"]
    # Nothing masked is zero-shot, and shown there.
    groups = dict.fromkeys((r["protocol"], r["share"]) for r in records if r["share"] != 0)
    return [_table([r for r in records if (r["protocol"], r["share"]) == group], *group) for group in groups]


def _table(records: list[dict[str, Any]], protocol: str, share: float | None) -> Table:
    """Recall and NDCG at the largest k, best first, and how far each trained subject is above the others."""
    last = max(r["k"] for r in records)
    shown = [r for r in records if r["k"] == last and r["metric"] in ("recall", "ndcg")]
    recalls = [r for r in shown if r["metric"] == "recall"]
    spread = {r["subject"]: f" ± {r['value']:.3f}" for r in recalls if r["aggregate"] == "std"}
    # Where several seeds were trained, their mean stands for all of them.
    whole = sorted(shown, key=lambda r: r["aggregate"] == "mean")
    whole = [r for r in whole if r["aggregate"] != "std"]
    values = {(r["subject"], r["metric"]): r["value"] for r in whole if r["against"] is None}
    gains = {
        (r["subject"], r["against"]): f"{r['value']:+.3f} [{r['low']:+.3f}, {r['high']:+.3f}]"
        for r in whole
        if r["against"] is not None and r["metric"] == "recall"
    }
    trained = list(dict.fromkeys(subject for subject, _ in gains))
    title = protocol if share is None else f"{protocol}, {share:.0%} lost"
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    table.add_column("", no_wrap=True)
    for heading in (f"Recall@{last}", f"NDCG@{last}", *(f"{name} over it" for name in trained)):
        table.add_column(heading, justify="right", no_wrap=True)
    subjects = dict.fromkeys(subject for subject, _ in values)
    for subject in sorted(subjects, key=lambda name: -values[name, "recall"]):
        recall, ndcg = (f"{values[subject, metric]:.3f}" for metric in ("recall", "ndcg"))
        of = (gains.get((name, subject), "") for name in trained)
        table.add_row(subject, recall + spread.get(subject, ""), ndcg, *of)
    return table
