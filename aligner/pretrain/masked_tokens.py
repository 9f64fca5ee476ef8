"""The paper's objective: masked tokens of one modality are predicted while the others are seen.

Masking ratios are those of BEiT-3 (arXiv 2208.10442, section 2.2): 40% of a picture's tokens; of a text's, or
another sequence's, 50% where the item has another modality, else 15%. Places are drawn one by one, and not in
blocks: frozen tokens lie in no grid that is known here. A token's code is predicted (see `token_codes`)
from the state at its own place. In such a training nothing asks for `[CLS]`: its last layer would get no
gradient. So `[CLS]` has to rebuild the pooled vectors of all the item's modalities, that of the masked one,
which is not seen, among them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from alignrec.aligner.pretrain.batches import Batch
from alignrec.aligner.pretrain.cls_encoder import ClsEncoder
from alignrec.aligner.pretrain.named_modules import NamedModules
from alignrec.aligner.pretrain.objective import Objective, choose_one

_REBUILT = "rebuilt"  # what was seen


class CodeHead(nn.Module):
    """Code logits of a token from the state at its place."""

    target: Tensor

    def __init__(self, width: int, codes: int, target: NDArray[np.int64]) -> None:
        """Make a head.

        Args:
            width: of the states.
            codes: how many codes there are.
            target: the code of each token of the catalogue, int64 `[total]`; not a part of the state.
        """
        super().__init__()
        self.register_buffer("target", torch.from_numpy(target.astype(np.int32)), persistent=False)
        self.head = nn.Linear(width, codes)

    def forward(self, states: Tensor, rows: Tensor) -> Tensor:
        """The cross-entropy of tokens, `[n, width]` and int64 `[n]`, rows of the token table; 1 by chance."""
        logits = self.head(states)
        entropy = nn.functional.cross_entropy(logits, self.target[rows].long())
        return entropy / float(np.log(logits.shape[1]))


def hide(mask: NDArray[np.bool_], share: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which tokens are masked.

    Args:
        mask: bool `[b, t]`, True for real tokens.
        share: float64 `[b]`, of an item's tokens; 0 for none.
        rng: draws them.

    Returns:
        bool `[b, t]`: each token with that chance, and at least one where the share is above 0.
    """
    noise = np.where(mask, rng.random(mask.shape), np.inf)
    least = noise == noise.min(axis=1, initial=np.inf, keepdims=True)
    return np.asarray(mask & ((noise < share[:, None]) | (least & (share > 0)[:, None])))


class MaskedTokens(Objective):
    """The paper's training objective around an encoder whose vector is `[CLS]`."""

    encoder: ClsEncoder

    def __init__(self, encoder: ClsEncoder, codes: Mapping[str, NDArray[np.int64]]) -> None:
        """Wrap an encoder.

        Args:
            encoder: what is trained.
            codes: for each modality, the code of each token of the catalogue, int64 `[total]`.
        """
        super().__init__()
        self.encoder = encoder
        settings = encoder.settings
        self.heads = NamedModules(
            {
                m: CodeHead(settings.width, settings.codes, target)
                for m, target in codes.items()
                if len(target)
            }
        )

    def losses(
        self,
        batch: Batch,
        items: NDArray[np.int64],
        rng: np.random.Generator,
        way: str | None = None,
    ) -> dict[str, Tensor]:
        """Losses of masked modalities' pooled vectors, of their tokens, and of what was seen of others."""
        encoder, settings = self.encoder, self.encoder.settings
        valid = {m: modality.valid.cpu().numpy() for m, modality in batch.items()}
        count = np.sum(list(valid.values()), axis=0)
        learned = {
            m: marks for m, marks in valid.items() if (way is None or m == way) and settings.predicts(m)
        }
        chosen = choose_one(learned, rng) if learned else {}
        hidden, seen = {}, {}
        for m, modality in batch.items():
            masked = chosen.get(m, np.zeros(len(items), dtype=np.bool_))
            tokens = modality.mask.cpu().numpy()
            alone, paired = (settings.masked_share(encoder.kinds[m], paired=p) for p in (False, True))
            share = np.where(masked, np.where(count > 1, paired, alone), 0.0)
            hidden[m] = torch.from_numpy(hide(tokens, share, rng)).to(modality.mask.device)
            unseen = masked & ((count > 1) | tokens.any(axis=1))
            pooled = torch.from_numpy(valid[m] & ~unseen).to(modality.mask.device)
            seen[m] = torch.cat([pooled[:, None], modality.mask], dim=1)
        targets = encoder.targets(batch)
        cls, states = encoder.states(batch, targets, seen, hidden)
        return self._errors(batch, targets, seen, cls) | self._code_losses(batch, hidden, states)

    def _errors(
        self, batch: Batch, targets: Mapping[str, Tensor], seen: Mapping[str, Tensor], cls: Tensor
    ) -> dict[str, Tensor]:
        """How far what `[CLS]` rebuilds is from the pooled vectors: 1 is knowing nothing."""
        losses, rebuilt = {}, []
        for m, modality in batch.items():
            error = (self.encoder.predict[m](cls) - targets[m]).square().sum(dim=1)
            unseen = modality.valid & ~seen[m][:, 0]
            if unseen.any():
                losses[m] = error[unseen].mean()
            if seen[m][:, 0].any():
                rebuilt.append(error[seen[m][:, 0]].mean())
        return losses | ({_REBUILT: torch.stack(rebuilt).mean()} if rebuilt else {})

    def _code_losses(
        self, batch: Batch, hidden: Mapping[str, Tensor], states: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        return {
            f"{m} tokens": self.heads[m](states[m][marks], batch[m].row[marks])
            for m, marks in hidden.items()
            if m in self.heads and marks.any()
        }
