"""What the training of every multimodal recommender is given; a method adds its own."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class RecommenderSettings(BaseModel):
    """Settings of an optimiser and of stopping, as the papers have them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dim: int = Field(64, ge=1, description="size of ID vectors and of projected features")
    learning_rate: float = Field(0.001, gt=0, description="of Adam")
    batch_size: int = Field(2048, ge=1, description="interactions a step")
    epochs: int = Field(1000, ge=1, description="at most")
    patience: int = Field(20, ge=1, description="epochs without a better validation Recall@20")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N")

    def of_the_model(self) -> dict[str, Any]:
        """What the model is made with: sizes and weights, without what concerns the optimiser."""
        return self.model_dump(exclude={"learning_rate", "batch_size", "epochs", "patience", "device"})
