"""What the stages left in a run folder, as far as they came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from numpy.typing import NDArray

from alignrec.core.cross_view import CrossView
from alignrec.core.features import FeatureSet
from alignrec.core.results import Results
from alignrec.core.vocabulary import FEATURE_SETS, feature_set
from alignrec.pipeline.errors import RunFolderError
from alignrec.pipeline.runner.curves import Curve
from alignrec.pipeline.runner.manifest import MANIFEST
from alignrec.pipeline.runner.run_folder import EXTRACT, FINETUNE, PRETRAIN, TRAIN, RunFolder

# The stages that train something, in their order.
TRAINED = (FINETUNE, PRETRAIN, TRAIN)


@dataclass(frozen=True, eq=False)
class RunContents:
    """A run, as a report needs it.

    Attributes:
        item_ids: the catalogue's `n` items, in its order.
        histories: CSR `[users, n]`, how often a user has an item as a positive; None for a catalogue without
            interactions.
        models: for each modality, the extractor's card.
        kinds: for each modality, its kind of content.
        columns: for each modality, the columns of the items table that it is made of.
        sets: item sets by name, in the order in which they are made, rows in catalogue order.
        rejected: rows of `rejected.parquet`, `detail` included.
        results: of the evaluation; without records when there was none.
        pooled: the same over several splits.
        curves: of fine-tuning, pretraining and training; empty when there was none.
        alignment: what modalities tell of one another; None before pretraining.
    """

    item_ids: list[str]
    histories: sp.csr_array | None
    models: Mapping[str, Mapping[str, Any]]
    kinds: Mapping[str, str]
    columns: Mapping[str, frozenset[str]]
    sets: Mapping[str, FeatureSet]
    rejected: list[dict[str, Any]]
    results: Results
    pooled: Results
    curves: list[Curve]
    alignment: CrossView | None = None

    @property
    def interactions(self) -> NDArray[np.int64] | None:
        """Positives of each item, int64 `[n]`."""
        return None if self.histories is None else np.asarray(self.histories.sum(axis=0), dtype=np.int64)

    @property
    def users(self) -> int:
        """How many users those positives have."""
        return 0 if self.histories is None else int(self.histories.shape[0])


def read_contents(run: RunFolder) -> RunContents:
    """Read what is there.

    Raises:
        RunFolderError: extraction, the least that a report can show, is not finished; or a stage's curves
            cannot be read.
        ResultsError: the evaluation's numbers cannot be read.
    """
    extracted = run.read_manifest(f"{EXTRACT}/{MANIFEST}")
    if extracted is None:
        raise RunFolderError(
            f"{run.path} has nothing to report on yet: extraction is not finished. Run `alignrec run` first."
        )
    trained = filter(None, (run.read_manifest(f"{stage}/{MANIFEST}") for stage in TRAINED))
    present = {name for manifest in (extracted, *trained) for name in manifest.summary.get("sets", {})}
    names = [name for name in dict.fromkeys([*FEATURE_SETS, *extracted.summary["sets"]]) if name in present]
    names.sort(key=lambda name: not feature_set(name).raw)
    item_ids = run.items()
    modalities = extracted.summary["sets"]
    return RunContents(
        item_ids,
        _histories(run.interactions(), item_ids),
        {name: entry["card"] for name, entry in modalities.items()},
        {name: entry["type"] for name, entry in modalities.items()},
        {name: frozenset(entry["columns"]) for name, entry in modalities.items()},
        {name: features for name in names if (features := run.features(name)).key == "item_id"},
        run.rejected(),
        run.results(),
        run.pooled_results(),
        [curve for stage in TRAINED for curve in run.curves(stage)],
        run.alignment(),
    )


def _histories(table: pa.Table | None, item_ids: list[str]) -> sp.csr_array | None:
    if table is None:
        return None
    users = pc.dictionary_encode(table.column("user_id").combine_chunks())
    user = users.indices.to_numpy()
    item = pc.index_in(table.column("item_id"), pa.array(item_ids, pa.string())).to_numpy()
    ones = np.ones(len(user), dtype=np.int64)
    return sp.csr_array((ones, (user, item)), shape=(len(users.dictionary), len(item_ids)))
