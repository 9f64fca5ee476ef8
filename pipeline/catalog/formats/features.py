"""Class labels, which datasets of Hugging Face store as numbers beside a list of names, by their names.

https://huggingface.co/docs/datasets/about_dataset_features; Parquet files keep the features as JSON in their
schema, under the key `huggingface`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from alignrec.pipeline.catalog.arrow_values import is_list, python_values

Features = Mapping[str, Any]


def features_of(schema: pa.Schema) -> Features:
    """A schema's features by column, as `Features.to_dict` writes them; {} where there are none."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return {}
    return features if isinstance(features, dict) else {}


def with_names(batch: pa.RecordBatch, features: Features) -> pa.RecordBatch:
    """A batch with the names of class labels, in lists too, in place of their numbers; -1 is null."""
    columns = [
        _named(column, features.get(name))
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    return pa.record_batch(columns, batch.schema.names)


def _named(column: pa.Array, feature: Any) -> pa.Array:
    names = _class_names(feature)
    if names is None:
        return column
    if pa.types.is_integer(column.type):
        known = pc.and_(pc.greater_equal(column, 0), pc.less(column, len(names)))
        return pa.array(names, pa.string()).take(pc.if_else(known, column, None))
    if is_list(column.type):
        return pa.array([_name(value, names) for value in python_values(column)])
    return column


def _class_names(feature: Any) -> list[str] | None:
    """The names of a class label, or of lists of them; None where a feature is something else."""
    while isinstance(feature, list) and len(feature) == 1:
        feature = feature[0]
    if not isinstance(feature, dict):
        return None
    names = feature.get("names")
    if feature.get("_type") == "ClassLabel" and isinstance(names, list):
        return [str(name) for name in names]
    return _class_names(feature.get("feature"))


def _name(value: Any, names: Sequence[str]) -> Any:
    if isinstance(value, list):
        return [_name(part, names) for part in value]
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else None
