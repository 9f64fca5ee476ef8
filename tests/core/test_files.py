"""Files and folders that are whole or absent, with the umask's permissions, and what a kill leaves."""

from __future__ import annotations

import errno
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

from alignrec.core import files
from alignrec.core.errors import AlignRecError
from alignrec.core.files import (
    apply_umask,
    canonical_json,
    digest,
    open_regular,
    replacing,
    replacing_folder,
    sha256_file,
    sweep,
    temporary_folder,
    write_bytes,
)

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


def modes(folder: Path) -> dict[str, int]:
    return {str(p.relative_to(folder)): stat.S_IMODE(p.stat().st_mode) for p in sorted(folder.rglob("*"))}


@pytest.fixture(params=[0o022, 0o077, 0o002], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_bytes(tmp_path / "x", b"old")
    with pytest.raises(RuntimeError), replacing(tmp_path / "x") as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError
    assert (tmp_path / "x").read_bytes() == b"old"
    assert names(tmp_path) == ["x"]


def test_a_failed_folder_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    with replacing_folder(tmp_path / "x") as new:
        (new / "a").touch()
    with pytest.raises(RuntimeError), replacing_folder(tmp_path / "x") as new:
        (new / "b").touch()
        raise RuntimeError
    assert names(tmp_path / "x") == ["a"]
    assert names(tmp_path) == ["x"]


def test_a_folder_takes_the_place_of_another(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with replacing_folder(tmp_path / "x") as new:
            assert new.name == "x"
            (new / name).touch()
    assert names(tmp_path / "x") == ["b"]
    assert names(tmp_path) == ["x"]


def test_an_old_folder_comes_back_where_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with replacing_folder(tmp_path / "x") as new:
        (new / "a").touch()
    rename = Path.rename

    def fails(self: Path, target: Path) -> Path:
        if self.name == "x" and target.name == "x" and self.parent != tmp_path:
            raise OSError("the disk fails")
        return rename(self, target)

    with pytest.raises(OSError, match="disk fails"), replacing_folder(tmp_path / "x"):
        monkeypatch.setattr(Path, "rename", fails)
    assert names(tmp_path / "x") == ["a"]
    assert names(tmp_path) == ["x"]


def test_a_temporary_folder_has_the_name_and_goes(tmp_path: Path) -> None:
    with temporary_folder(tmp_path / "x") as folder:
        assert folder.name == "x" and names(folder) == [] and folder.parent.parent == tmp_path
        (folder / "a").touch()
    assert names(tmp_path) == []


def test_files_have_the_permissions_of_the_umask_whoever_writes_them(tmp_path: Path, umask: int) -> None:
    matrix = np.zeros((2, 2), np.float32)
    write_bytes(tmp_path / "bytes", b"x")
    with replacing(tmp_path / "numpy.npy") as path, path.open("wb") as file:
        np.save(file, matrix)
    with replacing(tmp_path / "tensors") as path:
        save_file({"a": matrix}, path)
    with replacing(tmp_path / "parquet") as path:
        pq.write_table(pa.table({"a": [1]}), path)
    with replacing(tmp_path / "own") as path:  # a writer that puts its own file there
        other = path.with_name("other")
        other.touch(0o600)
        other.replace(path)
    assert set(modes(tmp_path).values()) == {0o666 & ~umask}
    assert names(tmp_path) == ["bytes", "numpy.npy", "own", "parquet", "tensors"]


def test_folders_have_the_permissions_of_the_umask_all_through(tmp_path: Path, umask: int) -> None:
    kept = tmp_path / "kept"
    kept.touch()
    kept.chmod(0o640)
    with replacing_folder(tmp_path / "x") as new:
        (new / "a").mkdir(0o700)
        save_file({"a": np.zeros(2)}, new / "a" / "model.safetensors")
        (new / "a" / "closed").touch(0o600)
        (new / "linked").hardlink_to(kept)
        (new / "pointing").symlink_to(kept)
    folder, file = 0o777 & ~umask, 0o666 & ~umask
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == folder
    assert modes(tmp_path / "x") == {
        "a": folder,
        "a/closed": file,
        "a/model.safetensors": file,
        "linked": 0o640,  # another's file as well: its permissions are not ours to change
        "pointing": 0o640,
    }


def test_permissions_of_a_folder_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "x" / "a").mkdir(parents=True)
    (tmp_path / "x").chmod(0o750)
    (tmp_path / "x" / "a" / "b").touch(0o600)
    apply_umask(tmp_path / "x")
    assert modes(tmp_path) == {"x": 0o750, "x/a": 0o750, "x/a/b": 0o640}


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


@pytest.mark.parametrize(
    "fail",
    [
        lambda: OSError(28, "no file is named"),
        lambda: RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
@pytest.mark.parametrize("replace", [replacing, replacing_folder])
def test_a_system_error_names_what_was_to_be_written(
    tmp_path: Path, replace: Any, fail: Callable[[], Exception]
) -> None:
    with pytest.raises(OSError) as failed, replace(tmp_path / "x"):
        raise fail()
    assert (failed.value.errno, failed.value.filename) == (28, str(tmp_path / "x"))
    assert names(tmp_path) == []


def test_a_system_error_names_no_temporary_path(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as absent, replacing_folder(tmp_path / "x") as new:
        (new / "a" / "b").read_bytes()
    assert absent.value.filename == str(tmp_path / "x" / "a" / "b")
    with pytest.raises(OSError) as alone, replacing(tmp_path / "x"):
        raise OSError("a message of its own")
    assert str(alone.value) == "a message of its own"
    with pytest.raises(AlignRecError, match="ours"), replacing(tmp_path / "x"):
        raise AlignRecError("ours (os error 28)")


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


def test_a_folder_that_could_not_be_replaced_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bytes(tmp_path / "x" / "a", b"old")

    def fail(new: Path, path: Path, aside: Path) -> None:
        path.rename(aside)
        raise OSError(5, "Input/output error", str(new))

    monkeypatch.setattr(files, "_take_place", fail)
    with pytest.raises(OSError, match="Input/output"), replacing_folder(tmp_path / "x") as new:
        write_bytes(new / "a", b"new")
    assert names(tmp_path) == ["x"] and (tmp_path / "x" / "a").read_bytes() == b"old"


def test_one_value_has_one_text_and_one_hash(tmp_path: Path) -> None:
    assert canonical_json({"b": [1, 2.5, None], "a": "ж"}) == '{"a":"ж","b":[1,2.5,null]}'.encode()
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json(float("nan"))
    write_bytes(tmp_path / "x", canonical_json({"a": 1}))
    assert sha256_file(tmp_path / "x") == digest({"a": 1})


def test_a_file_that_others_name_is_opened_only_if_it_is_one(tmp_path: Path) -> None:
    """None of these may hang, and none is read."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_bytes(b"four")
    (tmp_path / "link").symlink_to("file")
    with (tmp_path / "sparse").open("wb") as sparse:
        sparse.truncate(5 * 2**30)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        expected = {
            "pipe": errno.EINVAL,
            "socket": errno.ENXIO,
            "/dev/zero": errno.EINVAL,
            ".": errno.EISDIR,
            "loop": errno.ELOOP,
            "none": errno.ENOENT,
            "file/below": errno.ENOTDIR,
            "x" * 300: errno.ENAMETOOLONG,
            "a\0b": errno.ENOENT,
            "a\ud800": errno.ENOENT,
            "sparse": errno.EFBIG,
        }
        found = {}
        for name in expected:
            with pytest.raises(OSError) as caught:
                open_regular(tmp_path / name, 100)
            found[name] = caught.value.errno
    assert found == expected
    for name in ("file", "link"):
        with open_regular(tmp_path / name, 4) as file:
            assert file.read() == b"four"
