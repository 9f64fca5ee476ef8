"""What can be chosen about fine-tuning."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class FinetuneSettings(BaseModel):
    """Mask-then-predict from pixels and word pieces, before features are extracted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    teacher: str = Field(
        "packaged:efficientnet-lite0",
        description="image model whose tokens, by k-means, are the visual codes, scheme:name[@revision]; or "
        "vqkd:PATH, a published tokenizer of BEiT v2, which has 8192 of its own",
    )
    codes: int = Field(512, ge=2, description="visual codes that hidden patches are told apart by")
    steps: int = Field(2000, ge=1, description="of the optimizer, rounded up to whole rounds of save_every")
    batch_size: int = Field(64, ge=1, description="items a step")
    accumulate: int = Field(
        1, ge=1, description="parts that a step's items go through the model in, for less memory"
    )
    recompute: bool = Field(
        False, description="compute each layer twice, for less memory (gradient checkpointing)"
    )
    save_every: int = Field(
        100, ge=1, description="steps between two states on disk; a kill loses so many at most"
    )
    learning_rate: float = Field(1e-4, gt=0, description="of the heads, at its height")
    layer_decay: float = Field(
        0.9,
        gt=0,
        le=1,
        description="what the learning rate is multiplied by from a layer to the one below",
    )
    weight_decay: float = Field(0.05, ge=0)
    warmup: float = Field(0.1, ge=0, le=1, description="share of the steps in which the learning rate rises")
    clip: float = Field(3.0, gt=0, description="largest norm of a step's gradient")
    aggregate: bool = Field(
        False, description="have [CLS] tell hidden patches too, by BEiT v2's patch aggregation"
    )
    classify: bool = Field(
        False, description="have [CLS] name the text's word pieces too, the labels of SuperClass"
    )
    held_out: float = Field(
        0.05, gt=0, lt=1, description="share of the items with picture and text that only judge the training"
    )
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="of training's products; weights stay in float32"
    )
