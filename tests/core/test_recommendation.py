"""What is recommended follows from the numbers, and never goes against them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignrec.core.recommendation import COLD, RANKER, SIMILAR, Recommendation, recommendations
from alignrec.core.results import Measurement, Results

K = 20
Gaps = Mapping[tuple[str, str], tuple[float, float]]


def measured(
    protocol: str, values: Mapping[str, tuple[float | None, float]], gaps: Gaps | None = None
) -> list[Measurement]:
    """Recalls on validation (None: not measured) and test by subject, and intervals of differences."""
    base = Measurement(protocol, "", "recall", K, "test", 0)
    records = []
    for name, (valid, test) in values.items():
        records.append(replace(base, subject=name, value=test))
        if valid is not None:
            records.append(replace(base, subject=name, value=valid, split="valid"))
    for (name, against), (low, high) in (gaps or {}).items():
        records.append(
            replace(base, subject=name, against=against, value=(low + high) / 2, low=low, high=high)
        )
    return records


def recommended(use: str, records: list[Measurement]) -> Recommendation:
    (found,) = [r for r in recommendations(Results(records)) if r.use == use]
    return found


CONTROL = "aligned without content"
TOP_K = {"aligned": (0.39, 0.39), CONTROL: (0.38, 0.38), "EASE": (0.36, 0.37), "popularity": (0.2, 0.2)}


@pytest.mark.parametrize(
    ("content", "ahead", "choice", "headline"),
    [
        ((0.01, 0.03), (0.01, 0.03), "aligned", "use aligned: content helps"),
        ((0.01, 0.03), (-0.01, 0.03), "aligned", "use aligned: content helps"),
        (
            (-0.01, 0.01),
            (0.01, 0.03),
            "aligned",
            "use aligned, for how it is trained: no proof that content helps",
        ),
        ((-0.01, 0.01), (-0.01, 0.03), None, "no set: no proof that anything helped"),
        ((-0.03, -0.01), (0.01, 0.03), None, "no set: training without content recommends better"),
        ((0.01, 0.03), (-0.03, -0.01), None, "no set: EASE recommends better"),
    ],
)
def test_a_rankers_input(
    content: tuple[float, float], ahead: tuple[float, float], choice: str | None, headline: str
) -> None:
    gaps = {("aligned", CONTROL): content, ("aligned", "EASE"): ahead}
    found = recommended(RANKER, measured("top-k", TOP_K, gaps))
    assert (found.choice, found.headline) == (choice, headline)
    for words in (
        "0.3900 recall@20 on test",
        f"[{content[0]:+.4f}, {content[1]:+.4f}]",
        "One seed",
        f"EASE (strongest on validation) {sum(ahead) / 2:+.4f} [{ahead[0]:+.4f}, {ahead[1]:+.4f}]",
    ):
        assert words in found.sentence


def test_what_is_ahead_on_test_alone_is_named_but_chooses_nothing() -> None:
    values = TOP_K | {"FREEDOM": (None, 0.45), "MGCN": (None, 0.1)}
    gaps = {
        ("aligned", CONTROL): (0.01, 0.03),
        ("aligned", "EASE"): (0.01, 0.03),
        ("aligned", "FREEDOM"): (-0.07, -0.05),
        ("aligned", "MGCN"): (0.2, 0.3),
    }
    found = recommended(RANKER, measured("top-k", values, gaps))
    assert found.choice == "aligned" and "strongest on validation" in found.sentence
    assert found.sentence.endswith(
        "Measured on test alone, FREEDOM is ahead of aligned (-0.0600 [-0.0700, -0.0500] for aligned)."
    )


SETS = {"multimodal": (0.12, 0.11), "text": (0.11, 0.12), "image": (0.04, 0.04), "co-occurrence": (0.3, 0.3)}


@pytest.mark.parametrize(
    ("values", "gap", "choice", "headline"),
    [
        ({}, (0.01, 0.02), "multimodal", "use multimodal"),
        ({}, (-0.01, 0.02), "multimodal", "use multimodal, no surer than text"),
        ({}, (-0.02, -0.01), None, "open: on test text is above multimodal"),
        ({"text": (0.13, 0.12)}, (-0.02, -0.01), "text", "use text"),
        ({"text": (0.13, 0.12)}, (-0.02, 0.01), "text", "use text, no surer than multimodal"),
        ({"text": (0.13, 0.12)}, (0.01, 0.02), None, "open: on test multimodal is above text"),
        # Test does not choose.
        ({"image": (0.05, 0.9)}, (0.01, 0.02), "multimodal", "use multimodal"),
    ],
)
def test_similar_items(
    values: dict[str, tuple[float, float]], gap: tuple[float, float], choice: str | None, headline: str
) -> None:
    found = recommended(SIMILAR, measured("item-cf", SETS | values, {("multimodal", "text"): gap}))
    assert (found.choice, found.headline) == (choice, headline)
    if "image" not in values:
        assert "co-occurrence alone reaches 0.3000: features are for those that have not" in found.sentence


def test_features_that_no_release_has_are_named_as_such() -> None:
    words = "It is no set of a release"
    sets = {"text": (0.1, 0.1), "sound": (0.2, 0.2), "centred sound": (0.1, 0.1)}
    assert words not in recommended(SIMILAR, measured("item-cf", sets)).sentence
    sets["centred concatenation"] = (0.3, 0.3)
    found = recommended(SIMILAR, measured("item-cf", sets))
    assert found.choice == "centred concatenation" and words in found.sentence


def test_roundings_prove_nothing() -> None:
    gaps = {("aligned", CONTROL): (1e-17, 1e-17), ("aligned", "EASE"): (-1e-17, -1e-17)}
    found = recommended(RANKER, measured("top-k", TOP_K, gaps))
    assert found.headline == "no set: no proof that anything helped"
    assert "-0.0000" not in found.sentence


COLD_ITEMS = {"aligned": (0.3, 0.3), CONTROL: (0.1, 0.1), "VBPR": (0.2, 0.25), "popularity": (0.1, 0.4)}


@pytest.mark.parametrize(
    ("gap", "choice", "headline"),
    [
        ((0.01, 0.09), "aligned", "use aligned"),
        ((-0.01, 0.09), None, "open: aligned and VBPR are not told apart"),
        ((-0.09, -0.01), None, "no set: VBPR recommends better"),
    ],
)
def test_new_items(gap: tuple[float, float], choice: str | None, headline: str) -> None:
    found = recommended(COLD, measured("cold-start", COLD_ITEMS, {("aligned", "VBPR"): gap}))
    assert (found.choice, found.headline) == (choice, headline)
    assert found.sentence.startswith("Among new items alone, aligned has 0.3000 recall@20 on test, over VBPR")


def test_what_was_not_measured_is_not_recommended() -> None:
    assert recommendations(Results()) == []
    raw = recommendations(Results(measured("item-cf", {"text": (0.1, 0.1)})))
    assert [(r.choice, r.headline) for r in raw] == [
        ("text", "use text"),
        (None, "not measured"),
        (None, "not measured"),
    ]
    assert str(raw[1]).startswith("New items: not measured. Nothing was trained, or no item of test is new")
    assert "so few that one list holds them all" in str(raw[1])
    alone = recommended(COLD, measured("cold-start", {"aligned": (0.3, 0.3)}))
    assert (alone.choice, alone.headline) == (None, "open: nothing to compare with")
    without = recommended(RANKER, measured("top-k", {"aligned": (0.3, 0.3), "EASE": (0.1, 0.1)}))
    assert without.choice is None and "no interval measured" in without.sentence


def test_several_seeds_are_no_indication() -> None:
    records = measured("top-k", TOP_K, {("aligned", CONTROL): (0.01, 0.03)})
    spread = replace(records[0], aggregate="std", value=0.002)
    mean = replace(records[0], aggregate="mean")
    assert "One seed" not in recommended(RANKER, [*records, mean, spread]).sentence


SUBJECTS = ["aligned", CONTROL, "multimodal", "text", "EASE", "popularity", "co-occurrence", "FREEDOM"]
value = st.floats(0, 1)


@st.composite
def evaluations(draw: st.DrawFn) -> list[Measurement]:
    records = []
    for protocol in ("item-cf", "cold-start", "top-k"):
        names = draw(st.lists(st.sampled_from(SUBJECTS), unique=True))
        values = {name: (draw(st.none() | value), draw(value)) for name in names}
        pairs = [(one, other) for one in names for other in names if one < other and draw(st.booleans())]
        gaps = {pair: tuple(sorted((draw(st.floats(-1, 1)), draw(st.floats(-1, 1))))) for pair in pairs}
        records += measured(protocol, values, gaps)  # type: ignore[arg-type]
    return records


@given(evaluations())
def test_no_choice_goes_against_a_number(records: list[Measurement]) -> None:
    results = Results(records)
    protocol = {SIMILAR: "item-cf", COLD: "cold-start", RANKER: "top-k"}
    for found in recommendations(results):
        here = results.select(protocol=protocol[found.use])
        assert "\n" not in str(found) and found.sentence.endswith(".")
        if found.choice is None:
            assert not found.headline.startswith("use ")
            continue
        assert found.headline.startswith(f"use {found.choice}")
        assert found.choice not in ("EASE", "popularity", "co-occurrence", "FREEDOM", CONTROL) or (
            found.use == SIMILAR and found.choice not in ("co-occurrence", CONTROL)
        )
        tested = {r.subject for r in here.records if r.split == "test" and r.against is None}
        assert found.choice in tested
        if found.use == SIMILAR:
            valid = {r.subject: r.value for r in here.select(split="valid").records}
            # Behaviour itself, and what no release has.
            for name in ("co-occurrence", CONTROL):
                valid.pop(name, None)
            assert valid[found.choice] == max(v for name, v in valid.items() if name in tested)
        else:
            # A difference may have been measured either way round.
            above = [
                r
                for r in here.records
                if (r.subject == "aligned" and r.against and r.low is not None and r.low > 0)
                or (r.against == "aligned" and r.high is not None and r.high < 0)
            ]
            assert above, "a set is recommended only where an interval lies above zero"


@given(evaluations(), st.randoms())
def test_the_order_of_records_decides_nothing(records: list[Measurement], random: object) -> None:
    shuffled = list(records)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert [(r.use, r.choice, r.headline) for r in recommendations(Results(records))] == [
        (r.use, r.choice, r.headline) for r in recommendations(Results(shuffled))
    ]


def test_numbers_over_several_splits_decide_where_there_are_some() -> None:
    """One split is a draw: what it said alone gives way, protocol by protocol."""
    one = measured("top-k", TOP_K, {("aligned", CONTROL): (0.01, 0.03), ("aligned", "EASE"): (0.01, 0.03)})
    one += measured("item-cf", {"multimodal": (0.2, 0.2), "text": (0.1, 0.1)})
    several = measured(
        "top-k", TOP_K, {("aligned", CONTROL): (-0.01, 0.03), ("aligned", "EASE"): (0.01, 0.03)}
    )
    words = {"splits": "5 random splits of the same interactions: the run's own, and others"}
    similar, cold, ranker = recommendations(Results(one), Results(several, words))
    assert ranker.headline == "use aligned, for how it is trained: no proof that content helps"
    assert ranker.sentence.endswith(" Taken over 5 random splits of the same interactions.")
    assert (similar.choice, cold.headline) == ("multimodal", "not measured")
    assert "Taken over" not in similar.sentence
    alone = recommendations(Results(one))
    assert alone[2].headline == "use aligned: content helps" and alone == recommendations(
        Results(one), Results()
    )


def test_lists_from_elsewhere_are_told_of_though_they_know_one_split_alone() -> None:
    ahead = {("aligned", "theirs"): (-0.03, -0.01)}
    one = measured("top-k", TOP_K | {"theirs": (None, 0.41)}, ahead)
    several = measured("top-k", TOP_K, {("aligned", CONTROL): (0.01, 0.03)})
    ranker = recommendations(Results(one), Results(several))[2]
    assert ranker.choice == "aligned" and "theirs is ahead of aligned" in ranker.sentence
