"""AlignRec with one part taken away, and in its other form: what each part of it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alignrec.aligner.train.settings import TrainSettings
from alignrec.core.protocols import ZERO_SHOT
from alignrec.core.vocabulary import MULTIMODAL, SHUFFLED_CONTROL

# What belongs to the run and the machine, and goes from one form of the objective to the other.
_OF_THE_RUN = ("epochs", "exact_neighbours", "device")
_LOSSES = {"bpr": "BPR", "softmax": "softmax"}
# The width of the paper's form.
_SMALL = {"dim": 64, "members": 1}


@dataclass(frozen=True)
class Source:
    """Where the features of a training come from: the run's own encoder, or one that differs in one thing.

    Attributes:
        pretrained: False for an encoder that pretraining has not touched.
        without: the modality that the encoder does not know.
        shuffled: every item has the features of another one.
        lost: a modality, and the share of its items that lose it after pretraining.
        untrained: the untrained features of this name, in place of an encoder's.
    """

    pretrained: bool = True
    without: str | None = None
    shuffled: bool = False
    lost: tuple[str, float] | None = None
    untrained: str | None = None

    @property
    def features(self) -> str:
        """The name of its features."""
        return self.untrained or MULTIMODAL


OWN = Source()


@dataclass(frozen=True)
class Variant:
    """One way to train AlignRec.

    Attributes:
        name: what a reader knows it by.
        settings: of its training.
        source: of its features.
    """

    name: str
    settings: TrainSettings
    source: Source = OWN


def variants(settings: TrainSettings, modalities: Sequence[str], *, pretrained: bool = True) -> list[Variant]:
    """Shuffled content, the other form of the objective, and every ablation that takes away from `settings`.

    What `aligned` has over the same training on shuffled content, everything else equal, is what content is
    worth; so it is over the control, which learns from IDs alone and is no variant of features.

    The two forms differ in loss, width, members, batch and learning rate at once. So two variants stand
    between them: the other loss with everything else as in `settings`, and the run's own loss with the width
    and the single member of the paper's form.

    Under the softmax the ranking loss is itself the alignment of users with items, by cosine. So without
    user-item alignment is the paper's form less its UIA term: BPR ranks, and nothing aligns. The other
    ablations keep the form and everything else.

    Args:
        settings: of the run's own training.
        modalities: what the catalogue has.
        pretrained: whether the encoder was trained at all.
    """
    other_loss = "bpr" if settings.loss == "softmax" else "softmax"
    own = settings.model_dump(include=set(_OF_THE_RUN))
    steps = [
        Variant(
            f"aligned with {_LOSSES[other_loss]} alone", settings.model_copy(update={"loss": other_loss})
        ),
        Variant("aligned in 64 dimensions", settings.model_copy(update=_SMALL)),
    ]
    if settings.loss == "softmax":
        other = Variant("aligned in the paper's form", TrainSettings.paper(**own))
        without_uia = other.settings.model_copy(update={"uia_weight": 0.0})
    else:
        other = Variant("aligned with softmax", TrainSettings.model_validate({**own, "loss": "softmax"}))
        without_uia = settings.model_copy(update={"uia_weight": 0.0})
    terms = {
        "CCA": settings.model_copy(update={"cca_weight": 0.0}),
        "UIA": without_uia,
        "regularisation": settings.model_copy(update={"similarity_weight": 0.0}),
    }
    if settings.has_popularity:
        terms["popularity"] = settings.model_copy(update={"popularity": (0.0,)})
    if settings.has_zero_shot:
        terms[ZERO_SHOT] = settings.model_copy(update={"zero_shot": (0.0,)})
    found = [Variant(f"aligned without {term}", less) for term, less in terms.items() if less != settings]
    if len(modalities) > 1:
        if pretrained:
            found.insert(0, Variant("aligned without ICA", settings, Source(pretrained=False)))
        found += [Variant(f"aligned without {m}", settings, Source(without=m)) for m in modalities]
    shuffled = Variant(SHUFFLED_CONTROL, settings, Source(shuffled=True))
    between = [step for step in steps if step.settings not in (settings, other.settings)]
    return [shuffled, other, *between, *found]
