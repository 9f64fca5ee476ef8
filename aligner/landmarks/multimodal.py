"""What landmarks that learn from each modality's own vectors have in common: their training and search."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput, Search
from alignrec.aligner.recommenders.settings import RecommenderSettings

if TYPE_CHECKING:
    from alignrec.aligner.recommenders.task import Recommender

_BUDGET = 6  # trainings of a search; grids follow the papers
_DEFINITION = (
    "on each modality's own vectors; stopped by validation Recall@20, at latest after train.epochs; settings "
    f"of the best validation Recall@20 of at most {_BUDGET} trainings"
)


def multimodal_landmark(
    name: str,
    load: Callable[[], Callable[..., Recommender]],
    settings: RecommenderSettings,
    grid: Mapping[str, Sequence[float]],
    *,
    citation: str,
    year: int,
) -> Landmark:
    """A recommender of a paper, trained by the one loop; a full evaluation has it.

    Args:
        name: as tables have it.
        load: gives the model's class, which loads torch; called when it is trained.
        settings: its own.
        grid: of the search for them.
        citation: authors, venue and year.
        year: of the citation.
    """

    def fit(data: LandmarkInput) -> Scorer:
        from alignrec.aligner.recommenders.task import fit_recommender  # loads torch

        within = data.within(settings)
        model = partial(load(), **within.of_the_model())
        return fit_recommender(model, data.by_modality(), data.split, within, data.seed, data.hooks)

    return Landmark(
        name,
        _DEFINITION,
        fit,
        citation=citation,
        year=year,
        settings=settings,
        trained=True,
        search=Search(grid, budget=_BUDGET),
        needs_modalities=True,
        quick=False,
    )
