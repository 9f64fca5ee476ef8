"""One number of an evaluation, as metrics.json lists them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True)
class Measurement:
    """A value, what it is about, and how sure it is.

    Attributes:
        protocol: how it was measured, by a name of `vocabulary`.
        subject: a feature set, landmark or ablation.
        metric: a name of `vocabulary.METRICS`.
        k: length of the list that was looked at.
        split: valid or test.
        value: in [0, 1]; with `against` the mean paired difference over users, in [-1, 1].
        low: lower bound of the 95% bootstrap interval over users; None where there is none.
        high: upper bound, likewise.
        against: what the subject is compared with; None for a plain value.
        seed: of the training that was measured; None where nothing was trained, or over several.
        aggregate: mean or std over seeds; None for one seed.
        share: masked share of items in [0, 1] under the mask protocols; None elsewhere.
    """

    protocol: str
    subject: str
    metric: str
    k: int
    split: Literal["valid", "test"]
    value: float
    low: float | None = None
    high: float | None = None
    against: str | None = None
    seed: int | None = None
    aggregate: Literal["mean", "std"] | None = None
    share: float | None = None

    def record(self) -> dict[str, object]:
        """The record of metrics.json: every field, None as null."""
        return asdict(self)
