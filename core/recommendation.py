"""Which set to use for what, in plain words, and no surer than the numbers are.

What is chosen is chosen by validation; test numbers, and their paired intervals, say how sure that is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from alignrec.core.metrics import MAIN_METRICS
from alignrec.core.protocols import COLD_START, ITEM_CF, PROTOCOLS, TOP_K
from alignrec.core.results import Estimate, Results
from alignrec.core.vocabulary import ALIGNED, CONTROL, FEATURE_SETS, MULTIMODAL, is_own

SIMILAR, COLD, RANKER = "Similar items", "New items", "A ranker's input"
_ROUNDING = 1e-9  # a bound no further from zero than this is zero


@dataclass(frozen=True)
class Recommendation:
    """What to use for one purpose.

    Attributes:
        use: the purpose: `SIMILAR`, `COLD` or `RANKER`.
        choice: a feature set, or features made of the raw sets by the name that tables have for them; None
            where the numbers name none.
        headline: the answer in a few words.
        sentence: the numbers it rests on.
    """

    use: str
    choice: str | None
    headline: str
    sentence: str

    def __str__(self) -> str:
        """On one line."""
        return f"{self.use}: {self.headline}. {self.sentence}"


@dataclass(frozen=True)
class _Gap:
    """How far one subject is above another on test; bounds are None where no interval was measured."""

    value: float
    low: float | None
    high: float | None

    @property
    def above(self) -> bool:
        return self.low is not None and self.low > _ROUNDING

    @property
    def below(self) -> bool:
        return self.high is not None and self.high < -_ROUNDING

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{_signed(self.value)}, no interval measured"
        return f"{_signed(self.value)} [{_signed(self.low)}, {_signed(self.high)}]"


def recommendations(results: Results, pooled: Results | None = None) -> list[Recommendation]:
    """An answer for each of the three purposes; none where nothing was evaluated.

    Args:
        results: of the run's own split.
        pooled: over several splits, if there are such numbers: what these measured, they decide.
    """
    if not results.records:
        return []
    recalls = results.select(metric=MAIN_METRICS[0], share=None)
    several = (pooled or Results()).select(metric=MAIN_METRICS[0], share=None)
    found = []
    for protocol, answer in ((ITEM_CF, _similar), (COLD_START, _cold), (TOP_K, _ranker)):
        one, together = (measured.select(protocol=protocol) for measured in (recalls, several))
        if not together.records:
            found.append(answer(one))
            continue
        ours = _values(one, "test").get(ALIGNED)
        over = f" Taken over {together.splits.partition(':')[0] or 'several splits'}."
        elsewhere = "" if ours is None or protocol == ITEM_CF else _elsewhere(one, ours)
        recommendation = answer(together)
        found.append(replace(recommendation, sentence=recommendation.sentence + over + elsewhere))
    return found


def _similar(measured: Results) -> Recommendation:
    """By item-CF: whose neighbours are the items that the same users like."""
    behaviour = PROTOCOLS[ITEM_CF].behaviour
    test, valid = _values(measured, "test"), _values(measured, "valid")
    candidates = [
        name
        for name in test
        if name in valid and name != behaviour and (name in FEATURE_SETS or not is_own(name))
    ]
    ranked = sorted(candidates, key=lambda name: (valid[name].value, name))
    if not ranked:
        return Recommendation(SIMILAR, None, "not measured", "No features were measured under item-CF.")
    best = ranked[-1]
    others = [name for name in ranked[:-1] if name != MULTIMODAL]
    other = MULTIMODAL if MULTIMODAL in ranked[:-1] else others[-1] if others else None
    found = f"On validation {best} has the highest {_metric(test[best])} of the features under item-CF"
    found += f" ({valid[best].value:.4f}); on test it is {test[best].value:.4f}"
    gap = None if other is None else _gap(measured, test[best], test[other])
    found += "." if gap is None else f", over {other} {gap}."
    if best not in FEATURE_SETS and f"centred {best}" not in test:
        found += " It is no set of a release, but made of the raw sets: the evaluation's definitions say how."
    if behaviour in test and test[behaviour].value > test[best].value:
        found += (
            f" Where items have been interacted with, {behaviour} alone reaches "
            f"{test[behaviour].value:.4f}: features are for those that have not."
        )
    if gap is not None and gap.below:
        return Recommendation(SIMILAR, None, f"open: on test {other} is above {best}", found)
    sure = gap is None or gap.above
    return Recommendation(SIMILAR, best, f"use {best}" + ("" if sure else f", no surer than {other}"), found)


def _cold(measured: Results) -> Recommendation:
    """By the cold-start protocol: what recommends items that no training interaction touches."""
    own = _values(measured, "test").get(ALIGNED)
    if own is None:
        words = (
            "Nothing was trained, or no item of test is new to training, or the new ones are so few that "
            "one list holds them all: a temporal split has new items."
        )
        return Recommendation(COLD, None, "not measured", words)
    found = f"Among new items alone, {ALIGNED} has {own.value:.4f} {_metric(own)} on test"
    return _against_rival(COLD, measured, own, found)


def _ranker(measured: Results) -> Recommendation:
    """By top-k, as a recommender of its own; for content, against the same training without any."""
    test = _values(measured, "test")
    own, control = test.get(ALIGNED), test.get(CONTROL)
    if own is None:
        return Recommendation(RANKER, None, "not measured", "Nothing that recommends was trained.")
    found = f"As a recommender of its own, {ALIGNED} has {own.value:.4f} {_metric(own)} on test"
    if control is None:
        return _against_rival(RANKER, measured, own, found)
    content, rival = _gap(measured, own, control), measured.strongest_rival(own)
    found += f"; over the same training without content {content}"
    ahead = None if rival is None else _gap(measured, own, rival)
    found += "." if rival is None else f", over {_strongest(measured, rival)} {ahead}."
    found += _one_seed(own) + _elsewhere(measured, own)
    if rival is not None and ahead is not None and ahead.below:
        return Recommendation(RANKER, None, f"no set: {rival.subject} recommends better", found)
    if content.below:
        return Recommendation(RANKER, None, "no set: training without content recommends better", found)
    if content.above:
        return Recommendation(RANKER, ALIGNED, f"use {ALIGNED}: content helps", found)
    if ahead is not None and ahead.above:
        words = f"use {ALIGNED}, for how it is trained: no proof that content helps"
        return Recommendation(RANKER, ALIGNED, words, found)
    return Recommendation(RANKER, None, "no set: no proof that anything helped", found)


def _against_rival(use: str, measured: Results, own: Estimate, found: str) -> Recommendation:
    """An own set against the strongest landmark."""
    rival = measured.strongest_rival(own)
    if rival is None:
        words = f"{found}, and no landmark was measured.{_one_seed(own)}"
        return Recommendation(use, None, "open: nothing to compare with", words)
    gap = _gap(measured, own, rival)
    found += f", over {_strongest(measured, rival)} {gap}.{_one_seed(own)}{_elsewhere(measured, own)}"
    if gap.above:
        return Recommendation(use, own.subject, f"use {own.subject}", found)
    if gap.below:
        return Recommendation(use, None, f"no set: {rival.subject} recommends better", found)
    return Recommendation(use, None, f"open: {own.subject} and {rival.subject} are not told apart", found)


def _values(measured: Results, split: str) -> dict[str, Estimate]:
    """What each subject reached at the longest list of test, by name."""
    k = measured.select(split="test").largest_k
    return {e.subject: e for e in measured.select(split=split, against=None, k=k).estimates}


def _gap(measured: Results, one: Estimate, other: Estimate) -> _Gap:
    """The paired difference, whichever way round it was measured; else that of the means."""
    if found := measured.difference(one, other.subject):
        return _Gap(found.value, found.low, found.high)
    if found := measured.difference(other, one.subject):
        low, high = (None if bound is None else -bound for bound in (found.high, found.low))
        return _Gap(-found.value, low, high)
    return _Gap(one.value - other.value, None, None)


def _strongest(measured: Results, rival: Estimate) -> str:
    """A landmark with what made it the one to compare with."""
    how = " (strongest on validation)" if rival.subject in _values(measured, "valid") else ""
    return f"{rival.subject}{how}"


def _elsewhere(measured: Results, own: Estimate) -> str:
    """Systems that could not be chosen, as validation never saw them, and are measurably ahead on test."""
    valid = _values(measured, "valid")
    ahead = {
        name: gap
        for name, e in _values(measured, "test").items()
        if name not in valid and not is_own(name) and (gap := _gap(measured, own, e)).below
    }
    if not ahead or not valid:
        return ""
    return (
        " Measured on test alone, "
        + ", ".join(
            f"{name} is ahead of {own.subject} ({gap} for {own.subject})" for name, gap in ahead.items()
        )
        + "."
    )


def _one_seed(own: Estimate) -> str:
    return " One seed: an indication." if own.deviation is None else ""


def _signed(value: float) -> str:
    """With its sign, and zero without that of a rounding."""
    return f"{round(value, 4) + 0.0:+.4f}"


def _metric(estimate: Estimate) -> str:
    return f"{estimate.metric}@{estimate.k}"
