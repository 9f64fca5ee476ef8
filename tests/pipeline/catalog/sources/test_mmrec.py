"""MMRec's dataset folders: whole, damaged, detected, and entered at pretraining."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from alignrec.pipeline.catalog.sources.mmrec import MMREC
from alignrec.pipeline.catalog.sources.source import Draft
from alignrec.pipeline.catalog.values import Row
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.errors import CatalogError
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.stages.chain import run
from tests.pipeline.catalog.tables import interaction_rows, item_rows


def _items(scheme: str, path: Path) -> list[Row]:
    return item_rows(f"{scheme}:{path}", path if path.is_dir() else path.parent)


def _interactions(scheme: str, path: Path) -> list[Row]:
    return interaction_rows(f"{scheme}:{path}")


def _mmrec(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    lines = [
        "userID\titemID\trating\ttimestamp\tx_label",
        "0\t2\t4\t10\t0",
        "1\t0\t5\t11\t1",
        "0\t0\t5\t12\t2",
    ]
    (folder / "baby.inter").write_text("\n".join(lines) + "\n")
    (folder / "i_id_mapping.csv").write_text("asin\titemID\nB00X\t0\nB00Y\t1\nB00Z\t2\n")
    (folder / "u_id_mapping.csv").write_text("user_id\tuserID\nAAA\t0\nBBB\t1\n")
    rng = np.random.default_rng(0)
    np.save(folder / "image_feat.npy", rng.normal(size=(3, 16)).astype(np.float32))
    np.save(folder / "text_feat.npy", rng.normal(size=(3, 8)))
    return folder


def test_mmrec_dataset(tmp_path: Path) -> None:
    folder = _mmrec(tmp_path / "baby")
    assert [(row["item_id"], row["image"], row["text"]) for row in _items("mmrec", folder)] == [
        ("B00X", {"row": 0}, "0"),
        ("B00Z", {"row": 2}, "2"),
    ]
    assert _interactions("mmrec", folder)[1] == {
        "user_id": "BBB",
        "item_id": "B00X",
        "rating": "5",
        "timestamp": "11",
        "x_label": "1",
    }
    (folder / "i_id_mapping.csv").unlink()
    assert [row["item_id"] for row in _items("mmrec", folder)] == ["0", "2"]


def test_an_mmrec_dataset_enters_at_pretraining(tmp_path: Path) -> None:

    folder = _mmrec(tmp_path / "baby")
    settings = {
        "out": "run",
        "catalog": {
            "items": {"path": "mmrec:baby", "text": "{text}"},
            "interactions": {"path": "mmrec:baby", "rating": "rating", "timestamp": "timestamp"},
        },
        "extract": {"image": "given:baby/image_feat.npy", "text": "given:baby/text_feat.npy"},
        "pretrain": {"epochs": 1},
        "export": {"sets": ["image", "text", "multimodal"]},
    }
    (tmp_path / "alignrec.yaml").write_text(yaml.safe_dump(settings))
    config = load_config(tmp_path / "alignrec.yaml")
    assert config.catalog.items.path == f"mmrec:{tmp_path / 'baby'}"
    run(config, until="pretrain", console=Console(quiet=True))
    image = RunFolder(tmp_path / "run").features("image")
    assert image.ids == ["B00X", "B00Z"]
    np.testing.assert_array_equal(image.matrix, np.load(folder / "image_feat.npy")[[0, 2]])
    text = RunFolder(tmp_path / "run").features("text")
    np.testing.assert_allclose(text.matrix, np.load(folder / "text_feat.npy")[[0, 2]], rtol=1e-6)


@pytest.mark.parametrize(
    ("read", "name", "content", "expected"),
    [
        (_interactions, "a.inter", b"user\titemID\n", "line 1: expected a tab-separated header"),
        (_interactions, "a.inter", b"userID\titemID\n0\t1\n0\n", "line 3: expected 2"),
        (_interactions, "a.inter", b"userID\titemID\nu1\t1\n", "line 2: userID and itemID must be"),
        (_items, "a.txt", b"", r"one \.inter file, found 0"),
    ],
)
def test_what_is_damaged_is_named_with_its_line(
    tmp_path: Path, read: Callable[[str, Path], list[Row]], name: str, content: bytes, expected: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CatalogError, match=expected):
        read("mmrec", tmp_path)


def test_interactions_alone_are_recognised_for_a_table_of_items_beside_them(tmp_path: Path) -> None:
    folder = _mmrec(tmp_path / "baby")
    for name in ("image", "text"):
        (folder / f"{name}_feat.npy").unlink()
    assert MMREC.detect(tmp_path) == Draft({}, {"path": "mmrec:baby"})
    (folder / "i_id_mapping.csv").unlink()
    assert MMREC.detect(tmp_path) is None


def test_features_beside_the_interactions_are_detected(tmp_path: Path) -> None:
    assert MMREC.detect(tmp_path) is None
    folder = _mmrec(tmp_path / "baby")
    path = {"path": "mmrec:baby"}
    draft = Draft(
        path | {"text": "{text}"},
        path | {"rating": "rating", "timestamp": "timestamp"},
        {
            "method": "mmrec",
            "path": "baby/baby.inter",
            "items": "baby/i_id_mapping.csv",
            "users": "baby/u_id_mapping.csv",
        },
        {"image": "given:baby/image_feat.npy", "text": "given:baby/text_feat.npy"},
        ["The features are somebody else's: the run begins at pretraining."],
    )
    assert MMREC.detect(tmp_path) == draft
    (folder / "text_feat.npy").unlink()
    (folder / "u_id_mapping.csv").unlink()
    assert MMREC.detect(tmp_path) == Draft(
        path | {"text": None}, draft.interactions, {}, {"image": "given:baby/image_feat.npy"}, draft.notes
    )
