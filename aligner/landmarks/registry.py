"""All landmarks, and those of one evaluation in the order of its tables."""

from __future__ import annotations

from alignrec.aligner.landmarks.contract import Landmark
from alignrec.core.plugins import Registry

LANDMARKS: Registry[Landmark] = Registry(Landmark, "landmark", "alignrec.aligner.landmarks")


def all_landmarks() -> list[Landmark]:
    """Untrained ones first, those that look at features last, the older before the newer."""
    return sorted(LANDMARKS.values(), key=lambda found: (found.trained, found.sees_content, found.year))


def landmarks_of(items: int, *, full: bool) -> list[Landmark]:
    """The landmarks that an evaluation measures.

    Args:
        items: size of the catalogue; some landmarks are left out of large ones.
        full: those that take longer too.
    """
    return [
        landmark
        for landmark in all_landmarks()
        if (full or landmark.quick) and (landmark.max_items is None or items <= landmark.max_items)
    ]


def content_pairs() -> list[tuple[str, str]]:
    """Landmarks with content, each with the landmark that it would be without."""
    return [(mark.name, mark.without_content) for mark in all_landmarks() if mark.without_content]
