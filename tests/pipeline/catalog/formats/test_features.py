from __future__ import annotations

from pathlib import Path

import datasets
import pyarrow as pa

from alignrec.pipeline.catalog.formats.features import features_of
from alignrec.pipeline.catalog.formats.format import open_table

LABEL = datasets.ClassLabel(names=["red", "blue"])
FEATURES = datasets.Features(
    {
        "id": datasets.Value("string"),
        "colour": LABEL,
        "colours": datasets.Sequence(LABEL),
        "size": datasets.Value("int64"),
    }
)
ROWS = {"id": ["a", "b", "c"], "colour": [1, -1, None], "colours": [[0, 1], [], None], "size": [1, 0, 1]}
READ = [
    {"id": "a", "colour": "blue", "colours": ["red", "blue"], "size": 1},
    {"id": "b", "colour": None, "colours": [], "size": 0},
    {"id": "c", "colour": None, "colours": None, "size": 1},
]


def test_class_labels_are_their_names_in_datasets_and_in_parquet(tmp_path: Path) -> None:
    dataset = datasets.Dataset.from_dict(ROWS, features=FEATURES)
    dataset.save_to_disk(str(tmp_path / "saved"))
    dataset.to_parquet(str(tmp_path / "a.parquet"))
    for name in ("saved", "a.parquet"):
        table = open_table(str(tmp_path / name))
        assert list(table.rows(list(ROWS))) == READ
        assert list(table.rows(["colour"], 1)) == [{"colour": None}] * 2


def test_a_schema_that_keeps_no_features_has_none() -> None:
    schema = pa.schema([("a", pa.string())])
    for metadata in (
        {},
        {"huggingface": "["},
        {"huggingface": "[1]"},
        {"huggingface": '{"info": {"features": 1}}'},
    ):
        assert features_of(schema.with_metadata(metadata)) == {}
