from __future__ import annotations

import json
from pathlib import Path

import pytest
from huggingface_hub import constants
from typer.testing import CliRunner

from alignrec.export.hub.push import push
from alignrec.export.hub.withdraw import withdraw
from alignrec.pipeline.cli import versions
from alignrec.pipeline.cli.app import app
from tests.export.hub_cases import REPO, client, make_release
from tests.hub.server import HubServer


def test_versions_are_listed_with_what_they_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert versions.versions.__doc__
    monkeypatch.setattr(constants, "HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
    manifest = make_release(tmp_path / "release", sets={"image": 8, "text": 6})
    with HubServer() as hub:
        api = client(hub)
        monkeypatch.setattr("alignrec.export.hub.repository.HfApi", lambda **_options: api)
        api.create_repo(REPO, repo_type="dataset", private=True)
        none = CliRunner().invoke(app, ["versions", REPO])
        for version in ("1.0.0", "1.1.0", "1.2.0"):
            push(tmp_path / "release", REPO, version, api=api)
        withdraw(REPO, "1.2.0", "pushed by mistake", api=api)
        shown = CliRunner().invoke(app, ["versions", REPO])
        answer = json.loads(CliRunner().invoke(app, ["versions", REPO, "--json"]).stdout)
    assert (none.exit_code, none.stdout) == (0, "") and "no published version" in none.stderr
    *kept, withdrawn = shown.stdout.splitlines()
    what = f"release {manifest.release_id[:12]}; image 20 × 8, text 20 × 6; licence cc-by-4.0"
    assert kept == [f"1.0.0  {what}", f"1.1.0  {what}; the same content as 1.0.0"]
    assert withdrawn.startswith("1.2.0  withdrawn on ") and withdrawn.endswith(": pushed by mistake")
    assert [one["version"] for one in answer["versions"]] == ["1.0.0", "1.1.0"]
    assert answer["versions"][1]["equal_to"] == "1.0.0"
    assert answer["withdrawn"]["1.2.0"]["reason"] == "pushed by mistake"
