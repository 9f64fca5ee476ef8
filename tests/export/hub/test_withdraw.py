"""A version that is taken back is named with the reason, and its name is not used again."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
from huggingface_hub import HfApi

from alignrec.core.errors import AlignRecWarning
from alignrec.export.errors import RefusedError, ReleaseError
from alignrec.export.hub.errors import UnreachableError
from alignrec.export.hub.push import push
from alignrec.export.hub.withdraw import withdraw
from alignrec.export.load import open_release
from tests.export.hub_cases import REPO, make_release
from tests.hub.server import Fault, HubServer


def test_a_withdrawn_version_says_why(hub: HubServer, api: HfApi, release: Path, published: str) -> None:
    make_release(release, {"image": 1})
    push(release, REPO, "1.1.0", api=api)
    with pytest.raises(ReleaseError, match="reason"):
        withdraw(REPO, "1.1.0", " ", api=api)
    with pytest.raises(ReleaseError, match=r"no version 3\.0\.0"):
        withdraw(REPO, "3.0.0", "x", api=api)
    withdraw(REPO, "1.1.0", "wrong  images", api=api)
    stored = hub.repository(REPO)
    assert set(stored.tags) == {"v1.0.0"}
    assert "**1.1.0**" in stored.head.files["README.md"].data.decode()
    with pytest.raises(RefusedError, match=r"withdrawn on .*wrong images.*1\.0\.0"):
        open_release(REPO, "1.1.0", api=api)
    assert open_release(REPO, api=api).where == f"{REPO}@1.0.0"
    with pytest.raises(RefusedError, match="withdrawn"):
        push(release, REPO, "1.1.0", api=api)
    push(release, REPO, "1.1.1", api=api)
    assert "wrong images" in stored.head.files["README.md"].data.decode()
    assert withdraw(REPO, "1.1.0", "again", api=api).reason == "wrong images"


def test_an_interrupted_withdrawal_is_finished(hub: HubServer, api: HfApi, published: str) -> None:
    hub.faults.append(Fault("DELETE", "/tag/", status=500))
    with pytest.raises(UnreachableError):
        withdraw(REPO, "1.0.0", "wrong", api=api)
    withdraw(REPO, "1.0.0", "wrong", api=api)
    assert not hub.repository(REPO).tags
    assert len([c for c in hub.repository(REPO).commits.values() if c.title == "Withdraw v1.0.0"]) == 1


@pytest.mark.parametrize("applied", [False, True])
def test_a_withdrawal_survives_a_failed_commit(
    hub: HubServer, api: HfApi, published: str, applied: bool
) -> None:
    hub.faults.append(Fault("POST", "/commit/", status=500, applied=applied))
    hub.faults.append(Fault("POST", "/commit/", before=lambda: hub.add(REPO, "t.txt", b"t")))
    withdraw(REPO, "1.0.0", "wrong", api=api)
    assert not hub.repository(REPO).tags


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("metrics.json", b'{"records": [1]}', "shows no numbers"),
        ("metrics.json", b"\xff", "shows no numbers"),
        ("manifest.json", b"{}", "stays as it is"),
        ("release.json", b"no", "stays as it is"),
        ("README.md", b"---\na: [\n---\n", "stays as it is"),
        ("README.md", b"---\nlicense: mit\n---\nTheirs.\n", ""),
    ],
)
def test_what_is_damaged_beside_it_keeps_no_version_visible(
    hub: HubServer, api: HfApi, published: str, path: str, content: bytes, words: str
) -> None:
    hub.add(REPO, path, content)
    before = hub.repository(REPO).head.files["README.md"].data
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        withdraw(REPO, "1.0.0", "wrong pictures", api=api)
    shown = [str(w.message) for w in caught if issubclass(w.category, AlignRecWarning)]
    assert len(shown) == bool(words) and all(words in line for line in shown)
    stored = hub.repository(REPO)
    assert not stored.tags and b"wrong pictures" in stored.head.files["withdrawn.json"].data
    card = stored.head.files["README.md"].data
    assert card == before if words == "stays as it is" else b"wrong pictures" in card
    assert (b"license: mit" in card) == (b"mit" in content)
    with pytest.raises(RefusedError, match="wrong pictures"):
        open_release(REPO, "1.0.0", api=api)
