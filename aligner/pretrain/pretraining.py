"""Pretraining: an encoder is trained on a catalogue by mask-then-predict."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from alignrec.aligner.alignment.views import project_view
from alignrec.aligner.hardware import device_of, one_thread_if_small
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain.batches import Batch, gather
from alignrec.aligner.pretrain.cls_encoder import ClsEncoder
from alignrec.aligner.pretrain.encoder import MultimodalEncoder
from alignrec.aligner.pretrain.item_encoder import ItemEncoder
from alignrec.aligner.pretrain.linear_encoder import LinearEncoder
from alignrec.aligner.pretrain.linear_errors import linear_errors
from alignrec.aligner.pretrain.masked_tokens import MaskedTokens
from alignrec.aligner.pretrain.multiway import MMEnc
from alignrec.aligner.pretrain.objective import HELD_OUT, MaskThenPredict, Objective
from alignrec.aligner.pretrain.residual_encoder import ResidualEncoder, better_told
from alignrec.aligner.pretrain.residual_objective import ResidualObjective
from alignrec.aligner.pretrain.settings import CLS_FORM, LINEAR, RESIDUAL, PretrainSettings
from alignrec.aligner.pretrain.token_codebook import token_codes
from alignrec.aligner.processes import ALONE, Processes
from alignrec.aligner.schedule import warmed_up
from alignrec.aligner.trainer import Hooks, Task, Trainer

_HELD_OUT, _EPOCH = 1, 2  # streams of random numbers
_FEWEST = 8  # complete items that something can be learned from
_FEWEST_JUDGES = 20  # held-out items that something can be said by
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


def pretrain(
    inputs: Inputs,
    settings: PretrainSettings,
    seed: int,
    *,
    shuffled: bool = False,
    **hooks: Unpack[Hooks],
) -> Pretrained:
    """The encoder of a catalogue: in closed form, or trained by mask-then-predict, as the settings say.

    The best epoch by held-out loss (items that training never sees) is kept. With the same inputs, settings,
    seed and threads, a CPU gives the same bytes, in one go or resumed from any state.

    Args:
        inputs: the catalogue; a missing modality is masked, never filled.
        settings: see there.
        seed: of weights, masks and order.
        shuffled: whether the residual form learns from pairs of different items: a control.
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
        if settings.vector == RESIDUAL:
            return _residual(inputs, settings, seed, shuffled=shuffled, **hooks)
        return (_cls if settings.vector == CLS_FORM else _filled)(inputs, settings, seed, **hooks)


def _filled(inputs: Inputs, settings: PretrainSettings, seed: int, **hooks: Unpack[Hooks]) -> Pretrained:
    encoder = MultimodalEncoder.fitted(settings, inputs, seed)
    # Without complete items or anything to predict there is nothing to learn: the residual path remains.
    learns = len(inputs) > 1 and int(_complete(inputs).sum()) >= _FEWEST
    if not learns or not settings.epochs or not any(map(settings.predicts, inputs)):
        return Pretrained(encoder.eval(), [])
    codes = _codes(inputs, settings, seed) if settings.code_weight else {}
    with _seeded(seed):
        objective = MaskThenPredict(encoder, codes)
    fit = Trainer(_Pretraining(objective, encoder, inputs, settings, seed)).fit(**hooks)
    return Pretrained(encoder.cpu().eval(), fit.curves)


def _cls(inputs: Inputs, settings: PretrainSettings, seed: int, **hooks: Unpack[Hooks]) -> Pretrained:
    encoder, curves = ClsEncoder.fitted(settings, inputs, seed), []
    if settings.epochs and any(map(settings.predicts, inputs)) and int(_complete(inputs).sum()) >= _FEWEST:
        codes = _codes(inputs, settings, seed)
        with _seeded(seed):
            objective = MaskedTokens(encoder, codes)
        curves = Trainer(_Pretraining(objective, encoder, inputs, settings, seed)).fit(**hooks).curves
    encoder.set_centre(inputs)
    return Pretrained(encoder.cpu().eval(), curves)


def _residual(
    inputs: Inputs, settings: PretrainSettings, seed: int, *, shuffled: bool, **hooks: Unpack[Hooks]
) -> Pretrained:
    """One part of the items that have several modalities judges epochs, another the views by themselves."""
    encoder = ResidualEncoder.fitted(settings, inputs, seed)
    several = np.flatnonzero(np.sum([source.valid for source in inputs.values()], axis=0) > 1)
    if len(several) < _FEWEST or not settings.epochs or not any(map(settings.predicts, inputs)):
        return Pretrained(encoder.eval(), [])
    rng = np.random.default_rng([seed, _HELD_OUT])
    # Of much of the catalogue, nothing would be left to learn from.
    count = max(1, round(min(settings.held_out, 1 / 3) * len(several)))
    order = rng.permutation(several)
    held_out, judges, learned = (np.sort(some) for some in np.split(order, [count, 2 * count]))
    parts = {m: project_view(c, inputs[m]) for m, c in encoder.linear.components.items()}
    with threadpool_limits(1):
        valid = {m: inputs[m].valid for m in parts}
        errors = linear_errors(encoder.linear.consensus, parts, valid, learned, rng)
    learned_errors = errors
    if shuffled:
        # Within the items that learn and those that choose the epoch; who judges keeps to the truth.
        other = np.arange(len(next(iter(errors.values()))))
        for some in (learned, held_out):
            other[some] = rng.permutation(some)
        learned_errors = {m: found[other] for m, found in errors.items()}
    objective = ResidualObjective(encoder, learned_errors, held_out)
    task = _Pretraining(objective, encoder, inputs, settings, seed, held_out, learned)
    curves = Trainer(task).fit(**hooks).curves
    encoder.eval()
    encoder.learned = tuple(better_told(encoder, inputs, errors, judges, _FEWEST_JUDGES))
    return Pretrained(encoder.cpu(), curves)


def _complete(inputs: Inputs) -> NDArray[np.bool_]:
    """Which items have every modality."""
    return np.asarray(np.all([source.valid for source in inputs.values()], axis=0))


def _codes(inputs: Inputs, settings: PretrainSettings, seed: int) -> dict[str, NDArray[np.int64]]:
    return {m: token_codes(source.tokens, settings.codes, seed) for m, source in inputs.items()}


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """What an objective draws for itself does not depend on what was drawn for its encoder."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed + 1)
        yield


def _work(settings: PretrainSettings) -> float:
    """Multiplications of one layer's weights with a step's tokens."""
    return settings.batch_size * settings.tokens * settings.width**2


@dataclass(frozen=True, eq=False)
class _Items:
    """A batch, its rows in the catalogue, and what draws all that is hidden of it."""

    batch: Batch
    rows: NDArray[np.int64]
    rng: np.random.Generator


class _Pretraining(Task[_Items]):
    """An objective on a catalogue; some complete items are held out and judge the epochs."""

    section = "pretrain"
    # An encoder that generalises to nothing is no better than an untrained one, which is kept then.
    untrained_counts = True
    processes: Processes = ALONE

    def __init__(
        self,
        objective: Objective,
        kept: nn.Module,
        inputs: Inputs,
        settings: PretrainSettings,
        seed: int,
        held_out: NDArray[np.int64] | None = None,
        learned: NDArray[np.int64] | None = None,
    ) -> None:
        """Set a training up: on `learned` items, judged by `held_out`; else some complete items judge."""
        self.inputs, self.settings, self.seed = inputs, settings, seed
        self.device = device_of(settings.device)
        if held_out is None:
            shuffled = np.random.default_rng([seed, _HELD_OUT]).permutation(np.flatnonzero(_complete(inputs)))
            held_out = np.sort(shuffled[: max(1, round(settings.held_out * len(shuffled)))])
        self.held_out = held_out
        usable = np.flatnonzero(np.any([source.valid for source in inputs.values()], axis=0))
        self.train_items = np.setdiff1d(usable, held_out) if learned is None else learned
        self.steps = math.ceil(len(self.train_items) / settings.batch_size)
        self.model: Objective = objective.to(self.device)
        self.kept = kept
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.seeds = (seed, _EPOCH)
        self.epochs, self.patience = settings.epochs, settings.patience
        self.clip, self.work = settings.clip, _work(settings)

    def batches(self, rng: np.random.Generator) -> Iterator[_Items]:
        """All items that are not held out, in random order, each hiding something."""
        rng.random()  # the first number has seeded PyTorch
        order = rng.permutation(self.train_items)
        for start in range(0, len(order), self.settings.batch_size):
            items = order[start : start + self.settings.batch_size]
            yield _Items(self._gather(items, rng), items, rng)

    def losses(self, batch: _Items) -> dict[str, Tensor]:
        """The losses by direction, each item hiding what chance says."""
        losses = self._losses(batch, None)
        if (count := self.processes.count) > 1:
            losses = {name: value / count for name, value in losses.items()}
        return losses

    def share(self, processes: Processes) -> None:
        """MMEnc computes rows of its own in each process, and gives all: every process has the whole loss."""
        self.processes = processes
        for module in self.model.modules():
            if isinstance(module, MMEnc):
                module.processes = processes

    def rate(self, epoch: int, step: int, /) -> float:
        """See `schedule.warmed_up`."""
        total = self.steps * self.settings.epochs
        return self.settings.learning_rate * warmed_up(epoch * self.steps + step, total, self.settings.warmup)

    def validate(self) -> dict[str, float]:
        """Losses on held-out items, under the same masks every time."""
        rng = np.random.default_rng([self.seed, _HELD_OUT, 1])
        losses: dict[str, list[float]] = {}
        for way in filter(self.settings.predicts, self.inputs):
            for start in range(0, len(self.held_out), _VALIDATED):
                items = self.held_out[start : start + _VALIDATED]
                for name, value in self._losses(_Items(self._gather(items, rng), items, rng), way).items():
                    losses.setdefault(f"{HELD_OUT}{name}", []).append(float(value))
        return {name: float(np.mean(values)) for name, values in losses.items()}

    def score(self, validation: Mapping[str, float]) -> float:
        """The objective's."""
        return self.model.score(validation)

    def _losses(self, batch: _Items, way: str | None) -> dict[str, Tensor]:
        half = self.settings.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            return self.model.losses(batch.batch, batch.rows, batch.rng, way)

    def _gather(self, items: NDArray[np.int64], rng: np.random.Generator) -> Batch:
        return gather(self.inputs, items, most=self.settings.tokens, rng=rng, device=self.device)
