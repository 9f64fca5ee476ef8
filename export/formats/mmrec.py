"""A dataset folder of MMRec (github.com/enoche/MMRec), which the authors' AlignRec code reads as well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from alignrec.core.features import FeatureSet
from alignrec.core.vocabulary import AUDIO, IMAGE, MULTIMODAL, TEXT
from alignrec.export.formats.contract import Format
from alignrec.export.formats.interactions import SplitInteractions

# That tool's own layout: which set goes into which of its files.
FILES = {IMAGE: "image_feat.npy", TEXT: "text_feat.npy", MULTIMODAL: "mm_feat.npy"}
USER_IDS, ITEM_IDS = "u_id_mapping.csv", "i_id_mapping.csv"


def dense_ids(ids: Sequence[str]) -> tuple[NDArray[np.int64], list[str]]:
    """That tool's number of each id, dense in order of first appearance, int64 `[n]`; and the id of each."""
    numbers, names = pd.factorize(np.asarray(ids, dtype=object))
    return numbers.astype(np.int64), list(names)


def write_mmrec(
    sets: Sequence[FeatureSet], folder: Path, interactions: SplitInteractions | None = None
) -> None:
    """Write features, interactions and id maps.

    Files: `image_feat.npy`, `text_feat.npy`, `mm_feat.npy` (float32, row = itemID; the mean of the valid
    rows where an item has no such vector, as MMRec does; sounds, for which it has no place, take that of the
    images where there are none), `i_id_mapping.csv` (`asin`, `itemID`), and with
    interactions `<folder>.inter` (`userID itemID rating timestamp x_label`) and `u_id_mapping.csv`
    (`user_id`, `userID`); all text is tab-separated. Ids are dense, in order of first appearance.

    MMRec takes for its items those that interactions name, so with interactions the others are left out;
    without, all items are there in the order of the release, to go with interactions of your own.

    `<folder>.yaml` is the data set's config under which MMRec loads the image's and the text's features, and
    with a multimodal set `<folder>-multimodal.yaml` the one with that set in the image's place. MMRec reads
    `src/configs/dataset/<folder>.yaml` for `-d <folder>`: which of the two is copied there under that name
    chooses.

    Args:
        sets: `image`, `text` and `multimodal`, as many as there are.
        folder: filled; its name is the dataset's.
        interactions: with their split.

    Raises:
        ReleaseError: an interaction's item is in no set.
    """
    if interactions is None:
        items = list(sets[0].ids)
    else:
        items = _write_interactions(interactions, folder)
        interactions.check_items(sets[0].ids)
    _write_map(items, "asin", "itemID", folder / ITEM_IDS)
    for features in sets:
        matrix, valid = features.align_to(items)
        matrix[~valid] = _mean(features)
        np.save(folder / FILES[features.name], matrix, allow_pickle=False)
    _write_config(folder, FILES[IMAGE], "")
    if any(features.name == MULTIMODAL for features in sets):
        _write_config(folder, FILES[MULTIMODAL], f"-{MULTIMODAL}")


def _write_config(folder: Path, vision: str, variant: str) -> None:
    """Write a data set's config: MMRec asks for the name of every file, and takes those that are there."""
    name = folder.name
    how = (
        f"# MMRec's config of this data set. Copy the folder to MMRec's data/{name}, and this file to\n"
        f"# src/configs/dataset/{name}.yaml, then run: python main.py -m FREEDOM -d {name}\n"
    )
    if variant:
        how += f"# Models that read an image read the {MULTIMODAL} set under this config.\n"
    settings = {
        "USER_ID_FIELD": "userID",
        "ITEM_ID_FIELD": "itemID",
        "TIME_FIELD": "timestamp",
        "inter_splitting_label": "x_label",
        "filter_out_cod_start_users": True,  # its own spelling: of those that training does not know
        "inter_file_name": f"{name}.inter",
        "vision_feature_file": vision,
        "text_feature_file": FILES[TEXT],
        "user_graph_dict_file": "user_graph_dict.npy",  # of MMRec's own preprocessing
        "field_separator": "\t",
    }
    content = how + yaml.safe_dump(settings, sort_keys=False)
    (folder / f"{name}{variant}.yaml").write_text(content, encoding="utf-8")


def _write_interactions(interactions: SplitInteractions, folder: Path) -> list[str]:
    frame = interactions.frame()
    (user, users), (item, items) = dense_ids(interactions.users), dense_ids(interactions.items)
    table = pd.DataFrame({"userID": user, "itemID": item, "rating": _whole(frame["rating"])})
    table["timestamp"], table["x_label"] = frame["timestamp"], frame["label"]
    table = table.sort_values("userID", kind="stable")
    table.to_csv(folder / f"{folder.name}.inter", sep="\t", index=False, lineterminator="\n")
    _write_map(users, "user_id", "userID", folder / USER_IDS)
    return items


def _whole(rating: pd.Series) -> pd.Series:
    """Ratings as whole numbers where all of them are."""
    return rating.astype(np.int64) if (rating == rating.round()).all() else rating


def _write_map(ids: Sequence[str], name: str, dense: str, path: Path) -> None:
    frame = pd.DataFrame({name: ids, dense: np.arange(len(ids))})
    frame.to_csv(path, sep="\t", index=False, lineterminator="\n")


def _mean(features: FeatureSet) -> NDArray[np.float32]:
    if not features.valid.any():
        return np.zeros(features.dim, dtype=np.float32)
    mean: NDArray[np.float32] = features.matrix[features.valid].mean(axis=0, dtype=np.float64)
    return mean.astype(np.float32)


FORMAT = Format(
    name="mmrec",
    description="`image_feat.npy`, `text_feat.npy`, `mm_feat.npy`, id maps and the data set's config; with a "
    "run, its `.inter` file",
    write=write_mmrec,
    sets=tuple(FILES),
    stand_ins={AUDIO: IMAGE},
    several=True,
    interactions=True,
)
