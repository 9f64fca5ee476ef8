"""Releases at the command line: planned and checked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alignrec.export import RefusedError
from alignrec.export.hub.published_as import published_as
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.cli.hub import push_features_app
from tests.export.hub_cases import REPO, client, make_release
from tests.hub.server import HubServer


def test_a_dry_run_lists_what_would_be_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = make_release(tmp_path / "release")
    command = [str(tmp_path / "release"), REPO, "--version", "1.0.0", "--dry-run"]
    with HubServer() as hub:
        monkeypatch.setattr("alignrec.export.hub.repository.HfApi", lambda **_options: client(hub))
        shown = CliRunner().invoke(push_features_app, command)
        answer = CliRunner().invoke(app, ["push", *command, "--json"])
        assert hub.api.repositories == {}
    assert (shown.exit_code, answer.exit_code) == (0, 0), shown.output
    planned = json.loads(answer.stdout)
    assert (planned["repo"], planned["version"], planned["status"]) == (REPO, "1.0.0", "planned")
    assert {entry.path for entry in manifest.files} <= set(planned["sent"]) and planned["removed"] == []
    assert shown.stdout.splitlines() == [
        f"{REPO}@1.0.0 (private) would be published (dry run: nothing was sent)",
        *(f"  send    {path}" for path in planned["sent"]),
        f"  {len(planned['sent'])} files, {planned['bytes']} bytes at most",
        f"  read its card in {tmp_path / 'release-card.md'}",
    ]
    card = (tmp_path / "release-card.md").read_text("utf-8")
    assert card == planned["card"] and "version **1.0.0** of `" + REPO in card


def test_a_push_of_old_content_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_release(tmp_path / "release")
    command = ["push", str(tmp_path / "release"), REPO, "--version"]
    with HubServer() as hub:
        monkeypatch.setattr("alignrec.export.hub.repository.HfApi", lambda **_options: client(hub))
        first = CliRunner().invoke(app, [*command, "1.0.0"])
        planned = CliRunner().invoke(app, [*command, "1.1.0", "--dry-run"])
        second = CliRunner().invoke(app, [*command, "1.1.0"])
    assert (first.exit_code, planned.exit_code, second.exit_code) == (0, 0, 0), second.output
    line = "its content is that of version 1.0.0, to the byte"
    assert line not in first.stdout
    assert line in planned.stdout.splitlines()
    assert second.stdout.splitlines()[-1] == line


def test_a_push_is_noted_beside_the_release_and_a_dry_run_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_release(tmp_path / "release")
    command = ["push", str(tmp_path / "release"), REPO, "--version", "1.0.0"]
    with HubServer() as hub:
        monkeypatch.setattr("alignrec.export.hub.repository.HfApi", lambda **_options: client(hub))
        planned = CliRunner().invoke(app, [*command, "--dry-run"])
        unpublished = published_as(tmp_path / "release")
        pushed = CliRunner().invoke(app, command)
    assert (planned.exit_code, pushed.exit_code) == (0, 0), pushed.output
    noted = published_as(tmp_path / "release")
    assert unpublished is None and noted is not None and (noted.repo, noted.version) == (REPO, "1.0.0")


def test_a_folder_is_verified(tmp_path: Path) -> None:
    manifest = make_release(tmp_path / "release")
    folder, files = str(tmp_path / "release"), len(manifest.files)
    shown = CliRunner().invoke(app, ["verify", folder])
    assert shown.stdout == f"{folder} is whole: {files} files, release {manifest.release_id}\n"
    answer = CliRunner().invoke(app, ["verify", folder, "--json"])
    assert json.loads(answer.stdout) == {
        "release": folder,
        "release_id": manifest.release_id,
        "files": files,
        "commit": None,
    }
    (tmp_path / "release" / "metrics.json").write_text("{}")
    damaged = CliRunner().invoke(app, ["verify", folder])
    assert isinstance(damaged.exception, RefusedError) and "metrics.json" in str(damaged.exception)
