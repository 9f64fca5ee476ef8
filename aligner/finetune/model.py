"""What fine-tuning needs of a model, whoever wrote it."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class MaskedModel(Protocol):
    """An encoder of pictures, texts and both, with heads for hidden patches and word pieces; a module.

    Attributes:
        mask_id: the id that stands for a hidden word piece.
        width: of a state.
        layers: how many.
        grid: patches along a side of a picture.
    """

    mask_id: int
    width: int
    layers: int
    grid: int

    def states(
        self,
        pixels: Tensor | None,
        ids: Tensor | None,
        mask: Tensor | None,
        masked: Tensor | None,
        inner: int,
    ) -> tuple[Tensor, Tensor]:
        """The states `[b, 1 + patches + t, width]`: `[CLS]` and patches of a picture, word pieces of a text.

        Args:
            pixels: pictures, uint8 `[b, side, side, 3]`, or None.
            ids: texts, int64 `[b, t]`, or None.
            mask: bool `[b, t]`, False at padding.
            masked: bool `[b, patches]`, True where a patch is hidden.
            inner: a number of layers.

        Returns:
            The last states, and those after `inner` layers.
        """

    def words(self, states: Tensor) -> Tensor:
        """Logits of word pieces from states `[n, width]`."""

    def codes(self, states: Tensor) -> Tensor:
        """Logits of visual codes from states `[n, width]`."""

    def depth_of(self, name: str) -> int:
        """How deep a parameter lies: 0 for what embeds, 1 to `layers`, then `layers + 1`."""
