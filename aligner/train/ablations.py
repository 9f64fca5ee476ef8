"""AlignRec with one part taken away, and in its other form: what each part of it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alignrec.aligner.train.settings import TrainSettings
from alignrec.core.vocabulary import CONTROL, SHUFFLED_CONTROL

# What belongs to the run and the machine, and goes from one form of the objective to the other.
_OF_THE_RUN = ("epochs", "exact_neighbours", "device")


@dataclass(frozen=True)
class Source:
    """Where the features of a training come from: the run's own encoder, or one that differs in one thing.

    Attributes:
        pretrained: False for an encoder that pretraining has not touched.
        without: the modality that the encoder does not know.
        shuffled: every item has the features of another one.
    """

    pretrained: bool = True
    without: str | None = None
    shuffled: bool = False


OWN = Source()


@dataclass(frozen=True)
class Variant:
    """One way to train AlignRec.

    Attributes:
        name: what a reader knows it by.
        settings: of its training.
        source: of its features; None for IDs alone.
    """

    name: str
    settings: TrainSettings
    source: Source | None = OWN


def variants(settings: TrainSettings, modalities: Sequence[str], *, pretrained: bool = True) -> list[Variant]:
    """The controls, the other form of the objective, and every ablation that takes away from `settings`.

    The controls are ours on IDs alone and on shuffled content, everything else equal: what `aligned` has over
    them is what content is worth.

    Under the softmax the ranking loss is itself the alignment of users with items, by cosine. So without
    user-item alignment is the paper's form less its UIA term: BPR ranks, and nothing aligns. The other
    ablations keep the form and everything else.

    Args:
        settings: of the run's own training.
        modalities: what the catalogue has.
        pretrained: whether the encoder was trained at all.
    """
    own = settings.model_dump(include=set(_OF_THE_RUN))
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
    found = [Variant(f"aligned without {term}", less) for term, less in terms.items() if less != settings]
    if len(modalities) > 1:
        if pretrained:
            found.insert(0, Variant("aligned without ICA", settings, Source(pretrained=False)))
        found += [Variant(f"aligned without {m}", settings, Source(without=m)) for m in modalities]
    shuffled = Variant(SHUFFLED_CONTROL, settings, Source(shuffled=True))
    return [Variant(CONTROL, settings, None), shuffled, other, *found]
