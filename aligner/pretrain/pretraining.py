"""Pretraining: the epoch loop around mask-then-predict, resumable at every epoch."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from alignrec.aligner.device import device_of
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain.batches import gather
from alignrec.aligner.pretrain.encoder import MultimodalEncoder
from alignrec.aligner.pretrain.objective import MaskThenPredict, choose_hidden
from alignrec.aligner.pretrain.settings import PretrainSettings
from alignrec.aligner.pretrain.token_codebook import token_codes
from alignrec.aligner.threads import one_thread

_HELD_OUT, _EPOCH = 1, 2  # streams of random numbers
_SMALL = 10_000_000  # multiplications of one layer's weights with a step's tokens


@dataclass(frozen=True, eq=False)
class Pretrained:
    """What pretraining leaves.

    Attributes:
        encoder: the encoder of the best epoch, on the CPU.
        curves: for each epoch, its mean losses, `train …` and `held out …`, by direction.
    """

    encoder: MultimodalEncoder
    curves: list[dict[str, float]]


def pretrain(
    inputs: Inputs,
    settings: PretrainSettings,
    seed: int,
    *,
    state: dict[str, Any] | None = None,
    save: Callable[[dict[str, Any]], None] | None = None,
    advance: Callable[[int, dict[str, float]], None] = lambda _epochs, _losses: None,
) -> Pretrained:
    """Train an encoder on a catalogue by mask-then-predict.

    The best epoch by held-out loss (items that training never sees) is kept. With the same inputs, settings,
    seed and threads, a CPU gives the same bytes, in one go or resumed from any `state`.

    Args:
        inputs: the catalogue; a missing modality is masked, never filled.
        settings: see there.
        seed: of weights, masks and order.
        state: what an earlier call gave to `save`; only tensors, numbers, strings and lists.
        save: called after each epoch with the state to resume from.
        advance: told, after each epoch, how many are done and the epoch's losses.

    Raises:
        FeatureError: a modality has no item.
    """
    # The default encoder's steps are small: a second thread makes an epoch a tenth faster, but four times
    # slower where something else wants its core.
    with one_thread(settings.batch_size * settings.tokens * settings.width**2 < _SMALL):
        run = _Run(inputs, settings, seed)
        if state is not None:
            run.restore(state)
            advance(run.epoch, {})
        while run.epoch < settings.epochs and run.stale < settings.patience and run.can_learn:
            losses = run.pass_once()
            if save is not None:
                save(run.state())
            advance(run.epoch, losses)
    return Pretrained(run.finish(), run.curves)


class _Run:
    """One training under way."""

    def __init__(self, inputs: Inputs, settings: PretrainSettings, seed: int) -> None:
        self.inputs, self.settings, self.seed = inputs, settings, seed
        self.device = device_of(settings.device)
        encoder = MultimodalEncoder.fitted(settings, inputs, seed)
        complete = np.all([source.valid for source in inputs.values()], axis=0)
        anything = np.flatnonzero(np.any([source.valid for source in inputs.values()], axis=0))
        # Without complete items or anything to predict there is nothing to learn: the residual path remains.
        self.can_learn = bool(settings.predict) and len(inputs) > 1 and int(complete.sum()) >= 8
        rng = np.random.default_rng([seed, _HELD_OUT])
        shuffled = rng.permutation(np.flatnonzero(complete))
        self.held_out = np.sort(shuffled[: max(1, round(settings.held_out * len(shuffled)))])
        self.train_items = np.setdiff1d(anything, self.held_out)
        codes = {m: token_codes(source.tokens, settings.codes, seed) for m, source in inputs.items()}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed + 1)
            self.model = MaskThenPredict(encoder, codes if settings.epochs else {}).to(self.device)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.steps = math.ceil(len(self.train_items) / settings.batch_size)
        self.epoch, self.stale = 0, 0
        # An encoder that generalises to nothing is no better than an untrained one, which is kept then.
        self.best_loss = self._loss(self._judge()) if self.can_learn and settings.epochs else math.inf
        self.best = copy.deepcopy(encoder.state_dict())
        self.curves: list[dict[str, float]] = []

    def pass_once(self) -> dict[str, float]:
        """One epoch. All its randomness comes from the seed and the epoch's number, so none needs saving."""
        rng = np.random.default_rng([self.seed, _EPOCH, self.epoch])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**62)))
            train = self._train(rng)
        held_out = self._judge()
        self.epoch += 1
        loss = self._loss(held_out)
        self.stale += 1
        if loss < self.best_loss:
            self.best_loss, self.stale = loss, 0
            self.best = copy.deepcopy(self.model.encoder.state_dict())
        losses = {f"train {k}": v for k, v in train.items()} | {
            f"held out {k}": v for k, v in held_out.items()
        }
        self.curves.append(losses)
        return losses

    def _train(self, rng: np.random.Generator) -> dict[str, float]:
        self.model.train()
        order = rng.permutation(self.train_items)
        seen: list[dict[str, float]] = []
        for step in range(self.steps):
            items = order[step * self.settings.batch_size : (step + 1) * self.settings.batch_size]
            self._set_rate(self.epoch * self.steps + step)
            losses = self._losses(items, rng)
            total = torch.stack(list(losses.values())).sum()
            self.optimizer.zero_grad()
            total.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
            self.optimizer.step()
            seen.append({k: float(v.detach()) for k, v in losses.items()})
        return _means(seen)

    @torch.no_grad()
    def _judge(self) -> dict[str, float]:
        """Losses on held-out items, under the same masks every time."""
        self.model.eval()
        rng = np.random.default_rng([self.seed, _HELD_OUT, 1])
        seen = []
        for hide in self.settings.predict:
            for start in range(0, len(self.held_out), 64):
                items = self.held_out[start : start + 64]
                losses = self._losses(items, rng, np.full(len(items), hide))
                seen.append({k: float(v) for k, v in losses.items()})
        return _means(seen)

    def _loss(self, held_out: Mapping[str, float]) -> float:
        """What decides between epochs: the errors of whole hidden sides."""
        return sum(held_out.get(m, 0.0) for m in self.settings.predict)

    def _losses(
        self, items: NDArray[np.int64], rng: np.random.Generator, hidden: NDArray[np.str_] | None = None
    ) -> dict[str, torch.Tensor]:
        batch = gather(self.inputs, items, most=self.settings.tokens, rng=rng, device=self.device)
        if hidden is None:
            hidden = choose_hidden({m: source.valid[items] for m, source in self.inputs.items()}, rng)
        half = self.settings.precision == "bfloat16"
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            losses: dict[str, torch.Tensor] = self.model(batch, hidden, rng)
        return losses

    def _set_rate(self, step: int) -> None:
        """Linear warm-up, then half a cosine down to zero."""
        total = max(1, self.steps * self.settings.epochs)
        warmup = max(1, round(total * self.settings.warmup))
        if step < warmup:
            factor = (step + 1) / warmup
        else:
            factor = 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * factor

    def state(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
            "epoch": self.epoch,
            "stale": self.stale,
            "best_loss": self.best_loss,
            "curves": self.curves,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.best, self.curves = state["best"], list(state["curves"])
        self.epoch, self.stale, self.best_loss = state["epoch"], state["stale"], state["best_loss"]

    def finish(self) -> MultimodalEncoder:
        encoder = self.model.encoder
        encoder.load_state_dict(self.best)
        return encoder.cpu().eval()


def _means(seen: list[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for losses in seen for name in losses)
    return {name: float(np.mean([losses[name] for losses in seen if name in losses])) for name in names}
