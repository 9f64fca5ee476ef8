"""Did it help? One plain sentence a protocol, and no better than the interval allows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from alignrec.core.results import Estimate, Results
from alignrec.core.vocabulary import MAIN_METRICS, PROTOCOLS, find_protocol

# Landmarks that are behaviour itself. Where features take the place of behaviour, the rivals are other
# features, and what behaviour alone reaches is stated beside.
BEHAVIOUR = tuple(protocol.behaviour for protocol in PROTOCOLS.values() if protocol.behaviour)


@dataclass(frozen=True)
class Verdict:
    """What one protocol says.

    Attributes:
        outcome: `helped`, `hurt`, or `open` where the numbers do not decide.
        headline: a few words.
        sentence: the numbers, against which landmark, and the interval.
    """

    protocol: str
    outcome: Literal["helped", "hurt", "open"]
    headline: str
    sentence: str


def verdicts(results: Results) -> list[Verdict]:
    """A verdict for each protocol that measured our features against a landmark, weightiest first."""
    found = []
    for name, protocol in PROTOCOLS.items():
        measured = results.select(protocol=name, metric=MAIN_METRICS[0])
        own = _own_recall(measured, name)
        rivals = measured.where(lambda record: record.subject not in BEHAVIOUR)
        rival = (rivals if protocol.behaviour else measured).strongest_rival(own) if own else None
        if own and rival:
            verdict = _verdict(own, rival, measured.difference(own, rival.subject))
            beside = _behaviour_alone(measured, own) if protocol.behaviour else ""
            found.append(replace(verdict, sentence=verdict.sentence + beside))
    return found


def _own_recall(measured: Results, protocol: str) -> Estimate | None:
    """Our set's test recall at the largest k."""
    own = measured.select(subject=measured.own_subject(protocol), against=None, split="test")
    return max(own.estimates, key=lambda estimate: estimate.k, default=None)


def _behaviour_alone(measured: Results, own: Estimate) -> str:
    """What behaviour alone reaches under a protocol of features, where that is more."""
    best = measured.where(lambda record: record.subject in BEHAVIOUR).strongest_rival(own)
    if best is None or best.value <= own.value:
        return ""
    return f" Behaviour alone, with no features ({best.subject}), reaches {best.value:.4f}."


def _verdict(own: Estimate, rival: Estimate, paired: Estimate | None) -> Verdict:
    title = find_protocol(own.protocol).title
    numbers = (
        f"{title}: {own.metric}@{own.k} on test is {own.value:.4f} for {own.subject} and "
        f"{rival.value:.4f} for the strongest landmark, {rival.subject}"
    )
    gain = own.value - rival.value
    if paired is None or paired.low is None or paired.high is None:
        headline = f"{own.subject} is {'ahead' if gain > 0 else 'not ahead'}, without an interval"
        return Verdict(
            own.protocol, "open", headline, f"{numbers}. No interval was measured: it may be chance."
        )
    bounds = f"95% interval {paired.low:+.4f} to {paired.high:+.4f}"
    interval = f"{numbers}; the difference is {paired.value:+.4f}, {bounds}"
    if paired.low > 0:
        return Verdict(own.protocol, "helped", f"{own.subject} features helped", f"{interval}.")
    if paired.high < 0:
        return Verdict(own.protocol, "hurt", f"{own.subject} features did not help", f"{interval}.")
    return Verdict(
        own.protocol,
        "open",
        f"No proof that {own.subject} features helped",
        f"{interval}, which includes zero.",
    )
