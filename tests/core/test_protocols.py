"""The protocols, their words and their weight."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignrec.core import protocols
from alignrec.core.metrics import METRICS
from alignrec.core.protocols import (
    MASK_DEFINITION,
    PROTOCOLS,
    Protocol,
    by_weight,
    definitions,
    find_protocol,
    mask_protocol,
    trained_mask_protocol,
)
from alignrec.core.vocabulary import MODALITIES

ROOMS = Path(protocols.__file__).parents[1]


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
        if path != ROOMS / "core" / "protocols.py" and f'"{name}"' in path.read_text("utf-8")
    ]
    assert found == []
