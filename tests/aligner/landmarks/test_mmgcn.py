"""MMGCN as a landmark: it learns from modalities, and goes on where it was stopped."""

from __future__ import annotations

from alignrec.aligner.landmarks.mmgcn import MMGCN
from tests.aligner.landmarks.trainings import check_multimodal


def test_it_learns_alike_every_time_from_any_number_of_modalities_and_goes_on() -> None:
    check_multimodal(MMGCN)
