"""What MMEnc learns on top of linear alignment: the error of linear prediction, view by view."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alignrec.aligner.pretrain.batches import Batch
from alignrec.aligner.pretrain.linear_errors import Errors
from alignrec.aligner.pretrain.objective import HELD_OUT, Objective, choose_one
from alignrec.aligner.pretrain.residual_encoder import ResidualEncoder


class ResidualObjective(Objective):
    """One view of an item is hidden; from the others, `[CLS]` predicts by how much linear prediction misses.

    Losses are shares of the linear prediction's own error on held-out items: 1 is no better than linear.
    """

    encoder: ResidualEncoder

    def __init__(self, encoder: ResidualEncoder, errors: Errors, held_out: NDArray[np.int64]) -> None:
        """Wrap an encoder.

        Args:
            encoder: what is trained.
            errors: for each view float32 `[n, used]` (see `linear_errors`), zeros for items without another.
            held_out: int64 `[h]`, the items that judge epochs.
        """
        super().__init__()
        self.encoder, self.errors = encoder, errors
        self.usable: dict[str, NDArray[np.bool_]] = {
            m: np.asarray(found.any(axis=1)) for m, found in errors.items()
        }
        self.scale = {
            m: _mean_square(found[held_out[self.usable[m][held_out]]]) for m, found in errors.items()
        }

    def losses(
        self,
        batch: Batch,
        items: NDArray[np.int64],
        rng: np.random.Generator,
        way: str | None = None,
    ) -> dict[str, Tensor]:
        """The error of each view, of the items that hide it."""
        ways = list(filter(self.encoder.settings.predicts, self.encoder.widths)) if way is None else [way]
        chosen = choose_one({m: self.usable[m][items] for m in ways}, rng)
        place = next(iter(batch.values())).valid.device
        nobody = np.zeros(len(items), dtype=np.bool_)
        hidden = {m: torch.from_numpy(chosen.get(m, nobody)).to(place) for m in self.encoder.widths}
        found = self.encoder.residual(batch, hidden)
        losses = {}
        for m in ways:
            if len(rows := np.flatnonzero(chosen[m])):
                wanted = torch.from_numpy(self.errors[m][items[rows]]).to(place)
                missed = (found[m][torch.from_numpy(rows).to(place)] - wanted).square().sum(dim=1).mean()
                losses[m] = missed / self.scale[m]
        return losses

    def score(self, validation: Mapping[str, float]) -> float:
        """Errors of all views, negative; one that is worse than linear counts as linear, which stays then."""
        return -sum(min(value, 1.0) for name, value in validation.items() if name.startswith(HELD_OUT))


def _mean_square(errors: NDArray[np.float32]) -> float:
    return max(float(np.square(errors, dtype=np.float64).sum() / max(len(errors), 1)), 1e-12)
