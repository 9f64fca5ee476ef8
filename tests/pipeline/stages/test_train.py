from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from alignrec.aligner.processes import Processes, Result
from alignrec.aligner.train import graphs
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.stages.train import STAGE, kept_neighbours


@pytest.mark.parametrize(("sets", "skipped"), [(["text", "multimodal"], True), (["aligned"], False)])
def test_it_is_for_sets_that_training_makes(sets: list[str], skipped: bool) -> None:
    catalog = {"items": {"path": "x"}, "interactions": {"path": "y"}}
    why = STAGE.skip(Config.model_validate({"catalog": catalog, "export": {"sets": sets}}))
    assert why == ("export.sets names no set that training makes; add aligned to it." if skipped else "")


def test_neighbours_are_searched_once_for_the_same_features(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = np.random.default_rng(1).standard_normal((12, 4)).astype(np.float32)
    expected = graphs.content_neighbours(features, 3, 100)
    found = kept_neighbours(tmp_path)(features, 3, 100)
    monkeypatch.setattr(graphs, "content_neighbours", lambda *_arguments: pytest.fail("searched again"))
    again = kept_neighbours(tmp_path)(features, 3, 100)
    for neighbours in (found, again):
        np.testing.assert_array_equal(neighbours.toarray(), expected.toarray())
    with pytest.raises(pytest.fail.Exception, match="searched again"):
        kept_neighbours(tmp_path)(features + 1, 3, 100)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes().replace(b"data", b"dada"))
    with pytest.raises(pytest.fail.Exception, match="searched again"):
        kept_neighbours(tmp_path)(features, 3, 100)


class Second(Processes):
    """The second of two, which looks for what the first one does before."""

    rank, count = 1, 2

    def __init__(self, first: Callable[[], object]) -> None:
        self.first_does = first

    def after_first(self, work: Callable[[], Result]) -> Result:
        self.first_does()
        return work()


def test_of_several_processes_the_first_searches_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = np.random.default_rng(1).standard_normal((12, 4)).astype(np.float32)

    def search_first() -> None:
        kept_neighbours(tmp_path)(features, 3, 100)
        monkeypatch.setattr(graphs, "content_neighbours", lambda *_arguments: pytest.fail("searched again"))

    found = kept_neighbours(tmp_path, Second(search_first))(features, 3, 100)
    assert found.shape == (12, 12)
