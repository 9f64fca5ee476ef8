from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from alignrec.pipeline.errors import RunFolderError
from alignrec.pipeline.runner.lock import locked
from tests.core.left_over import left_over

TRY = """
import sys
from pathlib import Path
from alignrec.pipeline.errors import RunFolderError
from alignrec.pipeline.runner.lock import locked
try:
    with locked(Path(sys.argv[1])):
        print("held")
except RunFolderError as error:
    print(error)
"""


def another_process(folder: Path) -> str:
    """What another process says that tries to hold the folder."""
    command = [sys.executable, "-c", TRY, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout.strip()


def test_a_second_process_is_refused_until_the_first_is_done(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "one"
    with locked(folder):
        assert another_process(folder) == (
            f"another process works in {folder}. Wait for it, or give this run a folder of its own: "
            "-o out=DIR."
        )
    assert another_process(folder) == "held"


def test_no_file_in_the_folder_can_be_deleted_to_get_in(tmp_path: Path) -> None:
    with locked(tmp_path):
        assert list(tmp_path.iterdir()) == []
        (tmp_path / ".lock").touch()
        (tmp_path / ".lock").unlink()
        assert another_process(tmp_path).startswith("another process works in ")


def test_where_folders_cannot_be_locked_a_file_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flock = fcntl.flock

    def network(descriptor: int, how: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EBADF, "")
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", network)
    with locked(tmp_path), pytest.raises(RunFolderError, match="another process"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


def test_an_error_lets_go(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked(tmp_path):
        raise KeyError
    with locked(tmp_path):
        pass


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "run"
    with pytest.raises(RunFolderError) as refused, locked(folder):
        pass
    assert str(refused.value) == f"the run folder {folder} cannot be written: Not a directory."


def test_what_a_killed_process_left_is_removed_and_nothing_of_a_living_one(tmp_path: Path) -> None:
    left_over(tmp_path / "run" / "extract" / "items.arrow")
    with locked(tmp_path / "run"):
        assert list((tmp_path / "run").rglob("*")) == [tmp_path / "run" / "extract"]
        left = left_over(tmp_path / "run" / "extract" / "items.arrow")
        with pytest.raises(RunFolderError), locked(tmp_path / "run"):
            pass
        assert left.exists()
