"""Which variants of a training there are, and that each differs from it in one thing."""

from __future__ import annotations

from alignrec.aligner.train.ablations import OWN, Source, Variant, variants
from alignrec.aligner.train.settings import TrainSettings

BOTH = ("image", "text")
SOFTMAX = TrainSettings(cca_weight=0.1, similarity_weight=0.2, epochs=7, device="cpu", dim=32)
BPR = SOFTMAX.model_copy(update={"loss": "bpr", "uia_weight": 0.3})


def by_name(settings: TrainSettings, **more: bool) -> dict[str, Variant]:
    return {variant.name.removeprefix("aligned "): variant for variant in variants(settings, BOTH, **more)}


def changed(whole: TrainSettings, less: TrainSettings) -> dict[str, object]:
    before, after = whole.model_dump(), less.model_dump()
    return {key: after[key] for key in after if after[key] != before[key]}


def test_each_term_is_taken_away_alone() -> None:
    for settings in (SOFTMAX, BPR):
        found = by_name(settings)
        assert changed(settings, found["without CCA"].settings) == {"cca_weight": 0}
        assert changed(settings, found["without regularisation"].settings) == {"similarity_weight": 0}
    assert changed(BPR, by_name(BPR)["without UIA"].settings) == {"uia_weight": 0}
    assert changed(SOFTMAX, by_name(SOFTMAX)["without popularity"].settings) == {"popularity": (0,)}
    assert "without popularity" not in by_name(BPR), "its vectors' length says it"
    assert changed(SOFTMAX, by_name(SOFTMAX)["without zero-shot"].settings) == {"zero_shot": (0,)}
    assert "without zero-shot" not in by_name(BPR)


def test_without_alignment_of_users_and_items_the_softmax_is_bpr_alone() -> None:
    found = by_name(SOFTMAX)
    assert changed(found["in the paper's form"].settings, found["without UIA"].settings) == {"uia_weight": 0}
    assert found["without UIA"].settings.loss == "bpr"


def test_the_other_form_has_its_own_settings_within_the_limits_of_the_run() -> None:
    assert by_name(SOFTMAX)["in the paper's form"].settings == TrainSettings.paper(epochs=7, device="cpu")
    assert by_name(BPR)["with softmax"].settings == TrainSettings(epochs=7, device="cpu")


def test_what_stands_between_the_two_forms_changes_one_thing() -> None:
    found = by_name(SOFTMAX)
    assert changed(SOFTMAX, found["with BPR alone"].settings) == {"loss": "bpr"}
    assert changed(SOFTMAX, found["in 64 dimensions"].settings) == {"dim": 64, "members": 1}
    assert changed(BPR, by_name(BPR)["with softmax alone"].settings) == {"loss": "softmax"}
    # In the paper's form itself there is no smaller one to stand between.
    assert "in 64 dimensions" not in by_name(TrainSettings.paper())


def test_features_lose_what_the_name_says() -> None:
    found = by_name(SOFTMAX)
    sources = {name: v.source for name, v in found.items() if v.source != OWN}
    assert sources == {
        "on shuffled content": Source(shuffled=True),
        "without ICA": Source(pretrained=False),
        "without image": Source(without="image"),
        "without text": Source(without="text"),
    }
    assert all(found[name].settings == SOFTMAX for name in sources)


def test_what_is_not_there_cannot_be_taken_away() -> None:
    bare = SOFTMAX.model_copy(update={"cca_weight": 0.0})
    assert "without CCA" not in by_name(bare)
    assert "without UIA" not in by_name(BPR.model_copy(update={"uia_weight": 0.0}))
    assert "without ICA" not in by_name(SOFTMAX, pretrained=False)
    one = {v.name for v in variants(SOFTMAX, ("text",)) if v.source != OWN}
    assert one == {"aligned on shuffled content"}
