"""What a kill leaves of a file or folder that is written, and what several processes make of one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from alignrec.core import files
from alignrec.core.files import replacing, replacing_folder, sweep, write_bytes

# A process that kills itself at one moment; what is on disk then is what a kill leaves.
KILLED = """
import os, signal, sys
from pathlib import Path
from alignrec.core.files import replacing, replacing_folder

moment, path, rename, count = sys.argv[1], Path(sys.argv[2]), Path.rename, 0

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def counted(self, target):
    global count
    count += 1
    done = rename(self, target)
    if moment == f"after rename {count}":
        die()
    return done

Path.rename = counted
if moment == "in a file":
    with replacing(path) as temporary:
        temporary.write_bytes(b"half")
        die()
with replacing_folder(path) as folder:
    (folder / "new").write_bytes(b"new")
    if moment == "in a folder":
        die()
"""


def kill(moment: str, path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, moment, str(path)], timeout=60)
    assert ended.returncode == -signal.SIGKILL


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("moment", "left", "content"),
    [("in a folder", ["new"], b"old"), ("after rename 1", ["old", "new"], b"old")],
)
def test_a_kill_before_the_new_folder_is_there_keeps_the_old_one(
    tmp_path: Path, moment: str, left: list[str], content: bytes
) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "old").write_bytes(content)
    kill(moment, tmp_path / "x")
    assert sorted(p.suffix[1:] for p in tmp_path.iterdir() if p.name != "x") == sorted(left)
    with pytest.raises(RuntimeError), replacing_folder(tmp_path / "x"):
        raise RuntimeError
    assert names(tmp_path) == ["x"] and names(tmp_path / "x") == ["old"]


@pytest.mark.parametrize("moment", ["after rename 2", "after rename 3"])
def test_a_kill_after_the_new_folder_is_there_keeps_the_new_one(tmp_path: Path, moment: str) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "old").touch()
    kill(moment, tmp_path / "x")
    assert len(names(tmp_path)) > 1
    sweep(tmp_path)
    assert names(tmp_path) == ["x"] and names(tmp_path / "x") == ["new"]


def test_a_sweep_removes_what_dead_processes_left_and_nothing_else(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    kill("in a file", deep / "file")
    kill("in a folder", deep / "folder")
    (deep / "set aside").mkdir()
    (deep / "set aside" / "old").touch()
    kill("after rename 1", deep / "set aside")
    others = [".x.tmp", ".notes.abc.new", f".x.{'0' * 8}-1-{'0' * 8}.tmp", f".x.{files._machine()}-1.old"]
    for name in others:
        (deep / name).touch()
    with (
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as living,
        replacing(deep / "mine") as mine,
        replacing_folder(deep / "ours") as ours,
    ):
        theirs = deep / f".x.{files._machine()}-{living.pid}-{'0' * 8}.tmp"
        theirs.touch()
        sweep(tmp_path)
        expected = [*others, theirs.name, mine.name, ours.parent.name, "set aside"]
        assert names(deep) == sorted(expected)
        living.communicate(b"\n")
    assert names(deep / "set aside") == ["old"]
    # The process is gone now, and so is what it left; the name of this process may be an earlier one's.
    (deep / f".x.{files._machine()}-{os.getpid()}-{'0' * 8}.tmp").touch()
    sweep(tmp_path)
    assert names(deep) == sorted([*others, "mine", "ours", "set aside"])


def test_replacing_a_folder_leaves_another_ones_temporary_files(tmp_path: Path) -> None:
    kill("in a folder", tmp_path / "x.y")
    left = names(tmp_path)
    with replacing_folder(tmp_path / "x"):
        pass
    assert names(tmp_path) == sorted([*left, "x"])
    with replacing_folder(tmp_path / "x.y"):
        pass
    assert names(tmp_path) == ["x", "x.y"]


def test_many_processes_write_one_folder(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from alignrec.core.files import replacing_folder\n"
        "for number in range(60):\n"
        "    with replacing_folder(Path(sys.argv[1])) as new:\n"
        "        for name in 'ab': (new / name).write_text(name)\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "x")]) for _ in range(3)]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    assert names(tmp_path) == ["x"] and names(tmp_path / "x") == ["a", "b"]


@pytest.mark.parametrize("fails", [False, True])
def test_what_another_process_does_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    """The old folder comes back only where this process failed, and never over another's."""
    write_bytes(tmp_path / "x" / "a", b"old")
    take_place = files._take_place

    def then_another(new: Path, path: Path, aside: Path) -> None:
        if fails:
            path.rename(aside)
            write_bytes(path / "a", b"another's")
            raise OSError(28, "No space left on device", str(path))
        take_place(new, path, aside)
        path.rename(tmp_path / "set aside by another")

    monkeypatch.setattr(files, "_take_place", then_another)
    failing = pytest.raises(OSError, match="No space") if fails else nullcontext()
    with failing, replacing_folder(tmp_path / "x") as new:
        write_bytes(new / "a", b"new")
    left = {"x": b"another's"} if fails else {"set aside by another": b"new"}
    assert {name: (tmp_path / name / "a").read_bytes() for name in names(tmp_path)} == left
