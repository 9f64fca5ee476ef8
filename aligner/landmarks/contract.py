"""What a landmark is: another system on the same split, its settings, citation and code in one file.

A module of this folder, of an installed package or of a plugin adds what it holds at its top level, and loads
no torch there: names and settings are asked for long before anything is trained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.splits import Split
from alignrec.core.libraries import versions_behind

if TYPE_CHECKING:
    from alignrec.aligner.trainer import Hooks

Settings = TypeVar("Settings", bound=BaseModel)
# By modality, float `[items, ·]` and which items have it, bool `[items]`.
Modalities = Mapping[str, tuple[NDArray[np.floating], NDArray[np.bool_]]]


def _no_hooks() -> Hooks:
    return {}


@dataclass(frozen=True)
class Search:
    """A search for the settings of a landmark that is trained; validation Recall@20 chooses.

    Attributes:
        grid: for each setting its values, in order; the landmark's own settings are where it begins.
        budget: trainings at most.
    """

    grid: Mapping[str, Sequence[float]]
    budget: int


@dataclass(frozen=True, eq=False)
class LandmarkInput:
    """What a landmark learns from, within the limits of the run's own training.

    Attributes:
        split: training interactions to learn from, validation to choose and to stop by.
        features: float32 `[items, e]`, the multimodal set; None for landmarks that need none.
        valid: bool `[items]`, which items have features; None likewise.
        modalities: each modality's own vectors, as extracted; empty for landmarks that need none.
        seed: of a training.
        epochs: at most.
        device: where to train.
        hooks: to follow and resume a training.
        chosen: settings of a training that a search found, in place of the landmark's own.
    """

    split: Split
    features: NDArray[np.float32] | None = None
    valid: NDArray[np.bool_] | None = None
    modalities: Modalities = field(default_factory=dict)
    seed: int = 1
    epochs: int = 1000
    device: str = "auto"
    hooks: Hooks = field(default_factory=_no_hooks)
    chosen: Mapping[str, float] = field(default_factory=dict)

    def within(self, settings: Settings) -> Settings:
        """Settings of a training with what was chosen, that keeps to the limits.

        Args:
            settings: with `epochs` and `device` among them.
        """
        return settings.model_copy(update={**self.chosen, "epochs": self.epochs, "device": self.device})

    def content(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The features and which items have them.

        Raises:
            FeatureError: there are none.
        """
        if self.features is None or self.valid is None:
            raise FeatureError("this landmark learns from features, and there are none: leave it out")
        return self.features, self.valid

    def by_modality(self) -> Modalities:
        """Each modality's own vectors and which items have them.

        Raises:
            FeatureError: there are none.
        """
        if not self.modalities:
            raise FeatureError("this landmark learns from modalities, and there are none: leave it out")
        return self.modalities


@dataclass(frozen=True, eq=False)
class Landmark:
    """A system that the run is measured against.

    Attributes:
        name: as tables and metrics.json have it.
        definition: what it is, for whoever reads metrics.json.
        fit: learns from the split, and scores users and items afterwards.
        citation: authors, venue and year; "" for what nobody claims.
        year: of the citation; of two landmarks the older one comes first in a table.
        settings: its own, which decide its numbers; None where there are none. They are tuned as ours are, on
            validation.
        trained: by gradient, from a seed, epoch by epoch; its training can be resumed.
        needs_features: it learns from the multimodal set.
        needs_modalities: it learns from each modality's own vectors, as its paper has it.
        search: for its settings on a run's validation, in a full evaluation; None where it has none, or does
            it by itself in `fit`.
        quick: every evaluation has it; otherwise only a full one, as `evaluate --full` asks for.
        max_items: above, it is left out.
        without_content: the landmark that it would be without content: what it has over that one is what
            content is worth to it; "" where there is none.
        rivals: protocols of untrained features that it stands in too, and its name there.
    """

    name: str
    definition: str
    fit: Callable[[LandmarkInput], Scorer]
    citation: str = ""
    year: int = 0
    settings: BaseModel | None = None
    trained: bool = False
    needs_features: bool = False
    needs_modalities: bool = False
    search: Search | None = None
    quick: bool = True
    max_items: int | None = None
    without_content: str = ""
    rivals: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check that a search can begin.

        Raises:
            FeatureError: a search whose grid does not have the landmark's own settings.
        """
        start = {} if self.settings is None else self.settings.model_dump()
        for name, values in () if self.search is None else self.search.grid.items():
            if start.get(name) not in values:
                begins = f"{name} {start.get(name)}"
                raise FeatureError(f"the search of {self.name} begins with {begins}: its grid must have that")

    @property
    def sees_content(self) -> bool:
        """Whether it learns from more than interactions."""
        return self.needs_features or self.needs_modalities

    @property
    def sentence(self) -> str:
        """Citation and definition."""
        return "; ".join(filter(None, (self.citation, self.definition)))

    @property
    def identity(self) -> dict[str, object]:
        """What decides its numbers, beside what it learns from, as JSON: settings, code that is not ours.

        A plugin file's module has the hash of the file in its name, an installed package has a version, and
        our own code is covered by the version of the stage.
        """
        module = getattr(self.fit, "__module__", "")
        ours = module.startswith("alignrec.")
        return {
            "settings": None if self.settings is None else self.settings.model_dump(mode="json"),
            "search": None if self.search is None else asdict(self.search),
            "code": None if ours else {"module": module, "versions": versions_behind(module)},
        }
