"""The benchmark of memory runs, at a size where it proves nothing."""

from __future__ import annotations

import re

import pytest

from benchmarks import scale


def test_a_tiny_catalogue_prints_every_figure(capsys: pytest.CaptureFixture[str]) -> None:
    size = {"users": 60, "items": 40, "interactions": 500, "dim": 8, "steps": 1}
    scale.main([word for name, value in size.items() for word in (f"--{name}", str(value))])
    out = capsys.readouterr().out
    assert "60 users, 40 items, 500 interactions, 8 dimensions" in out
    assert re.search(r"graphs: [\d.]+ s, peak [\d.]+ GiB beyond", out)
    for form in ("paper's", "default"):
        assert re.search(rf"{form} form: 1 steps [\d.]+ s, an epoch \d+ s; .* [\d.]+ GiB", out)


def test_pairs_are_distinct_and_as_many_as_asked_for() -> None:
    split = scale.random_split(10, 10, 90)
    assert len(set(zip(split.user.tolist(), split.item.tolist(), strict=True))) == 90
