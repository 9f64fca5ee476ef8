"""Near-duplicates that were put into a catalogue are found, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from alignrec.aligner.quality.distances import Distances, measure_distances
from alignrec.aligner.quality.duplicates import names_kinds, near_duplicates


def _measured(vectors: np.ndarray) -> Distances:
    found = measure_distances(vectors.astype(np.float32), np.ones(len(vectors), dtype=np.bool_), seed=1)
    assert found is not None
    return found


def test_copies_are_found_in_groups_the_most_alike_first() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((400, 32))
    vectors[[40, 300]] = vectors[7] + 0.1 * rng.standard_normal((2, 32))
    vectors[200] = vectors[100]
    # Larger than the ten nearest that are looked at.
    vectors[380:] = vectors[379] + 0.05 * rng.standard_normal((20, 32))
    groups = near_duplicates(_measured(vectors), len(vectors))
    assert [group.items.tolist() for group in groups] == [
        [100, 200],
        list(range(379, 400)),
        [7, 40, 300],
    ]
    assert groups[0].distance == pytest.approx(0, abs=1e-6)
    assert 0.001 < groups[1].distance < groups[2].distance < 0.03


def test_where_nothing_is_alike_nothing_is_found() -> None:
    distances = _measured(np.random.default_rng(2).standard_normal((400, 32)))
    assert near_duplicates(distances, 400) == [] and not names_kinds(distances)


def test_a_modality_of_few_values_names_kinds_of_items() -> None:
    few = np.random.default_rng(3).standard_normal((6, 32))
    assert names_kinds(_measured(few[np.arange(300) % 6]))
