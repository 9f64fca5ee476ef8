"""The words that every room uses, each declared once: modalities and feature sets."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # the command line names modalities, and starts without NumPy
    from alignrec.core.features import Key

# The kinds of content: no other place spells these names.
IMAGE: Final = "image"
TEXT: Final = "text"
AUDIO: Final = "audio"
PAIR: Final = "pair"  # a picture and a text that one model reads together
KINDS: Final = (IMAGE, TEXT, AUDIO, PAIR)
# The modalities that a catalogue has by default, each of the kind of its name.
MODALITIES: Final = (IMAGE, TEXT)

MULTIMODAL: Final = "multimodal"
CONTENT: Final = "content"
ALIGNED: Final = "aligned"
USER: Final = "user"


@dataclass(frozen=True)
class SetDefinition:
    """A feature set: what it is made by, and how it is described.

    Attributes:
        name: of the set.
        stage: the stage that makes it: `extract` (a raw set, named as its modality), `pretrain` or `train`.
        card: what it holds, for a reader of a release's card; "" where nothing is known.
        report: the same for a reader of a run's report.
        key: the column of its ids.
    """

    name: str
    stage: str
    card: str = ""
    report: str = ""
    key: Key = "item_id"

    @property
    def raw(self) -> bool:
        """Whether it is what a frozen extractor gave, with nothing trained."""
        return self.stage == "extract"

    @property
    def learned_from_interactions(self) -> bool:
        """Whether its values depend on who interacted with what."""
        return self.stage == "train"


# In the order in which a run makes them.
FEATURE_SETS = {
    definition.name: definition
    for definition in (
        SetDefinition(
            IMAGE,
            "extract",
            "an item's picture, as a frozen image model sees it",
            "Pictures, as a frozen model sees them",
        ),
        SetDefinition(
            TEXT,
            "extract",
            "an item's text, as a frozen text model reads it",
            "Texts, as a frozen model reads them",
        ),
        SetDefinition(
            AUDIO,
            "extract",
            "an item's sound, as a frozen audio model hears it",
            "Sounds, as a frozen model hears them",
        ),
        SetDefinition(
            PAIR,
            "extract",
            "an item's picture and text, as a frozen model reads both at once",
            "Pictures with texts, as a frozen model reads both at once",
        ),
        SetDefinition(
            MULTIMODAL,
            "pretrain",
            "all of its content in one vector, from an encoder trained on what goes together",
            "All content, after pretraining on what goes together",
        ),
        SetDefinition(
            CONTENT,
            "train",
            "that vector, refined by which items the same users liked",
            "All content, refined by who liked what",
        ),
        SetDefinition(
            ALIGNED,
            "train",
            "content and behaviour together: the representation that recommends; with `train.zero_shot` "
            "it has columns of its content, with `train.popularity` the last column is how popular it is",
            "The final item representation: content and behaviour",
        ),
        SetDefinition(
            USER, "train", "a user, in the same space as `aligned`: inner products rank items", "", "user_id"
        ),
    )
}
# The sets that nothing can make without interactions.
TRAINED_SETS = tuple(name for name, entry in FEATURE_SETS.items() if entry.learned_from_interactions)
# The item sets that this project trains, the furthest first; whatever else is evaluated is a landmark.
OWN_SETS = tuple(
    name for name, entry in reversed(FEATURE_SETS.items()) if entry.key == "item_id" and not entry.raw
)
# `aligned` less all content, and on the content of other items, everything else equal: what it has
# over them is what content is worth.
CONTROL: Final = f"{ALIGNED} without content"
SHUFFLED_CONTROL: Final = f"{ALIGNED} on shuffled content"
# The sets that a reader most likely wants who names none, best first.
PREFERRED_SETS = (ALIGNED, MULTIMODAL)


def is_own(subject: str) -> bool:
    """Whether what was evaluated is one of our sets, or an ablation of one (`aligned without …`)."""
    return any(re.fullmatch(rf"{name}( (without|with|on|in) .+)?", subject) for name in OWN_SETS)


def feature_set(name: str, kind: str = "") -> SetDefinition:
    """A set's definition; a name that is not declared here is a modality's, and its set a raw one.

    Args:
        name: of the set.
        kind: of the modality, if it is one and that is known; the words of the kind are its words.
    """
    if name in FEATURE_SETS:
        return FEATURE_SETS[name]
    like = FEATURE_SETS.get(kind) or SetDefinition(name, "extract")
    return replace(like, name=name)
