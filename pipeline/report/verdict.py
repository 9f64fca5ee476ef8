"""Did it help? One plain sentence a protocol, and no better than the interval allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from alignrec.core.vocabulary import MAIN_METRICS, PROTOCOLS, find_protocol
from alignrec.pipeline.report.metrics import Estimate, difference, own_subject, strongest

# Protocols that put features in the place of behaviour, and landmarks that are behaviour: there the rivals
# are other features, and what behaviour alone reaches is told beside.
OF_FEATURES = tuple(protocol.name for protocol in PROTOCOLS.values() if protocol.behaviour)
BEHAVIOUR = tuple(PROTOCOLS[name].behaviour for name in OF_FEATURES)


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


def verdicts(found: Sequence[Estimate]) -> list[Verdict]:
    """A verdict for each protocol that measured our features against a landmark, weightiest first."""
    out = []
    for name in PROTOCOLS:
        ours = _measured(found, name)
        features = [e for e in found if e.subject not in BEHAVIOUR] if name in OF_FEATURES else found
        rival = strongest(features, ours) if ours else None
        if ours and rival:
            verdict = _verdict(ours, rival, difference(found, ours, rival.subject))
            out.append(replace(verdict, sentence=verdict.sentence + _behaviour(found, ours)))
    return out


def _behaviour(found: Sequence[Estimate], ours: Estimate) -> str:
    """What behaviour alone reaches under a protocol of features, where that is more."""
    best = strongest([e for e in found if e.subject in BEHAVIOUR], ours)
    if ours.protocol not in OF_FEATURES or best is None or best.value <= ours.value:
        return ""
    return f" Behaviour alone, with no features ({best.subject}), reaches {best.value:.4f}."


def _measured(found: Sequence[Estimate], protocol: str) -> Estimate | None:
    """Our set's test recall at the largest cut-off."""
    subject = own_subject(found, protocol)
    mine = [
        e
        for e in found
        if (e.protocol, e.subject, e.against, e.metric, e.split)
        == (protocol, subject, None, MAIN_METRICS[0], "test")
    ]
    return max(mine, key=lambda e: e.k, default=None)


def _verdict(ours: Estimate, rival: Estimate, paired: Estimate | None) -> Verdict:
    where = find_protocol(ours.protocol).title
    numbers = (
        f"{where}: {ours.metric}@{ours.k} on test is {ours.value:.4f} for {ours.subject} and "
        f"{rival.value:.4f} for the strongest landmark, {rival.subject}"
    )
    gain = ours.value - rival.value
    if paired is None or paired.low is None or paired.high is None:
        headline = f"{ours.subject} is {'ahead' if gain > 0 else 'not ahead'}, without an interval"
        return Verdict(
            ours.protocol, "open", headline, f"{numbers}. No interval was measured: it may be chance."
        )
    bounds = f"95% interval {paired.low:+.4f} to {paired.high:+.4f}"
    interval = f"{numbers}; the difference is {paired.value:+.4f}, {bounds}"
    if paired.low > 0:
        return Verdict(ours.protocol, "helped", f"{ours.subject} features helped", f"{interval}.")
    if paired.high < 0:
        return Verdict(ours.protocol, "hurt", f"{ours.subject} features did not help", f"{interval}.")
    return Verdict(
        ours.protocol,
        "open",
        f"No proof that {ours.subject} features helped",
        f"{interval}, which includes zero.",
    )
