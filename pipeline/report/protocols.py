"""What each protocol of the evaluation asks, in words for a reader."""

from __future__ import annotations

from typing import NamedTuple


class Protocol(NamedTuple):
    """A protocol's name and question."""

    title: str
    question: str


PROTOCOLS = {
    "top-k": Protocol(
        "Recommendation",
        "Trained on who liked what: are the items that users liked later among the first k?",
    ),
    "zero-shot": Protocol(
        "Zero-shot",
        "With no training at all: a user is the mean of the items in the history, and the nearest items "
        "are recommended.",
    ),
    "item-cf": Protocol(
        "Item-CF",
        "Item-based collaborative filtering in which likeness of features takes the place of shared users.",
    ),
    "mask-image": Protocol(
        "Without images", "Recall as the images of a growing share of items are taken away."
    ),
    "mask-text": Protocol("Without texts", "Recall as the texts of a growing share of items are taken away."),
    "cold-start": Protocol("Cold start", "Recommending only items that no training interaction touches."),
    "long-tail": Protocol("Long tail", "Recommending only the least popular items."),
}


def protocol(name: str) -> Protocol:
    """A protocol's words; its bare name where it is not known here."""
    return PROTOCOLS.get(name, Protocol(name, ""))
