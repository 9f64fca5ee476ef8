"""What the report works out before anything is drawn."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignrec.core.results import Measurement
from alignrec.pipeline.report.charts import Value, interval_chart, line_chart
from alignrec.pipeline.report.colouring import colour_field
from alignrec.pipeline.report.gallery import choose, clip
from alignrec.pipeline.report.metrics import estimates
from alignrec.pipeline.report.neighbours_map import likeness
from alignrec.pipeline.report.overview import popularity
from alignrec.pipeline.report.page import embedded_json
from alignrec.pipeline.report.thumbnails import SIDES, thumbnails
from alignrec.pipeline.report.verdict import verdicts
from tests.pipeline.catalogues import picture

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
OURS = Measurement("top-k", "aligned", "recall", 20, "test", 0.2)
WEAK = replace(OURS, subject="popularity", value=0.1)
STRONG = replace(OURS, subject="LightGCN", value=0.15)


def gain(low: float, high: float, against: str = "LightGCN") -> Measurement:
    return replace(OURS, value=(low + high) / 2, low=low, high=high, against=against)


@pytest.mark.parametrize(
    ("low", "high", "outcome", "says"),
    [
        (0.01, 0.09, "helped", "aligned features helped"),
        (-0.09, -0.01, "hurt", "aligned features did not help"),
        (-0.01, 0.09, "open", "No proof that aligned features helped"),
        (0.0, 0.09, "open", "No proof that aligned features helped"),
    ],
)
def test_the_verdict_is_no_better_than_the_interval(low: float, high: float, outcome: str, says: str) -> None:
    (verdict,) = verdicts(estimates([OURS, WEAK, STRONG, gain(low, high)]))
    assert (verdict.outcome, verdict.headline) == (outcome, says)
    assert "0.1500 for the strongest landmark, LightGCN" in verdict.sentence


def test_a_gain_over_a_weak_landmark_proves_nothing() -> None:
    (verdict,) = verdicts(estimates([OURS, WEAK, STRONG, gain(0.05, 0.15, against="popularity")]))
    assert verdict.outcome == "open"
    assert "No interval was measured" in verdict.sentence


def test_the_strongest_landmark_is_chosen_on_validation() -> None:
    judged = [replace(WEAK, split="valid", value=0.18), replace(STRONG, split="valid", value=0.17)]
    won = gain(0.05, 0.15, against="popularity")
    (verdict,) = verdicts(estimates([OURS, WEAK, STRONG, won, *judged]))
    assert "0.1000 for the strongest landmark, popularity" in verdict.sentence
    (verdict,) = verdicts(estimates([OURS, WEAK, STRONG, won, judged[0]]))
    assert "0.1500 for the strongest landmark, LightGCN" in verdict.sentence


def test_features_are_compared_with_features_and_behaviour_is_told_beside() -> None:
    ours, rival, behaviour = (
        replace(OURS, protocol="item-cf", subject=name, value=value)
        for name, value in (("multimodal", 0.2), ("centred text", 0.1), ("co-occurrence", 0.3))
    )
    won = replace(ours, value=0.1, low=0.05, high=0.15, against="centred text")
    (verdict,) = verdicts(estimates([ours, rival, behaviour, won]))
    assert verdict.outcome == "helped" and "landmark, centred text" in verdict.sentence
    assert verdict.sentence.endswith("Behaviour alone, with no features (co-occurrence), reaches 0.3000.")


def test_validation_numbers_make_no_verdict() -> None:
    assert verdicts(estimates([replace(m, split="valid") for m in (OURS, WEAK, gain(0.1, 0.2))])) == []


def test_landmarks_alone_make_no_verdict() -> None:
    assert verdicts(estimates([WEAK, STRONG])) == []


def test_seeds_are_taken_together() -> None:
    seeds = [replace(OURS, seed=seed, value=value) for seed, value in ((1, 0.1), (2, 0.3))]
    (bare,) = estimates(seeds)
    assert (bare.value, bare.low, bare.deviation) == (pytest.approx(0.2), None, None)
    mean = replace(OURS, aggregate="mean", value=0.21, low=0.2, high=0.22)
    (full,) = estimates([*seeds, mean, replace(OURS, aggregate="std", value=0.05)])
    assert (full.value, full.low, full.high, full.deviation) == (0.21, 0.2, 0.22, 0.05)


@given(st.lists(st.tuples(NUMBERS, st.floats(0, 1e3)), min_size=1, max_size=8), st.booleans())
def test_charts_keep_their_values_on_the_axis_and_in_order(
    values: list[tuple[float, float]], signed: bool
) -> None:
    rows = [Value("x", False, v, v - width, v + width) for v, width in values]
    chart = interval_chart("t", rows, signed=signed)
    for row in chart.rows:
        assert row.low is not None and row.high is not None
        assert 0 <= row.low <= row.at <= row.high <= 100
    assert all(0 <= tick.at <= 100 for tick in chart.ticks)
    assert len({tick.label for tick in chart.ticks}) == len(chart.ticks)
    order = [row.at for _, row in sorted(zip(values, chart.rows, strict=True), key=lambda pair: pair[0][0])]
    assert order == sorted(order)
    assert (chart.zero is not None) == signed


def test_lines_leave_out_what_is_not_finite_and_are_thinned() -> None:
    points = [(float(n), float(n)) for n in range(5000)] + [(5000.0, float("nan"))]
    chart = line_chart("loss", "epoch", [("train", 0, points), ("nothing", 1, [(1.0, float("inf"))])])
    (line,) = chart.lines
    assert len(line.points.split()) < 500
    assert line.last == "4999"
    assert line.points.endswith(" 100,5.36")


def test_columns_that_put_items_into_a_few_groups_can_colour() -> None:
    kinds = colour_field("kind", ["b", "a", "b", None, ["a", "x"], "b"])
    assert kinds is not None
    assert (kinds.labels, kinds.codes, kinds.ordered) == (["b", "a"], [0, 1, 0, -1, 1, 0], False)
    prices = colour_field("price", [*map(float, range(100)), None])
    assert prices is not None and prices.ordered
    assert prices.labels[0] == "0 – 18" and prices.codes[-1] == -1
    assert set(np.bincount(prices.codes[:-1])) <= {19, 20, 21}
    assert colour_field("title", [f"thing {n}" for n in range(50)]) is None
    assert colour_field("same", ["x"] * 50) is None
    assert colour_field("empty", [None] * 50) is None


def test_likeness_finds_the_nearest_and_is_the_same_every_time() -> None:
    rng = np.random.default_rng(3)
    centres = rng.standard_normal((5, 12)) * 4
    matrix = (np.repeat(centres, 12, axis=0) + rng.standard_normal((60, 12))).astype(np.float32)
    valid = np.ones(60, dtype=np.bool_)
    valid[17] = False
    seen, again = likeness(matrix, valid, 1), likeness(matrix, valid, 1)
    assert seen.neighbours == again.neighbours and np.array_equal(seen.places, again.places)
    assert seen.neighbours[17] == [] and seen.places[17].tolist() == [-1, -1]
    for row in set(range(60)) - {17}:
        assert len(seen.neighbours[row]) == 10 and {row, 17}.isdisjoint(seen.neighbours[row])
        assert {n // 12 for n in seen.neighbours[row]} == {row // 12}
        assert seen.cosines[row] == sorted(seen.cosines[row], reverse=True)
    inside = seen.places[valid]
    assert inside.min() == 0 and inside.max() == 1000


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_smallest_catalogues_have_a_map(count: int) -> None:
    seen = likeness(np.eye(count, 4, dtype=np.float32), np.ones(count, dtype=np.bool_), 1)
    assert seen.places.shape == (count, 2) and (seen.places >= 0).all()


def test_items_with_most_interactions_are_shown() -> None:
    ids = [str(n) for n in range(10)]
    assert choose(ids, np.array([0, 5, 5, 1, 0, 0, 9, 0, 0, 0]), most=4).tolist() == [6, 1, 2, 3]
    assert choose(ids, None, most=4).tolist() == [0, 3, 6, 9]
    assert choose(ids, None).tolist() == list(range(10))


def test_popularity_begins_and_ends_with_a_filled_group() -> None:
    assert popularity(np.array([3, 4, 12, 12])) == [
        ("2 – 4", 2, 100.0),
        ("5 – 9", 0, 0.0),
        ("10 – 19", 2, 100.0),
    ]
    assert popularity(np.array([], dtype=np.int64)) == []


def test_thumbnails_shrink_until_they_fit() -> None:
    sources = [partial(picture, n) for n in range(4)]
    large = thumbnails(sources, 10**9)
    assert all(large)
    total = sum(map(len, large))
    assert sum(map(len, thumbnails(sources, total - 1))) <= total
    assert len(thumbnails(sources, 0)) == 4 and list(SIDES) == sorted(SIDES, reverse=True)


def test_pictures_that_cannot_be_read_are_left_out() -> None:
    def absent() -> bytes:
        raise FileNotFoundError

    assert thumbnails([None, lambda: b"no picture", absent, lambda: picture(1)[:-300]], 10**6) == [""] * 4


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=4)
)


@given(JSON)
def test_embedded_json_says_the_same_and_can_close_no_element(value: object) -> None:
    text = embedded_json(value)
    assert json.loads(text) == value
    assert not set("<>&\u2028\u2029") & set(text)


@given(st.text(max_size=30), st.integers(2, 20))
def test_clipped_text_fits(text: str, longest: int) -> None:
    assert len(clip(text, longest)) <= longest
    assert clip(text, longest) == text or clip(text, longest).endswith("…")
