"""The inputs that a rehearsal embeds, to tell what all of them take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from alignrec.pipeline.catalog.inputs import Input, InputList

# Inputs of a modality, and the places of the catalogue that they are from: what lies side by side is alike.
SIZE = 192
PLACES = 8


def sample(inputs: InputList, size: int = SIZE, places: int = PLACES) -> InputList:
    """At most `size` inputs in their order, from places evenly spread; all of them where there are no more.

    Files inside the items table are from one place, as all rows between two places would have to be read.
    """
    if len(inputs) <= size:
        return inputs
    if any(item.value is None for item in inputs):
        places = 1
    run = size // places
    starts = np.linspace(0, len(inputs) - run, places).astype(np.int64)
    found = InputList()
    for start in starts:
        found.extend(inputs[start : start + run])
    return found


def without(inputs: Sequence[Input], item_ids: Sequence[str]) -> list[int]:
    """The rows of the items that have none of the inputs."""
    there = {item.item_id for item in inputs}
    return [row for row, item_id in enumerate(item_ids) if item_id not in there]
