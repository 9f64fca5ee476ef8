"""One sentence for each protocol."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alignrec.core.results import Measurement, Results
from alignrec.pipeline.report.verdict import plain_words, verdicts

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
    (verdict,) = verdicts(Results([OURS, WEAK, STRONG, gain(low, high)]))
    assert (verdict.outcome, verdict.headline) == (outcome, says)
    assert "0.1500 for the strongest landmark, LightGCN" in verdict.sentence


CONTROL = replace(OURS, subject="aligned without content", value=0.18)


@pytest.mark.parametrize(
    ("low", "high", "outcome", "says"),
    [
        (0.01, 0.03, "helped", "aligned features helped: an indication, from one seed"),
        (-0.03, -0.01, "hurt", "aligned features did not help: an indication, from one seed"),
        (-0.01, 0.03, "open", "No proof that aligned features helped"),
    ],
)
def test_what_content_is_worth_is_measured_against_the_same_training_without(
    low: float, high: float, outcome: str, says: str
) -> None:
    """A lead over every landmark is not the features' where the objective alone has it."""
    objective = replace(CONTROL, against="LightGCN", value=0.03, low=0.02, high=0.04)
    records = [OURS, WEAK, STRONG, CONTROL, objective, gain(0.04, 0.06), gain(low, high, CONTROL.subject)]
    (verdict,) = verdicts(Results(records))
    assert (verdict.outcome, verdict.headline) == (outcome, says)
    assert "0.2000 for aligned and 0.1800 for the same training without content" in verdict.sentence
    assert verdict.sentence.endswith(
        "The objective alone, without content, is +0.0300 [+0.0200, +0.0400] over the strongest landmark, "
        "LightGCN (0.1500)."
    )


def test_several_seeds_are_more_than_an_indication() -> None:
    seeds = [replace(OURS, seed=seed) for seed in (1, 2)]
    mean = replace(OURS, aggregate="mean")
    spread = replace(OURS, aggregate="std", value=0.001)
    (verdict,) = verdicts(Results([*seeds, mean, spread, CONTROL, gain(0.01, 0.03, CONTROL.subject)]))
    assert (verdict.outcome, verdict.headline) == ("helped", "aligned features helped")


def test_a_gain_over_a_weak_landmark_proves_nothing() -> None:
    (verdict,) = verdicts(Results([OURS, WEAK, STRONG, gain(0.05, 0.15, against="popularity")]))
    assert verdict.outcome == "open"
    assert "No interval was measured" in verdict.sentence


def test_the_strongest_landmark_is_chosen_on_validation() -> None:
    judged = [replace(WEAK, split="valid", value=0.18), replace(STRONG, split="valid", value=0.17)]
    won = gain(0.05, 0.15, against="popularity")
    (verdict,) = verdicts(Results([OURS, WEAK, STRONG, won, *judged]))
    assert "0.1000 for the landmark strongest on validation, popularity" in verdict.sentence
    (verdict,) = verdicts(Results([OURS, WEAK, STRONG, won, judged[0]]))
    assert "0.1000 for the landmark strongest on validation, popularity" in verdict.sentence
    (verdict,) = verdicts(Results([OURS, WEAK, STRONG, won]))
    assert "0.1500 for the strongest landmark, LightGCN" in verdict.sentence


def test_features_are_compared_with_features_and_behaviour_stands_beside() -> None:
    ours, rival, behaviour = (
        replace(OURS, protocol="item-cf", subject=name, value=value)
        for name, value in (("multimodal", 0.2), ("centred text", 0.1), ("co-occurrence", 0.3))
    )
    won = replace(ours, value=0.1, low=0.05, high=0.15, against="centred text")
    (verdict,) = verdicts(Results([ours, rival, behaviour, won]))
    assert verdict.outcome == "helped" and "landmark, centred text" in verdict.sentence
    assert verdict.sentence.endswith("Behaviour alone, with no features (co-occurrence), reaches 0.3000.")


def test_validation_numbers_make_no_verdict() -> None:
    assert verdicts(Results([replace(m, split="valid") for m in (OURS, WEAK, gain(0.1, 0.2))])) == []


def test_landmarks_alone_make_no_verdict() -> None:
    assert verdicts(Results([WEAK, STRONG])) == []


def test_with_thinned_histories_each_share_has_its_verdict() -> None:
    def at(share: float, *records: Measurement) -> list[Measurement]:
        return [replace(record, protocol="thinned", share=share) for record in records]

    content, plain = (replace(OURS, subject=n, value=v) for n, v in (("EASE+", 0.3), ("EASE", 0.2)))
    paired = replace(content, against="EASE", value=0.1, low=0.05, high=0.15)
    untrained = [replace(OURS, subject="multimodal", value=0.1), content, plain, paired]
    records = at(0.1, *untrained) + at(0.2, OURS, CONTROL, gain(0.01, 0.03, CONTROL.subject), *untrained)
    first, second = verdicts(Results(records))
    assert (first.outcome, first.headline) == ("helped", "Content helped EASE")
    assert first.sentence.startswith("Thinned histories, 10% kept: recall@20 on test is 0.3000 for EASE+ and")
    assert second.headline.startswith("aligned features helped")
    assert second.sentence.startswith("Thinned histories, 20% kept: ")


def test_recall_in_plain_words_is_ours_beside_the_strongest_rival_on_validation() -> None:
    judged = replace(WEAK, split="valid", value=0.18)
    records = [replace(OURS, value=0.483), STRONG, WEAK, judged, gain(0.3, 0.4, "popularity")]
    assert plain_words(Results(records), "people liked later") == (
        "On average 48 of 100 things people liked later were among the 20 shown by aligned "
        "(the landmark strongest on validation, popularity: 10)."
    )
    assert plain_words(Results([OURS, replace(STRONG, value=0.0123)]), "people chose later") == (
        "On average 20 of 100 things people chose later were among the 20 shown by aligned "
        "(the strongest landmark, LightGCN: 1.2)."
    )
    doubtful = plain_words(Results([OURS, STRONG, gain(-0.01, 0.09)]), "people liked later")
    assert doubtful.endswith(" The difference may be chance.")


def test_without_our_features_there_are_no_plain_words() -> None:
    assert plain_words(Results([STRONG]), "people liked later") == ""
    zero_shot = replace(OURS, protocol="zero-shot", subject="multimodal", value=0.3)
    others = Results([zero_shot, replace(STRONG, value=0.9)])
    words = plain_words(others, "people liked later")
    assert words == "On average 30 of 100 things people liked later were among the 20 shown by multimodal."
