from __future__ import annotations

import errno
import resource
import tracemalloc
from pathlib import Path

import pytest
import torch

from alignrec.core.sealed import sealing
from alignrec.pipeline.runner.checkpoint import FORMAT, Checkpoint


def save(held: object, path: Path) -> None:
    with sealing(path) as temporary:
        torch.save(held, temporary)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint"])
def test_an_unreadable_checkpoint_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.pt").write_bytes(content)
    checkpoint = Checkpoint(tmp_path / "c.pt", "f")
    assert checkpoint.load() is None
    checkpoint.save({"epoch": 1})
    assert checkpoint.load() == {"epoch": 1}
    assert Checkpoint(tmp_path / "c.pt", "g").load() is None
    save({"fingerprint": "f", "state": {"epoch": 1}}, tmp_path / "c.pt")
    assert checkpoint.load() is None, "saved by a version whose states looked otherwise"
    save({"format": FORMAT + 1, "fingerprint": "f", "state": {"epoch": 1}}, tmp_path / "c.pt")
    assert checkpoint.load() is None, "saved by a version to come"


def test_none_is_there_before_the_first_is_saved(tmp_path: Path) -> None:
    assert Checkpoint(tmp_path / "c.pt", "f").load() is None
    assert list(tmp_path.iterdir()) == []


def test_a_state_comes_back_whole_and_alone(tmp_path: Path) -> None:
    weight = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    checkpoint = Checkpoint(tmp_path / "scratch" / "c.pt", "f")
    checkpoint.save({"epoch": 1, "weight": torch.zeros(2, 3)})
    checkpoint.save({"epoch": 2, "weight": weight, "curves": [{"loss": 0.5}]})
    state = checkpoint.load()
    assert state is not None and torch.equal(state.pop("weight"), weight)
    assert state == {"epoch": 2, "curves": [{"loss": 0.5}]}
    assert [path.name for path in checkpoint.path.parent.iterdir()] == ["c.pt"]


def test_a_state_is_not_in_memory_twice_while_it_is_read(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "c.pt", "f")
    checkpoint.save({"weights": [torch.full((250_000,), float(n)) for n in range(8)]})
    checkpoint.load()  # what is imported for the first time
    tracemalloc.start()
    try:
        state = checkpoint.load()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert state is not None and [float(weight[-1]) for weight in state["weights"]] == list(range(8))
    assert most < checkpoint.path.stat().st_size / 4


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_one_that_was_cut_off_is_none(tmp_path: Path, kept: float) -> None:
    checkpoint = Checkpoint(tmp_path / "c.pt", "f")
    checkpoint.save({"weight": torch.zeros(100)})
    content = checkpoint.path.read_bytes()
    checkpoint.path.write_bytes(content[: int(len(content) * kept)])
    assert checkpoint.load() is None


class _Surprise:
    """Would write a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (str(self.path),)


def test_what_a_file_holds_is_never_run(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "c.pt", "f")
    checkpoint.save({"epoch": _Surprise(tmp_path / "run")})
    assert checkpoint.load() is None
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("held", [{"epoch": 1}, [1, 2], 3])
def test_a_file_of_something_else_is_none(tmp_path: Path, held: object) -> None:
    save(held, tmp_path / "c.pt")
    assert Checkpoint(tmp_path / "c.pt", "f").load() is None


def test_a_flipped_bit_anywhere_makes_it_none(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "c.pt", "f")
    checkpoint.save({"weight": torch.arange(100, dtype=torch.float32)})
    whole = checkpoint.path.read_bytes()
    for place in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        checkpoint.path.write_bytes(damaged)
        assert checkpoint.load() is None, place


@pytest.mark.parametrize("most", [0, 500, 5000])
def test_a_full_disk_is_a_system_error_and_the_old_state_stays(tmp_path: Path, most: int) -> None:
    checkpoint = Checkpoint(tmp_path / "c.pt", "f")
    checkpoint.save({"epoch": 1})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
    try:
        with pytest.raises(OSError, match="large") as full:
            checkpoint.save({"weight": torch.zeros(10**5)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (full.value.errno, full.value.filename) == (errno.EFBIG, str(checkpoint.path))
    assert checkpoint.load() == {"epoch": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["c.pt"]
