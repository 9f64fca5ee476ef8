"""The protocols of evaluation, each declared once, and what their numbers mean."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from alignrec.core.metrics import METRICS


@dataclass(frozen=True)
class Protocol:
    """A way to measure what features or a recommender are worth.

    Attributes:
        name: as records have it.
        title: as headings have it.
        question: what it asks, for a reader of the report.
        definition: how it measures, for `metrics.json`.
        behaviour: where features take the place of behaviour, the landmark that is that behaviour itself;
            None where a trained recommender is measured.
        share: what the share of a record is, as a word behind it: `lost` or `kept`; "" where there is none.
    """

    name: str
    title: str
    question: str = ""
    definition: str = ""
    behaviour: str | None = None
    share: str = ""

    @property
    def label(self) -> str:
        """The title inside a sentence."""
        return self.title[:1].lower() + self.title[1:]

    def with_share(self, share: float | None) -> str:
        """The title, with the share of a record behind it."""
        return self.title if share is None else f"{self.title}, {share:.0%} {self.share}".rstrip()


TOP_K, ZERO_SHOT, ITEM_CF = "top-k", "zero-shot", "item-cf"
COLD_START, LONG_TAIL = "cold-start", "long-tail"
FEW_INTERACTIONS, THINNED = "few-interactions", "thinned"
# Users with fewer training interactions than this have few.
FEW: Final = 4
_MASK, _TRAINED_MASK = "mask-", "trained-mask-"

# The weightiest first.
PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            TOP_K,
            "Recommendation",
            "Trained on who liked what: are the items that users liked later among the first k?",
            "after training, scores are the dot products of user vectors with aligned",
        ),
        Protocol(
            ZERO_SHOT,
            "Zero-shot",
            "With no training at all: a user is the mean of the items in the history, and the nearest items "
            "are recommended.",
            "a user is the mean of the unit vectors of the training history; cosine",
            behaviour="popularity",
        ),
        Protocol(
            ITEM_CF,
            "Item-CF",
            "Item-based collaborative filtering in which likeness of features takes the place of shared "
            "users.",
            "item-based collaborative filtering, 50 nearest neighbours, cosine of features in place of "
            "co-occurrence",
            behaviour="co-occurrence",
        ),
        Protocol(
            COLD_START,
            "Cold start",
            "Recommending only items that no training interaction touches.",
            "top-k with those candidates alone that have no training interactions, whose aligned comes from "
            "content; left out where these are no more than the longest list holds",
        ),
        Protocol(
            LONG_TAIL,
            "Long tail",
            "Recommending only the least popular items.",
            "top-k with those candidates alone that have training interactions and are the least popular, "
            "together at most 20% of these; left out where these are no more than the longest list holds",
        ),
        Protocol(
            FEW_INTERACTIONS,
            "Users with few interactions",
            f"Recommending to those users alone that have fewer than {FEW} training interactions.",
            f"top-k of those users alone that have fewer than {FEW} training interactions; left out where "
            "there are none",
        ),
        Protocol(
            THINNED,
            "Thinned histories",
            "What is recommended where only a share of each user's training interactions is known?",
            "top-k after learning from the share of each user's training interactions alone, at least one, "
            "drawn at random; every ranking, validation's too, leaves out the whole training history, so "
            "that users, positives and candidates are those of top-k; multimodal without training recommends "
            "as in zero-shot",
            share="kept",
        ),
    )
}
MASK_DEFINITION = "zero-shot after the share of items lost the modality, before any pretraining"
TRAINED_MASK_DEFINITION = (
    "top-k after training on features of which the share of items lost the modality after pretraining: the "
    "encoder has seen it, and encodes these items without it"
)


def trained_mask_protocol(modality: str) -> str:
    """The name of the protocol under which items lose a modality before full training, after pretraining."""
    return f"{_TRAINED_MASK}{modality}"


def mask_protocol(modality: str) -> str:
    """The name of the protocol under which a growing share of items loses a modality."""
    return f"{_MASK}{modality}"


def find_protocol(name: str) -> Protocol:
    """A protocol's words, those of a modality's mask among them; the bare name where it is not known."""
    if name.startswith(_TRAINED_MASK):
        lost = f"{name.removeprefix(_TRAINED_MASK)}s"
        question = f"Recall after training as the {lost} of a growing share of items are taken away."
        return Protocol(name, f"Trained without {lost}", question, TRAINED_MASK_DEFINITION, share="lost")
    if name.startswith(_MASK):
        lost = f"{name.removeprefix(_MASK)}s"
        question = f"Recall as the {lost} of a growing share of items are taken away."
        return Protocol(name, f"Without {lost}", question, MASK_DEFINITION, share="lost")
    return PROTOCOLS.get(name) or Protocol(name, name)


def by_weight(protocols: Iterable[str]) -> list[str]:
    """Names of protocols, each once: the weightiest first, masks behind what features are worth whole.

    Names that are not declared here come last, by the alphabet.
    """
    behind = list(PROTOCOLS).index(ITEM_CF)
    places = {name: place for place, name in enumerate(PROTOCOLS)}

    def place(name: str) -> tuple[float, str]:
        masks = name.startswith((_MASK, _TRAINED_MASK))
        return (behind + 0.5 if masks else places.get(name, len(places))), name

    return sorted(set(protocols), key=place)


def definitions(modalities: Iterable[str], *, exclude_valid: bool = False) -> dict[str, str]:
    """What the numbers of an evaluation mean: every metric, and every protocol.

    Args:
        modalities: of the catalogue, by their names.
        exclude_valid: whether validation positives are left out of the ranking at test.
    """
    validation = "are left out at test" if exclude_valid else "stay in at test, as in MMRec"
    names = list(modalities)
    masks, trained = (", ".join(map(name, names)) for name in (mask_protocol, trained_mask_protocol))
    found = {
        "ranking": "all candidate items but those of the user's training history; validation positives "
        f"{validation}",
        "candidates": "items with interactions left after the split's k-core",
        "value": "mean over users with positives; with `against`, the mean paired difference",
        "low, high": "95% percentile bootstrap over users, 2,000 resamplings",
        "mean, std": "over the seeds of full training on the run's own features; a mean's interval, and a "
        "difference, are over users, each user's values averaged over the seeds first; std is that of a "
        "sample",
        "strongest landmark": "that of the highest recall on validation",
        **{metric.name: metric.definition for metric in METRICS.values()},
        **{protocol.name: protocol.definition for protocol in PROTOCOLS.values()},
    }
    return found | ({masks: MASK_DEFINITION, trained: TRAINED_MASK_DEFINITION} if masks else {})
