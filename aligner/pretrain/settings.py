"""What can be chosen about pretraining."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from alignrec.core.vocabulary import IMAGE

# Where something stands in a picture is what pooling has lost; a text model's tokens know their order.
_PLACE_WEIGHT = {IMAGE: 0.5}
_PLACE_WEIGHT_OF_OTHERS = 0.02
_ROOT = 0.5  # whitening half-way

# Shares of tokens that are masked (BEiT-3, arXiv 2208.10442, section 2.2).
_MASKED_OF_AN_IMAGE, _MASKED_OF_A_PAIR, _MASKED_ALONE = 0.4, 0.5, 0.15

LINEAR: Final = "linear"
FILLED: Final = "filled"
CLS_FORM: Final = "cls"
RESIDUAL: Final = "residual"


class PretrainSettings(BaseModel):
    """The multimodal encoder and its mask-then-predict training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vector: Literal["linear", "residual", "filled", "cls"] = Field(
        FILLED,
        description="linear: all modalities whitened together in closed form, a missing one told from the "
        "others, the strength found from content; residual: the same, moved by what a trained encoder tells "
        "of each modality beyond that, where held-out items show it; filled: each modality's part beside the "
        "others', a missing one predicted by the trained encoder; cls, the paper's form: [CLS] of an encoder "
        "trained to predict masked tokens of one modality while the others are seen. Linear knows dim and "
        "epochs alone",
    )
    dim: int = Field(
        512,
        ge=2,
        description="width of the item vector: of linear and residual at most, of filled shared out evenly "
        "among the modalities. That of cls is `width`; dim is how many components of pooled vectors "
        "it rebuilds",
    )
    whiten: float | None = Field(
        None,
        ge=0,
        le=1,
        description="filled and cls: 0 keeps each principal component's size, 1 makes all equally large; "
        "default: in filled as strongly as content says, in cls 0.5",
    )
    image_weight: float | None = Field(
        None,
        gt=0,
        description="filled: size of each image's part next to the others'; default: what whitening as "
        "content says leaves of each modality, else 1",
    )
    predict: tuple[str, ...] | None = Field(
        None, description="modalities that training learns to predict from what is left; default: all"
    )
    token_dim: int = Field(
        32, ge=1, description="principal components of the extractors' tokens that the encoder sees"
    )
    width: int = Field(64, ge=8, description="width inside the encoder")
    depth: int = Field(2, ge=1, description="Transformer blocks")
    heads: int = Field(4, ge=1, description="attention heads; they divide the width")
    tokens: int = Field(24, ge=1, description="tokens a modality that a training step draws from an item")
    codes: int = Field(128, ge=2, description="k-means codes that masked tokens are told apart by")
    code_weight: float = Field(0.1, ge=0, description="weight of the codes' loss in filled; 0 leaves it out")
    dropout: float = Field(0.1, ge=0, lt=1)
    batch_size: int = Field(64, ge=2)
    learning_rate: float = Field(2e-3, gt=0)
    weight_decay: float = Field(0.2, ge=0)
    warmup: float = Field(0.1, ge=0, le=1, description="share of the steps in which the learning rate rises")
    clip: float = Field(1.0, gt=0, description="largest norm of a step's gradient")
    epochs: int = Field(
        30,
        ge=0,
        description="at most so many passes; 0 leaves the encoder untrained, a linear one unaligned",
    )
    held_out: float = Field(
        0.1, gt=0, lt=1, description="share of complete items that only judge the training"
    )
    patience: int = Field(12, ge=1, description="epochs without a better held-out loss that end the training")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="of training's products; bfloat16 helps on a GPU with a wide encoder"
    )

    def predicts(self, modality: str) -> bool:
        """Whether training learns to predict a modality."""
        return self.predict is None or modality in self.predict

    @property
    def as_content_says(self) -> bool:
        """Whether content decides how strongly components are whitened."""
        return self.vector == FILLED and self.whiten is None

    @property
    def whitening(self) -> float:
        """The power of its size that each component is divided by, where content does not decide."""
        return _ROOT if self.whiten is None else self.whiten

    def weight_of(self, kind: str) -> float:
        """The size of the part of the item vector that a modality of a kind has, next to the others'."""
        return self.image_weight or 1.0 if kind == IMAGE else 1.0

    def masked_share(self, kind: str, *, paired: bool) -> float:
        """The share of a modality's tokens that the paper's form masks.

        Args:
            kind: of the modality.
            paired: whether the item has another one, which is seen.
        """
        if kind == IMAGE:
            return _MASKED_OF_AN_IMAGE
        return _MASKED_OF_A_PAIR if paired else _MASKED_ALONE

    def place_weight_of(self, kind: str) -> float:
        """How much a token's place in its sequence weighs before training; its content weighs about 0.6."""
        return _PLACE_WEIGHT.get(kind, _PLACE_WEIGHT_OF_OTHERS)
