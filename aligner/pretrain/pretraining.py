"""Pretraining: an encoder is trained on a catalogue by mask-then-predict."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alignrec.aligner.hardware import device_of, one_thread_if_small
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain.batches import Batch, gather
from alignrec.aligner.pretrain.encoder import MultimodalEncoder
from alignrec.aligner.pretrain.item_encoder import ItemEncoder
from alignrec.aligner.pretrain.linear_encoder import LinearEncoder
from alignrec.aligner.pretrain.objective import MaskThenPredict, choose_hidden
from alignrec.aligner.pretrain.settings import LINEAR, PretrainSettings
from alignrec.aligner.pretrain.token_codebook import token_codes
from alignrec.aligner.trainer import Hooks, Task, Trainer

_HELD_OUT, _EPOCH = 1, 2  # streams of random numbers
_FEWEST = 8  # complete items that something can be learned from
_VALIDATED = 64  # items at once


@dataclass(frozen=True, eq=False)
class Pretrained:
    """What pretraining leaves.

    Attributes:
        encoder: the encoder of the best epoch, on the CPU, or the one in closed form.
        curves: for each epoch its mean losses by direction: `loss.…` in training, and `held out …`.
    """

    encoder: ItemEncoder
    curves: list[dict[str, float]]


def pretrain(inputs: Inputs, settings: PretrainSettings, seed: int, **hooks: Unpack[Hooks]) -> Pretrained:
    """The encoder of a catalogue: in closed form, or trained by mask-then-predict, as the settings say.

    The best epoch by held-out loss (items that training never sees) is kept. With the same inputs, settings,
    seed and threads, a CPU gives the same bytes, in one go or resumed from any state.

    Args:
        inputs: the catalogue; a missing modality is masked, never filled.
        settings: see there.
        seed: of weights, masks and order.
        hooks: to follow and resume the training.

    Raises:
        FeatureError: a modality has no item.
        AlignerError: the device is absent, or training diverged.
    """
    if settings.vector == LINEAR:
        return Pretrained(LinearEncoder.fitted(settings, inputs, seed), [])
    # The default encoder's steps are small: a second thread makes an epoch a tenth faster, but four times
    # slower where something else wants its core.
    with one_thread_if_small(_work(settings)):
        encoder = MultimodalEncoder.fitted(settings, inputs, seed)
        complete = np.all([source.valid for source in inputs.values()], axis=0)
        # Without complete items or anything to predict there is nothing to learn: the residual path remains.
        learns = any(map(settings.predicts, inputs)) and len(inputs) > 1 and int(complete.sum()) >= _FEWEST
        if not learns or not settings.epochs:
            return Pretrained(encoder.eval(), [])
        fit = Trainer(_Pretraining(encoder, inputs, seed)).fit(**hooks)
    return Pretrained(encoder.cpu().eval(), fit.curves)


def _work(settings: PretrainSettings) -> float:
    """Multiplications of one layer's weights with a step's tokens."""
    return settings.batch_size * settings.tokens * settings.width**2


@dataclass(frozen=True, eq=False)
class _Masked:
    """A batch, what each of its items hides, and what draws the tokens that are left of halves."""

    batch: Batch
    hidden: NDArray[np.str_]
    noise: np.random.Generator


class _Pretraining(Task[_Masked]):
    """Mask-then-predict of a catalogue; some complete items are held out and judge the epochs."""

    section = "pretrain"
    # An encoder that generalises to nothing is no better than an untrained one, which is kept then.
    untrained_counts = True

    def __init__(self, encoder: MultimodalEncoder, inputs: Inputs, seed: int) -> None:
        self.inputs, self.settings, self.seed = inputs, encoder.settings, seed
        self.device = device_of(self.settings.device)
        valid = [source.valid for source in inputs.values()]
        shuffled = np.random.default_rng([seed, _HELD_OUT]).permutation(np.flatnonzero(np.all(valid, axis=0)))
        self.held_out = np.sort(shuffled[: max(1, round(self.settings.held_out * len(shuffled)))])
        self.train_items = np.setdiff1d(np.flatnonzero(np.any(valid, axis=0)), self.held_out)
        self.steps = math.ceil(len(self.train_items) / self.settings.batch_size)
        coded = inputs if self.settings.code_weight else {}
        codes = {m: token_codes(source.tokens, self.settings.codes, seed) for m, source in coded.items()}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed + 1)
            self.model = MaskThenPredict(encoder, codes).to(self.device)
        self.kept = encoder
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), self.settings.learning_rate, weight_decay=self.settings.weight_decay
        )
        self.seeds = (seed, _EPOCH)
        self.epochs, self.patience = self.settings.epochs, self.settings.patience
        self.clip, self.work = self.settings.clip, _work(self.settings)

    def batches(self, rng: np.random.Generator) -> Iterator[_Masked]:
        """All items that are not held out, in random order, each hiding something."""
        rng.random()  # the first number has seeded PyTorch
        order = rng.permutation(self.train_items)
        for start in range(0, len(order), self.settings.batch_size):
            items = order[start : start + self.settings.batch_size]
            batch = self._gather(items, rng)
            hidden = choose_hidden({m: source.valid[items] for m, source in self.inputs.items()}, rng)
            yield _Masked(batch, hidden, rng)

    def losses(self, batch: _Masked) -> dict[str, Tensor]:
        """The losses by direction."""
        half = self.settings.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            losses: dict[str, Tensor] = self.model(batch.batch, batch.hidden, batch.noise)
        return losses

    def rate(self, epoch: int, step: int, /) -> float:
        """Linear warm-up, then half a cosine down to zero."""
        step += epoch * self.steps
        total = max(1, self.steps * self.settings.epochs)
        warmup = max(1, round(total * self.settings.warmup))
        if step < warmup:
            factor = (step + 1) / warmup
        else:
            factor = 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))
        return self.settings.learning_rate * factor

    def validate(self) -> dict[str, float]:
        """Losses on held-out items, under the same masks every time."""
        rng = np.random.default_rng([self.seed, _HELD_OUT, 1])
        losses: dict[str, list[float]] = {}
        for hide in filter(self.settings.predicts, self.inputs):
            for start in range(0, len(self.held_out), _VALIDATED):
                items = self.held_out[start : start + _VALIDATED]
                masked = _Masked(self._gather(items, rng), np.full(len(items), hide), rng)
                for name, value in self.losses(masked).items():
                    losses.setdefault(f"held out {name}", []).append(float(value))
        return {name: float(np.mean(values)) for name, values in losses.items()}

    def score(self, validation: Mapping[str, float]) -> float:
        """The errors of whole hidden modalities, negative."""
        return -sum(validation.get(f"held out {m}", 0.0) for m in self.inputs)

    def _gather(self, items: NDArray[np.int64], rng: np.random.Generator) -> Batch:
        return gather(self.inputs, items, most=self.settings.tokens, rng=rng, device=self.device)
