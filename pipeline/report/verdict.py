"""Did it help? One plain sentence a protocol, and no better than the interval allows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from alignrec.core.metrics import MAIN_METRICS
from alignrec.core.protocols import PROTOCOLS, THINNED, Protocol, find_protocol
from alignrec.core.results import Estimate, Results
from alignrec.core.vocabulary import CONTROL, is_own

# Landmarks that are behaviour itself. Where features take the place of behaviour, the rivals are other
# features, and what behaviour alone reaches is stated beside.
BEHAVIOUR = tuple(protocol.behaviour for protocol in PROTOCOLS.values() if protocol.behaviour)
_CONTENT = {
    "helped": "Content helped",
    "hurt": "Content did not help",
    "open": "No proof that content helped",
}


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
    """A verdict for each protocol, and share, that measured our features, weightiest first.

    After training it is against the control, the same training without content, and what the objective alone
    is worth stands beside it; without training, or a control, it is against the strongest landmark. Under
    thinned histories without a control it is of the landmarks that have content, against themselves without.
    """
    found = []
    recalls = results.select(metric=MAIN_METRICS[0])
    for name, protocol in PROTOCOLS.items():
        shares = dict.fromkeys(record.share for record in recalls.select(protocol=name).records)
        for share in shares:
            found += _of_protocol(recalls.select(protocol=name, share=share), protocol)
    return found


def plain_words(results: Results, seen: str) -> str:
    """What recall comes to for somebody who shows lists; "" where none was measured for our features.

    Args:
        results: the evaluation's.
        seen: what people did with the things that are looked for, such as `people liked later`.
    """
    measured = results.select(metric=MAIN_METRICS[0], share=None)
    by_weight = (_own_recall(measured.select(protocol=name), name) for name in PROTOCOLS)
    own = next(filter(None, by_weight), None)
    if own is None:
        return ""
    rival = measured.select(protocol=own.protocol).strongest_rival(own)
    beside, chance = "", ""
    if rival is not None:
        beside = f" ({_strongest(measured, rival)}: {_of_hundred(rival.value)})"
        paired = measured.difference(own, rival.subject)
        if paired is not None and paired.low is not None and paired.high is not None:
            chance = " The difference may be chance." if paired.low <= 0 <= paired.high else ""
    return (
        f"On average {_of_hundred(own.value)} of 100 things {seen} were among the {own.k} shown by "
        f"{own.subject}{beside}.{chance}"
    )


def _of_hundred(share: float) -> str:
    """A share as a count: whole from ten upwards."""
    return f"{100 * share:.0f}" if share >= 0.0995 else f"{100 * share:.1f}"


def _of_protocol(measured: Results, protocol: Protocol) -> list[Verdict]:
    """The verdict of one protocol, under one share; none where it says nothing about our features."""
    own = _own_recall(measured, protocol.name)
    control = _recall(measured, CONTROL)
    if own and control:
        return [_against_control(measured, own, control)]
    if protocol.name == THINNED:
        return _with_and_without(measured)
    rivals = measured.where(lambda record: record.subject not in BEHAVIOUR)
    rival = (rivals if protocol.behaviour else measured).strongest_rival(own) if own else None
    if own is None or rival is None:
        return []
    strongest = _strongest(measured, rival)
    verdict = _verdict(own, rival, strongest, measured.difference(own, rival.subject))
    beside = _behaviour_alone(measured, own) if protocol.behaviour else ""
    return [replace(verdict, sentence=verdict.sentence + beside)]


def _with_and_without(measured: Results) -> list[Verdict]:
    """Where nothing of ours was trained: what content is worth to the landmarks that have it."""
    found = []
    test = measured.select(split="test")
    for paired in test.select(k=test.largest_k).estimates:
        if paired.against is None or is_own(paired.subject):
            continue
        with_content, without = _recall(measured, paired.subject), _recall(measured, paired.against)
        if with_content and without:
            verdict = _verdict(with_content, without, without.subject, paired)
            headline = f"{_CONTENT[verdict.outcome]} {without.subject}"
            found.append(replace(verdict, headline=headline))
    return found


def _own_recall(measured: Results, protocol: str) -> Estimate | None:
    """Our set's test recall at the largest k."""
    return _recall(measured, measured.own_subject(protocol))


def _recall(measured: Results, subject: str | None) -> Estimate | None:
    """A subject's test recall at the largest k."""
    found = measured.select(subject=subject, against=None, split="test")
    return max(found.estimates, key=lambda estimate: estimate.k, default=None)


def _against_control(measured: Results, own: Estimate, control: Estimate) -> Verdict:
    """What content is worth, and beside it what the objective is worth without any."""
    title = find_protocol(own.protocol).with_share(own.share)
    numbers = (
        f"{title}: {own.metric}@{own.k} on test is {own.value:.4f} for {own.subject} and {control.value:.4f} "
        "for the same training without content"
    )
    verdict = _by_interval(own, numbers, own.value - control.value, measured.difference(own, control.subject))
    if verdict.outcome != "open" and own.deviation is None:
        headline = f"{verdict.headline}: an indication, from one seed"
        verdict = replace(verdict, headline=headline)
    rival = measured.strongest_rival(own)
    if rival is None:
        return verdict
    worth = measured.difference(control, rival.subject)
    bounds = "" if worth is None or worth.low is None else f" [{worth.low:+.4f}, {worth.high:+.4f}]"
    beside = (
        f" The objective alone, without content, is {control.value - rival.value:+.4f}{bounds} over "
        f"{_strongest(measured, rival)} ({rival.value:.4f})."
    )
    return replace(verdict, sentence=verdict.sentence + beside)


def _behaviour_alone(measured: Results, own: Estimate) -> str:
    """What behaviour alone reaches under a protocol of features, where that is more."""
    best = measured.where(lambda record: record.subject in BEHAVIOUR).strongest_rival(own)
    if best is None or best.value <= own.value:
        return ""
    return f" Behaviour alone, with no features ({best.subject}), reaches {best.value:.4f}."


def _strongest(measured: Results, rival: Estimate) -> str:
    """A landmark's name behind what makes it the one to compare with."""
    validated = measured.select(split="valid", subject=rival.subject, against=None).records
    return (
        f"the landmark strongest on validation, {rival.subject}"
        if validated
        else (f"the strongest landmark, {rival.subject}")
    )


def _verdict(own: Estimate, rival: Estimate, strongest: str, paired: Estimate | None) -> Verdict:
    title = find_protocol(own.protocol).with_share(own.share)
    numbers = (
        f"{title}: {own.metric}@{own.k} on test is {own.value:.4f} for {own.subject} and "
        f"{rival.value:.4f} for {strongest}"
    )
    return _by_interval(own, numbers, own.value - rival.value, paired)


def _by_interval(own: Estimate, numbers: str, gain: float, paired: Estimate | None) -> Verdict:
    """What a paired difference allows to say."""
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
