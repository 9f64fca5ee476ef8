"""Fine-tuning: an encoder learns a catalogue from pixels and word pieces, by mask-then-predict."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Unpack, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.finetune.held_out import Accuracy, held_out_accuracy
from alignrec.aligner.finetune.items import Batch, PixelItems, Step
from alignrec.aligner.finetune.layer_decay import parameter_groups
from alignrec.aligner.finetune.model import MaskedModel
from alignrec.aligner.finetune.objective import MaskedPrediction
from alignrec.aligner.finetune.patch_aggregation import PatchAggregation
from alignrec.aligner.finetune.settings import FinetuneSettings
from alignrec.aligner.finetune.text_labels import TextLabels, rarity_of
from alignrec.aligner.hardware import device_of
from alignrec.aligner.schedule import warmed_up
from alignrec.aligner.trainer import Hooks, Task, Trainer

_HELD_OUT, _ROUND, _JUDGED = 1, 2, 3  # streams of random numbers
_BETAS, _EPSILON = (0.9, 0.98), 1e-6  # of BEiT-3's AdamW
_FEWEST, _MOST_HELD_OUT = 8, 1024  # pairs that something can be said by; and as many as it takes


@dataclass(frozen=True)
class Finetuned:
    """What fine-tuning leaves beside the model, which is changed.

    Attributes:
        curves: for each round of steps the mean of each loss, `loss.…`, and that of held-out items.
        accuracy: what is told right of items that training did not see.
    """

    curves: list[dict[str, float]]
    accuracy: list[Accuracy]


def rounds_of(settings: FinetuneSettings) -> int:
    """How many rounds a training has, each ending with a state to go on from."""
    return math.ceil(settings.steps / min(settings.save_every, settings.steps))


def state_bytes(model: MaskedModel, settings: FinetuneSettings) -> int:
    """What the state of a training takes on disk: each weight, and two moments of its gradient."""
    with torch.device("meta"):
        own = PatchAggregation(model.width) if settings.aggregate else nn.Module()
    weights = [*cast("nn.Module", model).parameters(), *own.parameters()]
    return 3 * sum(weight.numel() * weight.element_size() for weight in weights)


def finetune(
    model: MaskedModel,
    items: PixelItems,
    settings: FinetuneSettings,
    seed: int,
    **hooks: Unpack[Hooks],
) -> Finetuned:
    """Train a model on the items, and leave it on the CPU as it is after the last step.

    The trainer's epoch is here a round of `save_every` steps. With the same arguments and threads, a CPU
    gives the same bytes, in one go or resumed after any round.

    Args:
        model: changed in place.
        items: the catalogue; items with a picture or a text alone learn from that alone.
        settings: see there.
        seed: of order, masks, and layers that only training has.
        hooks: to follow and resume the training.

    Raises:
        FeatureError: there are too few items with picture and text.
        AlignerError: the device is absent, or training diverged.
    """
    pairs = np.flatnonzero(items.picture & items.text)
    count = min(round(settings.held_out * len(pairs)), _MOST_HELD_OUT)
    if count < _FEWEST:
        raise FeatureError(
            f"fine-tuning holds out {settings.held_out:g} of the items with picture and text, and that is "
            f"{count} of {len(pairs)}: expected at least {_FEWEST}; raise finetune.held_out"
        )
    held_out = np.sort(np.random.default_rng([seed, _HELD_OUT]).permutation(pairs)[:count])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        labels = TextLabels(rarity_of(items.texts)) if settings.classify else None
        objective = MaskedPrediction(model, aggregate=settings.aggregate, labels=labels)
    task = _Finetuning(objective, items, held_out, settings, seed)
    curves = Trainer(task).fit(**hooks).curves
    objective.eval()
    with task.autocast():
        accuracy = held_out_accuracy(objective.front, items, held_out, seed, task.device, task.part_size)
    objective.cpu()
    return Finetuned(curves, accuracy)


class _Finetuning(Task[Step]):
    """Rounds of steps; a step's items and masks follow from its number and the seed alone."""

    section = "finetune"
    keeps_last = True

    def __init__(
        self,
        objective: MaskedPrediction,
        items: PixelItems,
        held_out: NDArray[np.int64],
        settings: FinetuneSettings,
        seed: int,
    ) -> None:
        self.items, self.held_out, self.settings, self.seed = items, held_out, settings, seed
        self.device = device_of(settings.device)
        usable = np.flatnonzero(items.picture | items.text)
        self.learned = np.setdiff1d(usable, held_out)
        self.model = self.kept = self.objective = objective.to(self.device)
        groups = parameter_groups(
            objective, objective.front, "model.", settings.layer_decay, settings.weight_decay
        )
        self.optimizer = torch.optim.AdamW(groups, settings.learning_rate, betas=_BETAS, eps=_EPSILON)
        self.seeds = (seed, _ROUND)
        self.round = min(settings.save_every, settings.steps)
        self.epochs = self.patience = rounds_of(settings)
        self.clip = settings.clip
        self.part_size = math.ceil(settings.batch_size / settings.accumulate)

    def batches(self, rng: np.random.Generator) -> Iterator[Step]:
        """The steps of one round, which draws its items anew; none comes twice before all have come once."""
        rng.random()  # the first number has seeded PyTorch
        size = self.settings.batch_size
        passes = math.ceil(self.round * size / len(self.learned))
        order = np.concatenate([rng.permutation(self.learned) for _ in range(passes)])
        for start in range(0, self.round * size, size):
            yield Step.drawn(self.items, order[start : start + size], rng)

    def parts(self, batch: Step) -> Iterable[Step]:
        """The step in as many parts as gradients are accumulated over."""
        return batch.parts(self.settings.accumulate)

    def losses(self, batch: Step) -> dict[str, Tensor]:
        """See `MaskedPrediction.losses`."""
        with self.autocast():
            return self.objective.losses(Batch.read(self.items, batch, self.device))

    def rate(self, epoch: int, step: int, /) -> float:
        """See `schedule.warmed_up`."""
        number, total = epoch * self.round + step, self.epochs * self.round
        return self.settings.learning_rate * warmed_up(number, total, self.settings.warmup)

    def validate(self) -> dict[str, float]:
        """The losses of held-out items, under the same masks every time."""
        sums: dict[str, float] = {}
        step = Step.drawn(self.items, self.held_out, np.random.default_rng([self.seed, _JUDGED]))
        for part in step.parts(math.ceil(len(self.held_out) / self.part_size)):
            for name, value in self.losses(part).items():
                sums[name] = sums.get(name, 0.0) + float(value)
        return {f"held out {name}": value for name, value in sums.items()}

    def score(self, validation: Mapping[str, float]) -> float:
        """Not asked for: the last step's model is kept."""
        return -sum(validation.values())

    def autocast(self) -> torch.autocast:
        """Products in the precision that the settings ask for."""
        half = self.settings.precision == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=half)
