from __future__ import annotations

from pathlib import Path

from huggingface_hub import HfApi

from alignrec.export import Manifest
from alignrec.export.hub.published_contents import published_contents
from alignrec.export.hub.push import push
from alignrec.export.hub.withdraw import withdraw
from tests.export.hub_cases import REPO, got, make_release
from tests.hub.server import HubServer


def test_each_version_says_what_it_holds(
    hub: HubServer, api: HfApi, release: Path, manifest: Manifest
) -> None:
    first = push(release, REPO, "1.0.0", api=api)
    other = make_release(release, {"text": 1}, sets={"text": 6})
    push(release, REPO, "1.10.0", api=api)
    make_release(release)
    again = push(release, REPO, "2.0.0", api=api)
    before = len(hub.log)
    found, withdrawn = published_contents(REPO, api=api)
    assert [one.version for one in found] == ["1.0.0", "1.10.0", "2.0.0"] and withdrawn == {}
    assert [one.equal_to for one in found] == [None, None, "1.0.0"]
    assert [one.commit for one in found][::2] == [first.commit, again.commit]
    ids = [manifest.release_id, other.release_id, manifest.release_id]
    assert [one.release_id for one in found] == ids
    assert found[1].sets == {"text": {"dim": 6, "rows": 20}}
    assert (found[0].licence, found[0].pictures, found[0].fault) == ("cc-by-4.0", 0, "")
    assert not any("data/" in line.path for line in hub.log[before:]), "manifests are enough"


def test_a_version_that_is_no_release_does_not_hide_the_others(
    hub: HubServer, api: HfApi, release: Path
) -> None:
    push(release, REPO, "1.0.0", api=api)
    stored = hub.repository(REPO)
    stored.tags["v1.1.0"] = next(iter(stored.commits))
    make_release(release, {"text": 1})
    push(release, REPO, "1.2.0", api=api)
    withdraw(REPO, "1.2.0", "a wrong licence", api=api)
    found, withdrawn = published_contents(REPO, api=api)
    assert [(one.version, one.release_id is None) for one in found] == [("1.0.0", False), ("1.1.0", True)]
    assert "is not a release" in found[1].fault
    assert withdrawn["1.2.0"].reason == "a wrong licence"
    assert "data/text/part-00000.parquet" not in got(hub)
