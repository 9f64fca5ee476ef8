"""From a frozen extractor's tokens to those of the multimodal encoder."""

from __future__ import annotations

from torch import Tensor, cat, nn

from alignrec.aligner.components import Components
from alignrec.aligner.pretrain.batches import LONGEST, ModalityBatch


class FrontEnd(nn.Module):
    """Turns a frozen extractor's tokens, and its pooled vector as one token more, into MMEnc's tokens.

    Tokens come in their principal components: from a few hundred items, weights for all of a frozen model's
    dimensions would learn the items by heart.
    """

    def __init__(self, token_dim: int, pooled_dim: int, components: int, width: int, place: float) -> None:
        """Make a front end for tokens of `token_dim` and residual components of `pooled_dim`.

        Args:
            token_dim: width of the extractor's tokens.
            pooled_dim: number of the pooled vector's components.
            components: principal components of a token that are looked at.
            width: of MMEnc.
            place: how much a token's place weighs at first; its content weighs about 0.6.
        """
        super().__init__()
        self.components = Components(token_dim, components)
        self.token = nn.Linear(components, width)
        self.pooled = nn.Linear(pooled_dim, width)
        self.place = nn.Embedding(LONGEST, width)
        nn.init.normal_(self.place.weight, std=place)

    def content(self, batch: ModalityBatch) -> Tensor:
        """What tokens say, without their places: `[b, t, width]`."""
        components = self.components(batch.tokens)
        content: Tensor = self.token(components * components.shape[-1] ** 0.5)
        return content

    def forward(self, batch: ModalityBatch, pooled: Tensor, content: Tensor | None = None) -> Tensor:
        """The pooled vector's token and then the sequence: `[b, 1 + t, width]`.

        Args:
            batch: of the modality.
            pooled: the pooled vectors' components, `[b, pooled_dim]`.
            content: what stands for the tokens' own (see `content`), `[b, t, width]`.
        """
        tokens = (self.content(batch) if content is None else content) + self.place(batch.position)
        return cat([self.pooled(pooled * pooled.shape[-1] ** 0.5)[:, None], tokens], dim=1)
