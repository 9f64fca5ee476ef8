"""What one view tells of another, on held-out items."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alignrec.aligner.alignment.cross_view import cross_view, measure_inputs, sentence
from alignrec.aligner.inputs import ModalityInput, TokenSequences

RNG = np.random.default_rng(0)
CAUSES = RNG.standard_normal((600, 3))
PARTS = {
    "photo": np.hstack([CAUSES, RNG.standard_normal((600, 5))]),
    "title": np.hstack([CAUSES @ RNG.standard_normal((3, 3)), 0.1 * RNG.standard_normal((600, 1))]),
    "noise": RNG.standard_normal((600, 4)),
}
VALID = {m: np.ones(600, dtype=np.bool_) for m in PARTS}


def test_what_is_told_is_explained_and_found_and_what_is_not_is_neither() -> None:
    found = {(d.given, d.wanted): d for d in cross_view(PARTS, VALID, seed=1)}
    assert len(found) == 6
    forth, back = found["photo", "title"], found["title", "photo"]
    assert forth.items == back.items == 120
    assert forth.explained > 0.95 and forth.found_10 > 0.9 and forth.median_rank <= 2 and forth.sure
    assert back.explained == pytest.approx(3 / 8, abs=0.08), "five of eight components are the photo's own"
    for pair in (("photo", "noise"), ("noise", "title")):
        nothing = found[pair]
        assert nothing.explained < 0.02 and nothing.found_10 < 0.2 and not nothing.sure
        assert 40 < nothing.median_rank < 80


def test_views_of_a_common_column_and_of_few_items_are_not_counted() -> None:
    columns = {"photo": frozenset("a"), "title": frozenset("ab"), "noise": frozenset("c")}
    pairs = {(d.given, d.wanted) for d in cross_view(PARTS, VALID, 1, columns)}
    assert pairs == {("photo", "noise"), ("noise", "photo"), ("title", "noise"), ("noise", "title")}
    few = VALID | {"noise": np.arange(600) < 60}
    assert {(d.given, d.wanted) for d in cross_view(PARTS, few, 1, columns)} == set()


def test_ranks_of_equal_truths_are_shared() -> None:
    same = {"a": np.ones((200, 2)) * np.array([1.0, -1.0]), "b": np.ones((200, 3))}
    (first, _) = cross_view(same, {m: np.ones(200, dtype=np.bool_) for m in same}, 1)
    assert first.median_rank == 20.5 and not first.sure


def test_the_sentence_says_whether_there_is_anything() -> None:
    found = cross_view(PARTS, VALID, seed=1)
    assert sentence(found).startswith("in 2 of 6 directions a modality tells something of another; most, ")
    assert "photo of title" in sentence(found)
    assert sentence([d for d in found if "noise" in (d.given, d.wanted)]).startswith(
        "nothing to align: in none of 4"
    )
    assert sentence([]) == "nothing to align: no two modalities share enough items and no column"


def test_a_catalogue_is_measured_without_modalities_that_nobody_has() -> None:
    tokens = TokenSequences(np.zeros((0, 2), np.float16), np.zeros(601, np.int64))
    nobody = np.zeros(600, dtype=np.bool_)
    inputs = {
        m: ModalityInput(PARTS[m].astype(np.float32), VALID[m], tokens, columns=frozenset(m)) for m in PARTS
    }
    inputs["noise"] = ModalityInput(np.zeros((600, 4), np.float32), nobody, tokens)
    assert {(d.given, d.wanted) for d in measure_inputs(inputs, 1).directions} == set()
    apart = {m: ModalityInput(v.pooled, v.valid, tokens) for m, v in inputs.items()}
    (forth, back) = measure_inputs(apart, 1).directions
    assert (forth.given, back.given) == ("photo", "title") and forth.explained > 0.8


def test_kinds_of_content_have_rows_of_their_own_in_front() -> None:
    """A text of another text is no news: what a picture tells of texts is seen first."""
    tokens = TokenSequences(np.zeros((0, 2), np.float16), np.zeros(601, np.int64))
    kinds = {"photo": "image", "title": "text", "noise": "text"}
    inputs = {
        m: ModalityInput(PARTS[m].astype(np.float32), VALID[m], tokens, kind, frozenset({m}))
        for m, kind in kinds.items()
    }
    found = measure_inputs(inputs, 1)
    pairs = [(d.given, d.wanted) for d in found.directions]
    assert pairs[:2] == [("photo", "every text"), ("every text", "photo")]
    assert {frozenset(pair) for pair in pairs[2:6]} == {
        frozenset({"photo", "title"}),
        frozenset({"photo", "noise"}),
    }
    assert [set(pair) for pair in pairs[6:]] == [{"title", "noise"}] * 2
    together = dict(zip(pairs, found.directions, strict=True))
    assert together["every text", "photo"].explained > 0.2
    assert found.sentence.startswith("in 2 of 6 directions"), "of modalities, not of kinds"
    shared = {m: replace(source, columns=frozenset("a")) for m, source in inputs.items()}
    assert measure_inputs(shared, 1).directions == [], "nor are kinds compared that share a column"
    one = measure_inputs({"photo": inputs["photo"], "title": inputs["title"]}, 1)
    assert [(d.given, d.wanted) for d in one.directions] == [("photo", "title"), ("title", "photo")]
