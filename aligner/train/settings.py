"""How AlignRec is trained; the defaults are what won on validation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, field_validator, model_validator

# What the paper and its published code train with, where no setting says otherwise.
_PAPER: Mapping[str, Any] = {
    "loss": "bpr",
    "dim": 64,
    "members": 1,
    "batch_size": 2048,
    "patience": 30,
    "learning_rate": 0.003,
    "uia_weight": 0.1,
}


_STEPS = 16  # an epoch, as far as bounds allow
_LEAST, _MOST = 4096, 131_072  # interactions a step


class TrainSettings(BaseModel):
    """Settings of full AlignRec training. A weight of 0 removes its term."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: Literal["default", "paper"] = Field(
        "default",
        description="paper: as its published code computes, with its numbers for what is not set here: "
        f"{', '.join(f'{name} {value}' for name, value in _PAPER.items())}",
    )
    dim: int = Field(
        512, gt=0, description="size of content vectors, and of aligned and user vectors without their terms"
    )
    members: int = Field(
        8, ge=1, description="models trained side by side, each on its share of dim; their mean score ranks"
    )
    loss: Literal["softmax", "bpr"] = Field(
        "softmax", description="softmax: against the whole catalogue, by cosine; bpr: the paper's"
    )
    layers: int = Field(2, ge=0, description="LightGCN layers over the interactions")
    content_layers: int = Field(1, ge=1, description="layers over the content graph")
    neighbours: int = Field(
        10,
        ge=1,
        description="items that content comes from, beside the item itself; in the paper's form with it",
    )
    exact_neighbours: int = Field(200_000, ge=0, description="above so many items, FAISS finds neighbours")
    temperature: float = Field(0.15, gt=0, description="of the softmax loss")
    balance: float = Field(
        0.5, ge=0, le=1, description="softmax: 0 counts every interaction alike, 1 every user alike"
    )
    popularity: tuple[NonNegativeFloat, ...] = Field(
        (0.0, 0.03, 0.1, 0.3, 1.0),
        min_length=1,
        description="softmax: weights of an item's popularity beside the cosine; validation chooses; 0 "
        "alone leaves it out",
    )
    zero_shot: tuple[NonNegativeFloat, ...] = Field(
        (0.0, 0.1, 0.2, 0.5, 1.0),
        min_length=1,
        description="softmax: weights of the zero-shot score beside the cosine; validation chooses; 0 alone "
        "leaves it out",
    )
    candidates: int = Field(4096, ge=1, description="items a softmax step compares with; fewer means all")
    cca_weight: float = Field(0.01, ge=0, description="content-category alignment, of items and of users")
    cca_temperature: float = Field(0.2, gt=0, description="of content-category alignment")
    uia_weight: float = Field(0.0, ge=0, description="user-item alignment by cosine")
    similarity_weight: float = Field(
        0.1,
        ge=0,
        description="keeps content as similar as features are: its cosines, in the paper's form its products",
    )
    trained_features: bool = Field(
        False,
        description="the paper's form: features go on learning, as in its code; content is kept as "
        "similar as they were",
    )
    l2_weight: float = Field(1e-4, ge=0, description="half the squared length of a batch's vectors")
    learning_rate: float = Field(0.004, gt=0)
    decay: float = Field(0.96, gt=0, le=1, description="what the learning rate is multiplied by")
    decay_every: int = Field(50, ge=1, description="epochs between two decays, in even steps")
    batch_size: int | None = Field(
        None,
        ge=1,
        description="interactions a step; default: a sixteenth of all, from 4,096 to 131,072",
    )
    epochs: int = Field(1000, ge=1, description="at most")
    patience: int = Field(10, ge=1, description="epochs without a better validation Recall@20")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N")

    @field_validator("popularity", "zero_shot")
    @classmethod
    def _distinct(cls, weights: tuple[float, ...]) -> tuple[float, ...]:
        if len(set(weights)) != len(weights):
            raise ValueError("expected weights that differ from one another")
        return weights

    @model_validator(mode="before")
    @classmethod
    def _of_the_form(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("form") == "paper":
            return {**_PAPER, **values}
        return values

    @model_validator(mode="after")
    def _share_out(self) -> Self:
        if self.trained_features and self.form != "paper":
            raise ValueError("trained_features belongs to form: paper")
        if self.form == "paper" and self.neighbours == 1:
            raise ValueError("in the paper's form neighbours counts the item itself: give 2 or more")
        if self.dim % self.members:
            raise ValueError(f"dim {self.dim} cannot be shared out among {self.members} members evenly")
        return self

    @property
    def has_popularity(self) -> bool:
        """Whether vectors have a column for it; under BPR their length says how popular an item is."""
        return self.loss == "softmax" and any(self.popularity)

    @property
    def has_zero_shot(self) -> bool:
        """Whether vectors may have columns for it; under BPR their length has no measure to add it by."""
        return self.loss == "softmax" and any(self.zero_shot)

    @property
    def other_neighbours(self) -> int:
        """Items that content comes from, the item itself apart."""
        return self.neighbours - (self.form == "paper")

    def step_size(self, interactions: int) -> int:
        """Interactions a step, of so many to train on.

        Every step propagates the whole graph, so with steps of one size an epoch takes time in the square of
        the catalogue's size. A sixteenth keeps the number of steps; the bounds are what small catalogues were
        measured with, and what fits into memory.
        """
        if self.batch_size is not None:
            return self.batch_size
        return min(max(_LEAST, math.ceil(interactions / _STEPS)), _MOST)

    @classmethod
    def paper(cls, **changes: object) -> Self:
        """The paper's form: BPR, user-item alignment as a term of its own, and its code's details."""
        return cls.model_validate({"form": "paper", **changes})
