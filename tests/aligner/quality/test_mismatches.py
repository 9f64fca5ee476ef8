"""Pictures that were given to other items are found; where views tell nothing, none is named."""

from __future__ import annotations

import numpy as np

from alignrec.aligner.inputs import ModalityInput
from alignrec.aligner.quality.mismatches import mismatches

RNG = np.random.default_rng(6)
N = 600
CAUSES = RNG.standard_normal((N, 6))


def view(kind: str, columns: str, noise: float = 0.4, dim: int = 20) -> ModalityInput:
    """A view of the causes, and of noise of its own."""
    vectors = CAUSES @ RNG.standard_normal((6, dim)) + noise * RNG.standard_normal((N, dim))
    return ModalityInput.without_tokens(
        vectors.astype(np.float32), np.ones(N, dtype=np.bool_), kind, frozenset(columns)
    )


def swapped(source: ModalityInput, items: np.ndarray) -> ModalityInput:
    """The same view, in which each of the items has the next one's content."""
    pooled = source.pooled.copy()
    pooled[items] = pooled[np.roll(items, 1)]
    return ModalityInput.without_tokens(pooled, source.valid, source.kind, source.columns)


def test_items_with_the_picture_of_another_are_found() -> None:
    inputs = {"photo": view("image", "p"), "title": view("text", "t"), "story": view("text", "s")}
    (clean,) = mismatches(inputs, seed=1)
    assert clean.kinds == ("image", "text") and clean.items == clean.total == N
    assert clean.known and clean.found == []
    items = np.array([3, 90, 222, 307, 450, 599])
    (found,) = mismatches(inputs | {"photo": swapped(inputs["photo"], items)}, seed=1)
    named = [mismatch.item for mismatch in found.found]
    assert set(named) <= set(items.tolist()), "nothing else is named"
    assert len(named) >= 2, "of two contents put together at random, half look so"
    shares = [mismatch.better for mismatch in found.found]
    assert shares == sorted(shares, reverse=True) and min(shares) > 0.5
    assert mismatches(inputs, seed=1) == [clean]


def test_where_views_tell_nothing_of_one_another_nothing_is_named() -> None:
    noise = ModalityInput.without_tokens(
        RNG.standard_normal((N, 8)).astype(np.float32), np.ones(N, dtype=np.bool_), "image", frozenset("p")
    )
    (found,) = mismatches({"photo": noise, "title": view("text", "t")}, seed=1)
    assert not found.known and found.found == []


def test_kinds_of_a_common_column_of_few_items_or_alone_are_not_compared() -> None:
    photo, title = view("image", "p"), view("text", "t")
    assert mismatches({"photo": photo}, seed=1) == []
    assert mismatches({"photo": photo, "both": view("pair", "pt")}, seed=1) == []
    few = ModalityInput.without_tokens(photo.pooled, np.arange(N) < 99, "image", photo.columns)
    assert mismatches({"photo": few, "title": title}, seed=1) == []
    kinds = [c.kinds for c in mismatches({"p": photo, "t": title, "a": view("audio", "a")}, seed=1)]
    assert kinds == [("image", "text"), ("image", "audio"), ("text", "audio")]
