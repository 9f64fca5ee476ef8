"""The words of every room, declared once: modalities and feature sets."""

from __future__ import annotations

from alignrec.core.vocabulary import (
    CONTROL,
    FEATURE_SETS,
    KINDS,
    MODALITIES,
    OWN_SETS,
    PREFERRED_SETS,
    SHUFFLED_CONTROL,
    TRAINED_SETS,
    SetDefinition,
    feature_set,
    is_own,
)


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
