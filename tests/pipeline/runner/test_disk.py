from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from alignrec.pipeline.errors import RunFolderError
from alignrec.pipeline.runner.disk import check_disk


def test_what_the_disk_cannot_hold_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = 3 * 2**30
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=free))
    check_disk(tmp_path, free)
    with pytest.raises(RunFolderError) as refused:
        check_disk(tmp_path, free + 2**29)
    assert str(refused.value) == (
        f"{tmp_path} has 3.0 GiB free and this stage needs about 3.5 GiB. "
        "Make room, or put the run elsewhere: -o out=DIR."
    )


def test_the_disk_of_the_folder_is_asked(tmp_path: Path) -> None:
    check_disk(tmp_path, 1)
    with pytest.raises(RunFolderError):
        check_disk(tmp_path, 2**62)
