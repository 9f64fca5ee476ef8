from __future__ import annotations

from pathlib import Path

import pytest

from alignrec.core.files import replacing, replacing_folder, write_bytes


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_bytes(tmp_path / "x", b"old")
    with pytest.raises(RuntimeError), replacing(tmp_path / "x") as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError
    assert (tmp_path / "x").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_a_failed_folder_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    with replacing_folder(tmp_path / "x") as new:
        (new / "a").touch()
    with pytest.raises(RuntimeError), replacing_folder(tmp_path / "x") as new:
        (new / "b").touch()
        raise RuntimeError
    assert [p.name for p in (tmp_path / "x").iterdir()] == ["a"]
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_a_folder_set_aside_by_a_killed_process_is_put_back(tmp_path: Path) -> None:
    (tmp_path / ".x.old").mkdir()
    (tmp_path / ".x.old" / "kept").touch()
    (tmp_path / ".x.abc.new").mkdir()
    with pytest.raises(RuntimeError), replacing_folder(tmp_path / "x"):
        raise RuntimeError
    assert [p.name for p in (tmp_path / "x").iterdir()] == ["kept"]
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
