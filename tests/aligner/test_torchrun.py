"""A command by itself is alone; what several do is in test_process_group."""

from __future__ import annotations

import pytest

from alignrec.aligner.processes import ALONE
from alignrec.aligner.torchrun import are_several, joined


@pytest.mark.parametrize("size", [None, "", "1"])
def test_a_command_by_itself_is_alone(monkeypatch: pytest.MonkeyPatch, size: str | None) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    if size is not None:
        monkeypatch.setenv("WORLD_SIZE", size)
    with joined() as processes:
        assert processes is ALONE
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert are_several()
