"""The words of every room, declared once."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignrec.core import vocabulary
from alignrec.core.vocabulary import (
    CONTROL,
    FEATURE_SETS,
    KINDS,
    MASK_DEFINITION,
    METRICS,
    MODALITIES,
    OWN_SETS,
    PREFERRED_SETS,
    PROTOCOLS,
    SHUFFLED_CONTROL,
    TRAINED_SETS,
    Protocol,
    SetDefinition,
    by_weight,
    definitions,
    feature_set,
    find_protocol,
    is_own,
    mask_protocol,
    metric_label,
    trained_mask_protocol,
)

ROOMS = Path(vocabulary.__file__).parents[1]


def test_the_sets_are_those_of_the_design() -> None:
    assert [(s.name, s.stage, s.key, s.learned_from_interactions) for s in FEATURE_SETS.values()] == [
        ("image", "extract", "item_id", False),
        ("text", "extract", "item_id", False),
        ("audio", "extract", "item_id", False),
        ("pair", "extract", "item_id", False),
        ("multimodal", "pretrain", "item_id", False),
        ("content", "train", "item_id", True),
        ("aligned", "train", "item_id", True),
        ("user", "train", "user_id", True),
    ]
    assert tuple(name for name, entry in FEATURE_SETS.items() if entry.raw) == KINDS
    assert (*MODALITIES, "audio", "pair") == KINDS and MODALITIES == ("image", "text")
    assert TRAINED_SETS == ("content", "aligned", "user")
    assert OWN_SETS == ("aligned", "content", "multimodal")
    assert PREFERRED_SETS == ("aligned", "multimodal")
    assert all(entry.card for entry in FEATURE_SETS.values())
    assert all(entry.report for entry in FEATURE_SETS.values() if entry.key == "item_id")


def test_a_name_that_is_not_declared_is_a_modality() -> None:
    assert feature_set("aligned") is FEATURE_SETS["aligned"]
    assert feature_set("cover") == SetDefinition("cover", "extract", "", "", "item_id")
    assert feature_set("cover").raw


def test_masks_are_named_after_their_modality() -> None:
    assert mask_protocol("image") == "mask-image"
    found = find_protocol(mask_protocol("sound"))
    assert (found.name, found.title, found.behaviour) == ("mask-sound", "Without sounds", None)
    assert found.question == "Recall as the sounds of a growing share of items are taken away."


def test_masks_before_training_have_words_of_their_own() -> None:
    assert trained_mask_protocol("image") == "trained-mask-image"
    found = find_protocol("trained-mask-image")
    assert (found.title, found.share) == ("Trained without images", "lost")
    assert found.definition == definitions(["image"])["trained-mask-image"] != MASK_DEFINITION


def test_protocols_stand_by_weight_and_unknown_ones_last() -> None:
    names = ["thinned", "long-tail", "mask-text", "cold-start", "item-cf", "mask-image", "zero-shot", "top-k"]
    names += ["zapped", "few-interactions", "trained-mask-image"]
    assert by_weight([*names, "top-k", "another"]) == [
        "top-k",
        "zero-shot",
        "item-cf",
        "mask-image",
        "mask-text",
        "trained-mask-image",
        "cold-start",
        "long-tail",
        "few-interactions",
        "thinned",
        "another",
        "zapped",
    ]
    assert [protocol.behaviour for protocol in PROTOCOLS.values()] == [
        None,
        "popularity",
        "co-occurrence",
        *[None] * 4,
    ]
    labels = ["recommendation", "zero-shot", "item-CF", "cold start", "long tail"]
    labels += ["users with few interactions", "thinned histories"]
    assert [protocol.label for protocol in PROTOCOLS.values()] == labels


@pytest.mark.parametrize("name", ["zapped", "", "<b>"])
def test_what_is_unknown_goes_by_its_bare_name(name: str) -> None:
    assert find_protocol(name) == Protocol(name, name, "", "", None)
    assert find_protocol(name).label == name
    assert metric_label(name) == name
    assert metric_label("ndcg") == "NDCG"


def test_a_share_is_told_by_what_it_is_of() -> None:
    assert find_protocol("thinned").with_share(0.1) == "Thinned histories, 10% kept"
    assert find_protocol("mask-image").with_share(0.5) == "Without images, 50% lost"
    assert find_protocol("zapped").with_share(0.5) == "zapped, 50%"
    assert find_protocol("top-k").with_share(None) == "Recommendation"


TRAINED_MASKS = ["trained-mask-image, trained-mask-text"]


def test_every_metric_and_protocol_is_defined() -> None:
    found = definitions(MODALITIES)
    assert set(found) == {*METRICS, *PROTOCOLS, "mask-image, mask-text", *TRAINED_MASKS} | {
        "ranking",
        "candidates",
        "value",
        "low, high",
        "mean, std",
        "strongest landmark",
    }
    assert all(found.values())
    assert "mask-sound" in definitions(["sound"])
    assert not any("mask" in name for name in definitions([]))


def test_no_other_module_spells_a_protocol() -> None:
    found = [
        f"{path.relative_to(ROOMS)}: {name}"
        for room in ("core", "aligner", "export", "pipeline", "extractors")
        for path in (ROOMS / room).rglob("*.py")
        for name in PROTOCOLS
        if path.name != "vocabulary.py" and f'"{name}"' in path.read_text("utf-8")
    ]
    assert found == []


def test_what_is_ours_is_a_set_or_says_what_it_lacks() -> None:
    ours = ["aligned", "multimodal", "content", CONTROL, SHUFFLED_CONTROL, "aligned in the paper's form"]
    others = [
        "EASE with content",
        "content EASE",
        "content-based",
        "aligned2",
        "contents",
        "popularity",
        "user",
    ]
    assert [name for name in (*ours, *others) if is_own(name)] == ours
