"""Runs for a report, made without any model: rows on disk, and what the stages would have left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from alignrec.core.cross_view import CrossView, Direction
from alignrec.core.features import FeatureSet
from alignrec.core.results import Measurement, Results
from alignrec.pipeline.config.catalog import CatalogConfig, ItemsConfig, ModalityConfig
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.report import write
from alignrec.pipeline.report.contents import RunContents
from alignrec.pipeline.runner.curves import Curve
from alignrec.pipeline.runner.run_folder import RunFolder
from tests.pipeline.catalogues import picture, write_items

SETS = {"image": 16, "text": 12, "multimodal": 8, "aligned": 8}
KINDS = ("round", "square", "long")


def ordinary_rows(folder: Path, count: int = 30) -> list[dict[str, Any]]:
    """Items with a picture, a kind and a price each."""
    (folder / "images").mkdir(parents=True)
    rows = []
    for number in range(count):
        (folder / "images" / f"{number}.png").write_bytes(picture(number))
        rows.append(
            {
                "item_id": f"i{number}",
                "title": f"Café chair {number}" if number % 2 else f"Lamp {number}",
                "description": f"A fine {KINDS[number % 3]} thing, number {number} of many.",
                "image": f"images/{number}.png",
                "kind": KINDS[number % 3],
                "price": number * 1.5,
            }
        )
    return rows


def make_config(
    folder: Path, rows: Sequence[dict[str, Any]], modalities: Mapping[str, ModalityConfig] | None = None
) -> Config:
    """A config for rows written to `folder`, and modalities beside image and text."""
    items = ItemsConfig(path=str(write_items(folder, rows)), image="image", text="{title}. {description}")
    catalog = CatalogConfig(items=items, modalities=dict(modalities or {}))
    return Config(name="things", out=folder / "run", catalog=catalog)


def make_run(
    ids: Sequence[str], *, rejected: Sequence[dict[str, Any]] = (), trained: bool = True
) -> RunContents:
    """What the stages left: random features of every set; evaluation and curves if `trained`."""
    rng = np.random.default_rng(7)
    n = len(ids)
    valid = np.ones(n, dtype=np.bool_)
    valid[-1] = False
    sets = {
        name: FeatureSet(
            name, list(ids), rng.standard_normal((n, dim)).astype(np.float32) * valid[:, None], valid
        )
        for name, dim in SETS.items()
        if trained or name in ("image", "text")
    }
    card = {"name": "packaged:efficientnet-lite0"}
    return RunContents(
        item_ids=list(ids),
        histories=histories(n) if trained else None,
        models={"image": card, "text": card},
        kinds={"image": "image", "text": "text"},
        columns={"image": frozenset({"image"}), "text": frozenset({"title", "description"})},
        sets=sets,
        rejected=list(rejected),
        results=Results(records(), {"recall": "over |test|"}) if trained else Results(),
        pooled=Results(),
        curves=curves() if trained else [],
        alignment=alignment() if trained else None,
    )


def histories(items: int) -> sp.csr_array:
    """Nine users: each item has one fewer than the item before, and who has two has them of a kind."""
    item = np.repeat(np.arange(items), np.arange(items)[::-1])
    return sp.csr_array((np.ones(len(item), dtype=np.int64), (item % 9, item)), shape=(9, items))


def records() -> tuple[Measurement, ...]:
    """An evaluation in which `multimodal` helps and `aligned` is not proven to."""
    found: list[Measurement] = []
    for subject, value in (("multimodal", 0.16), ("text, centred", 0.12), ("image, centred", 0.09)):
        for k in (10, 20):
            found.append(
                Measurement("zero-shot", subject, "recall", k, "test", value, value - 0.01, value + 0.01)
            )
    found.append(
        Measurement(
            "zero-shot", "multimodal", "recall", 20, "test", 0.04, 0.02, 0.06, against="text, centred"
        )
    )
    for subject, value in (("aligned", 0.2), ("popularity", 0.19)):
        for seed in (1, 2):
            found.append(Measurement("top-k", subject, "recall", 20, "test", value + seed / 100, seed=seed))
        found.append(Measurement("top-k", subject, "recall", 20, "test", value, aggregate="mean"))
        found.append(Measurement("top-k", subject, "recall", 20, "test", 0.01, aggregate="std"))
    found.append(
        Measurement(
            "top-k",
            "aligned",
            "recall",
            20,
            "test",
            0.01,
            -0.01,
            0.03,
            against="popularity",
            aggregate="mean",
        )
    )
    for share in (0.0, 0.5, 1.0):
        found.append(
            Measurement("mask-text", "multimodal", "recall", 20, "test", 0.16 - share / 10, share=share)
        )
    return tuple(found)


def alignment() -> CrossView:
    """A picture tells something of a text, and not the other way round."""
    forth = Direction(
        given="image",
        wanted="text",
        items=40,
        explained=0.25,
        found_1=0.1,
        found_10=0.5,
        median_rank=9.5,
        sure=True,
    )
    back = forth.model_copy(update={"given": "text", "wanted": "image", "explained": -0.01, "sure": False})
    return CrossView(sentence="in 1 of 2 directions a modality tells something", directions=[forth, back])


def curves() -> list[Curve]:
    """Losses of six epochs."""
    return [
        Curve("pretrain", "loss", part, 1, tuple((float(e), add + 1 / e) for e in range(1, 7)))
        for part, add in (("train", 0.0), ("held out", 0.1))
    ]


def written(config: Config, contents: RunContents) -> Path:
    """The report of a run with such contents."""
    config.run_folder.mkdir(parents=True, exist_ok=True)
    path = config.run_folder / "report.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "read_contents", lambda _run: contents)
        write.write_report(config, RunFolder(config.run_folder), path)
    return path
