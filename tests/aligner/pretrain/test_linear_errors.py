"""What linear prediction misses of items that it never saw."""

from __future__ import annotations

import numpy as np

from alignrec.aligner.alignment.consensus import Consensus, joint_covariance
from alignrec.aligner.pretrain.linear_errors import linear_errors

RNG = np.random.default_rng(0)
CAUSES = RNG.standard_normal((400, 3))
PARTS = {
    "a": CAUSES @ RNG.standard_normal((3, 5)),
    "b": CAUSES @ RNG.standard_normal((3, 4)) + 0.1 * RNG.standard_normal((400, 4)),
    "c": RNG.standard_normal((400, 6)),
}
EVERY = {m: np.ones(400, dtype=np.bool_) for m in PARTS}
LEARNED = np.arange(300)


def errors(parts: dict[str, np.ndarray], valid: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    consensus = Consensus.fit(parts, valid, strength=0.001, dim=8)
    return linear_errors(consensus, parts, valid, LEARNED, np.random.default_rng(1))


def share(found: np.ndarray, part: np.ndarray) -> float:
    return float(np.square(found).sum() / np.square(part).sum())


def test_what_the_others_tell_is_gone_and_the_rest_is_left() -> None:
    found = errors(PARTS, EVERY)
    assert share(found["a"], PARTS["a"]) < 0.02 and share(found["b"], PARTS["b"]) < 0.05
    assert share(found["c"], PARTS["c"]) > 0.95, "nothing tells of it"


def test_items_that_a_fit_saw_show_the_errors_of_items_that_it_did_not() -> None:
    """With 200 components of noise for 300 items, a fit would explain most of what it was fitted on."""
    rng = np.random.default_rng(2)
    parts = {"a": rng.standard_normal((400, 200)), "b": rng.standard_normal((400, 3))}
    valid = {m: np.ones(400, dtype=np.bool_) for m in parts}
    found = errors(parts, valid)["b"]
    known, wanted = parts["a"][:300], parts["b"][:300]
    seen = wanted - known @ np.linalg.lstsq(known, wanted, rcond=None)[0]
    assert share(seen, wanted) < 0.5
    assert share(found[:300], wanted) > 1 and share(found[300:], parts["b"][300:]) > 1


def test_held_out_items_are_told_by_all_that_may_be_seen() -> None:
    found = errors(PARTS, EVERY)["a"][300:]
    fitted = {m: part[:300] for m, part in PARTS.items()}
    covariance = joint_covariance(fitted, {m: EVERY[m][:300] for m in PARTS})
    consensus = Consensus.fit(PARTS, EVERY, strength=0.001, dim=8)
    ridge = 0.001 * np.trace(covariance) / len(covariance)
    known = covariance[5:, 5:] + ridge * np.eye(10)
    rest = np.hstack([PARTS["b"], PARTS["c"]])[300:]
    expected = PARTS["a"][300:] - rest @ np.linalg.solve(known, covariance[5:, :5])
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert consensus.strength == 0.001


def test_a_view_without_another_has_no_error() -> None:
    lost = {m: np.arange(400) >= 40 for m in ("b", "c")}
    parts = {m: PARTS[m] * lost.get(m, EVERY[m])[:, None] for m in PARTS}
    found = errors(parts, {**EVERY, **lost})
    assert not found["a"][:40].any() and not found["b"][:40].any()
    assert found["a"][40:].any(axis=1).all()
