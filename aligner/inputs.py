"""What the aligner learns from: for each modality, the frozen extractors' vectors and token sequences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.errors import FeatureError


@dataclass(frozen=True, eq=False)
class TokenSequences:
    """Token sequences of all items, end to end.

    Attributes:
        values: float16 or float32 `[total, d]`; may be memory-mapped.
        offsets: int64 `[n + 1]`; item i has the rows `offsets[i]` to `offsets[i + 1]`, none if it lacks the
            modality.

    Raises:
        FeatureError: the offsets do not fit the values.
    """

    values: NDArray[np.floating]
    offsets: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Check that the offsets walk through the values once."""
        if self.offsets[0] != 0 or self.offsets[-1] != len(self.values) or (np.diff(self.offsets) < 0).any():
            raise FeatureError("token offsets must ascend from 0 to the number of tokens")


@dataclass(frozen=True, eq=False)
class ModalityInput:
    """One modality of the catalogue.

    Attributes:
        pooled: float32 `[n, d]`, rows of zeros where `valid` is False.
        valid: bool `[n]`, which items have the modality.
        tokens: the token sequences of the same items.
        kind: what it is, such as `image` or `text`; "" where its name says so.
        columns: of the items table that it is made of. What two modalities that share one tell of each other
            is no evidence that contents belong together.

    Raises:
        FeatureError: the parts differ in the number of items.
    """

    pooled: NDArray[np.float32]
    valid: NDArray[np.bool_]
    tokens: TokenSequences
    kind: str = ""
    columns: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Check that all parts speak of the same items."""
        if not len(self.pooled) == len(self.valid) == len(self.tokens.offsets) - 1:
            raise FeatureError(
                f"a modality needs as many vectors as marks and sequences, got {len(self.pooled)}, "
                f"{len(self.valid)} and {len(self.tokens.offsets) - 1}"
            )

    @classmethod
    def without_tokens(
        cls,
        pooled: NDArray[np.float32],
        valid: NDArray[np.bool_],
        kind: str = "",
        columns: frozenset[str] = frozenset(),
    ) -> Self:
        """A modality of which vectors alone matter; arguments as the attributes."""
        none = TokenSequences(np.zeros((0, 1), np.float32), np.zeros(len(valid) + 1, np.int64))
        return cls(pooled, valid, none, kind, columns)

    def rows(self, items: NDArray[np.int64]) -> ModalityInput:
        """Some of the items, int64 `[c]`, in that order; their tokens are copied."""
        starts, ends = self.tokens.offsets[items], self.tokens.offsets[items + 1]
        offsets = np.concatenate([[0], np.cumsum(ends - starts)])
        places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], ends - starts)
        return replace(
            self,
            pooled=self.pooled[items],
            valid=self.valid[items],
            tokens=TokenSequences(self.tokens.values[places], offsets),
        )

    def without(self, lost: NDArray[np.bool_]) -> ModalityInput:
        """The same catalogue after the items marked in `lost`, bool `[n]`, lost this modality."""
        keep = self.valid & ~lost
        lengths = np.diff(self.tokens.offsets) * keep
        rows = np.repeat(keep, np.diff(self.tokens.offsets))
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        return replace(
            self,
            pooled=np.where(keep[:, None], self.pooled, np.float32(0)),
            valid=keep,
            tokens=TokenSequences(self.tokens.values[rows], offsets),
        )


Inputs = Mapping[str, ModalityInput]
