"""Files and folders: whole or absent, with the umask's permissions, opened only if they are such."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Callable, Iterator
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
    digest_of_each,
    open_regular,
    replacing,
    replacing_folder,
    sha256_file,
    temporary_folder,
    write_bytes,
)


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


@pytest.mark.parametrize("values", [[], [1], [["a", "é"], {"b": None, "a": [1.5]}, "x"]])
def test_values_one_by_one_have_the_digest_of_their_list(values: list[Any]) -> None:
    assert digest_of_each(iter(values)) == digest(values)
