"""What the tests of the formats share: a set with ids that are hard to write, and interactions."""

from __future__ import annotations

import numpy as np

from alignrec.core.features import FeatureSet
from alignrec.export.formats.interactions import SplitInteractions

IDS = ["b", "0001", 'quo"te', "a/b", "идентификатор", "tab\tid"]


def make(name: str = "image", dim: int = 3, lost: int = 2, ids: list[str] = IDS) -> FeatureSet:
    valid = np.arange(len(ids)) != lost
    matrix = np.random.default_rng(dim).normal(size=(len(ids), dim)).astype(np.float32)
    matrix[~valid] = 0
    return FeatureSet(name, ids, matrix, valid)


def split_interactions() -> SplitInteractions:
    users = ["u1", "u0", "u1", "u1", "0002"]
    items = ["a/b", "0001", "0001", 'quo"te', "a/b"]
    label = np.array([0, 0, 1, 2, 0], dtype=np.uint8)
    times = np.arange(5) + 884183237
    return SplitInteractions(users, items, label, np.array([4, 5, 4, 5, 4.0]), times)
