"""The numbers of an evaluation, and what their readers ask."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignrec.core.cross_view import CrossView
from alignrec.core.results import Estimate, Measurement, Results, ResultsError

OWN = Measurement("top-k", "aligned", "recall", 20, "test", 0.2, 0.1, 0.3)
WEAK = replace(OWN, subject="popularity", value=0.1)
STRONG = replace(OWN, subject="LightGCN", value=0.15)
SEEDS = tuple(replace(OWN, seed=seed, value=value) for seed, value in ((1, 0.1), (2, 0.3)))
MEAN = replace(OWN, aggregate="mean", value=0.21, low=0.2, high=0.22)
DEVIATION = Measurement("top-k", "aligned", "recall", 20, "test", 0.05, aggregate="std")


def _content(*records: Measurement, **fields: Any) -> bytes:
    written = [record.record() for record in records]
    return json.dumps({"format": 1, "definitions": {"recall": "x"}, "records": written} | fields).encode()


def _damaged(**fields: Any) -> bytes:
    return json.dumps({"records": [OWN.record() | fields]}).encode()


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    records = (OWN, *SEEDS, MEAN, DEVIATION, replace(OWN, protocol="mask-text", share=0.5, against="x"))
    path = tmp_path / "metrics.json"
    path.write_bytes(_content(*records, newer="than this version"))
    assert Results.read(path) == Results(records, {"recall": "x"})
    assert Results.read(tmp_path / "absent.json") == Results() == Results.parse(b"{}")


def test_what_modalities_tell_of_one_another_stands_beside_the_numbers() -> None:
    alignment = {"sentence": "nothing to align", "directions": []}
    read = Results.parse(_content(OWN, alignment=alignment))
    assert read.alignment == CrossView(sentence="nothing to align", directions=[])
    assert read.select(split="test").alignment == read.alignment
    with pytest.raises(ResultsError, match=r"metrics\.json is not .*: alignment\.directions: "):
        Results.parse(_content(OWN, alignment={"sentence": "x", "directions": 3}))


def test_one_seed_is_an_estimate_as_it_is() -> None:
    for alone in (OWN, SEEDS[0]):
        (estimate,) = Results([alone]).estimates
        assert astuple(estimate) == (
            *("top-k", "aligned", None, "recall", 20, "test", None),
            *(alone.value, 0.1, 0.3, None),
        )


def test_seeds_are_taken_together() -> None:
    (bare,) = Results(SEEDS).estimates
    assert (bare.value, bare.low, bare.high, bare.deviation) == (pytest.approx(0.2), None, None, None)
    (whole,) = Results([*SEEDS, MEAN, DEVIATION]).estimates
    assert (whole.value, whole.low, whole.high, whole.deviation) == (0.21, 0.2, 0.22, 0.05)
    assert Results([DEVIATION]).estimates == ()


def test_quantities_stay_apart_and_in_order() -> None:
    others = [
        replace(OWN, **change)
        for change in (
            {"split": "valid"},
            {"k": 10},
            {"metric": "ndcg"},
            {"subject": "content"},
            {"against": "EASE"},
            {"protocol": "mask-text", "share": 0.0},
            {"protocol": "mask-text", "share": 0.5},
        )
    ]
    estimates = Results([replace(MEAN, subject="first"), OWN, *others]).estimates
    assert [e.subject for e in estimates] == ["aligned"] * 4 + ["content"] + ["aligned"] * 3 + ["first"]
    assert len(set(estimates)) == 9


def test_results_are_selected_by_their_fields() -> None:
    results = Results([OWN, WEAK, replace(OWN, k=10), replace(OWN, against="EASE")], {"recall": "x"})
    assert results.select(subject="aligned", against=None, k=20) == Results((OWN,), {"recall": "x"})
    assert results.where(lambda record: record.k == 10).largest_k == 10
    assert (results.largest_k, Results().largest_k) == (20, 0)
    mixed = Results([replace(OWN, protocol=name) for name in ("odd", "cold-start", "mask-image", "top-k")])
    assert mixed.protocols == ["top-k", "mask-image", "cold-start", "odd"]


def test_the_furthest_own_set_speaks_for_a_protocol() -> None:
    results = Results([WEAK, replace(OWN, subject="multimodal"), replace(OWN, subject="content"), OWN])
    assert results.own_subject("top-k") == "aligned"
    assert results.where(lambda record: record.subject != "aligned").own_subject("top-k") == "content"
    assert results.own_subject("zero-shot") is None
    assert Results([WEAK, replace(OWN, against="EASE")]).own_subject("top-k") is None


def _rival(*records: Measurement) -> Estimate | None:
    (own,) = Results([OWN]).estimates
    return Results([OWN, *records]).strongest_rival(own)


def test_the_strongest_rival_is_the_best_on_validation() -> None:
    valid = [replace(WEAK, split="valid", value=0.18), replace(STRONG, split="valid", value=0.17)]
    assert _rival(WEAK, STRONG, *valid) == Results([WEAK]).estimates[0]
    # Nothing is chosen by its test numbers, unless nothing was validated.
    assert _rival(WEAK, STRONG, valid[0]) == Results([WEAK]).estimates[0]
    assert _rival(WEAK, STRONG) == Results([STRONG]).estimates[0]
    other = replace(OWN, subject="other", split="valid", value=0.9)
    assert _rival(WEAK, STRONG, other) == Results([STRONG]).estimates[0]


def test_ablations_and_other_lists_are_no_rivals() -> None:
    best = {"value": 0.9}
    others = [
        replace(OWN, subject="aligned without ICA", **best),
        replace(STRONG, k=10, **best),
        replace(STRONG, metric="ndcg", **best),
        replace(STRONG, share=0.5, **best),
        replace(STRONG, protocol="long-tail", **best),
        replace(STRONG, against="EASE", **best),
    ]
    assert _rival(*others) is None
    assert _rival(*others, WEAK) == Results([WEAK]).estimates[0]


def test_a_difference_is_that_of_the_same_quantity() -> None:
    (own,) = Results([OWN]).estimates
    paired = replace(OWN, against="LightGCN", value=0.05, low=0.01, high=0.09)
    results = Results([OWN, STRONG, replace(paired, k=10), replace(paired, split="valid"), paired])
    assert results.difference(own, "LightGCN") == Results([paired]).estimates[0]
    assert results.difference(own, "popularity") is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        (b"[]", "it is not a JSON object"),
        (b"[" * 100_000, "it is not JSON: recursion limit"),
        (b'{"records": {}}', "records must be a list"),
        (b'{"definitions": []}', "definitions an object"),
        (b'{"format": 2}', "its format is 2, and this version reads 1"),
        (b'{"records": [1]}', "record 0 is not an object"),
        (b'{"records": [{"value": NaN}]}', "it is not JSON"),
        (b'{"definitions": {"x": "\\ud800"}}', "it is not JSON"),
        (_damaged(protocol=None), "protocol of record 0 must be a name, got None"),
        (_damaged(subject=""), "subject of record 0 must be a name, got ''"),
        (_damaged(metric=["recall"]), "metric of record 0 must be a name"),
        (_damaged(k=0), "k of record 0 must be a whole number above 0, got 0"),
        (_damaged(k=True), "k of record 0"),
        (_damaged(split="train"), "split of record 0 must be valid or test, got 'train'"),
        (_damaged(value="high"), "value of record 0 must be a finite number, got 'high'"),
        (_damaged(value=None), "value of record 0"),
        (_damaged(value=10**400), "value of record 0 must be a finite number"),
        (_damaged(low="0"), "low of record 0 must be a finite number or null"),
        (_damaged(seed=1.5), "seed of record 0 must be a whole number or null"),
        (_damaged(aggregate="median"), "aggregate of record 0 must be mean, std or null"),
        (_damaged(share=[]), "share of record 0"),
        (_damaged(subject="x", against=3), "against of record 0 must be a name or null, got 3"),
    ],
)
def test_what_no_evaluation_writes_is_refused_in_words(content: bytes, reason: str) -> None:
    with pytest.raises(ResultsError, match=reason) as caught:
        Results.parse(content, "there/metrics.json")
    message = str(caught.value)
    assert message.startswith("there/metrics.json is not an evaluation's metrics: ")
    assert message.endswith("Delete the folder evaluate of the run it comes from and run again.")
    assert len(message) < 400 and "\n" not in message


ANYTHING = st.recursive(st.none() | st.floats() | st.text(), st.lists).map(lambda value: repr(value).encode())


@given(st.binary(max_size=60) | ANYTHING)
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(ResultsError):
        assert isinstance(Results.parse(content), Results)
