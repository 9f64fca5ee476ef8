"""What this machine has seen of versions is kept, listed and forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import HfApi, constants

from alignrec.core.errors import AlignRecWarning
from alignrec.export.hub.repository import open_repo
from alignrec.export.hub.seen_versions import (
    Record,
    forget_record,
    read_record,
    record_path,
    recorded_versions,
    write_record,
)
from alignrec.export.hub.versions import Version
from tests.core.left_over import left_over
from tests.export.hub_cases import REPO

RECORD = Record("c" * 40, "r" * 64, "m" * 64, 123)


def test_records_are_kept_by_version_and_repository(api: HfApi) -> None:
    repo, other = open_repo(REPO, api), open_repo("team/other", api)
    first, second = Version(1, 9, 0), Version(1, 10, 0)
    assert recorded_versions(repo) == [] and read_record(repo, first) is None
    write_record(repo, second, RECORD)
    left = left_over(record_path(repo, first))
    write_record(repo, first, RECORD)
    assert not left.exists()
    assert recorded_versions(repo) == [first, second] and recorded_versions(other) == []
    assert read_record(repo, first) == RECORD
    forget_record(repo, first)
    forget_record(repo, first)
    assert recorded_versions(repo) == [second]


def test_a_damaged_record_is_none(api: HfApi) -> None:
    repo, version = open_repo(REPO, api), Version(1, 0, 0)
    write_record(repo, version, RECORD)
    whole = record_path(repo, version).read_text()
    for content in ("{", "[]", '{"commit": "x"}', whole.replace("123", "133")):
        record_path(repo, version).write_text(content)
        assert read_record(repo, version) is None and recorded_versions(repo) == []


def test_a_home_that_cannot_be_written_is_a_warning(
    api: HfApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(constants, "HF_HOME", str(tmp_path / "file" / "hf"))
    repo, version = open_repo(REPO, api), Version(1, 0, 0)
    with pytest.warns(AlignRecWarning, match=r"team/features@1\.0\.0 cannot be kept.*HF_HOME"):
        write_record(repo, version, RECORD)
    with pytest.warns(AlignRecWarning, match="cannot be dropped"):
        forget_record(repo, version)
    assert read_record(repo, version) is None and recorded_versions(repo) == []
