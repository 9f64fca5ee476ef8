"""The commands in processes of their own: published, pulled, loaded, killed, and the token kept."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from alignrec.export import Manifest
from alignrec.export.hub.push import push
from tests.export.hub_cases import REPO, client, make_release, sent_sets
from tests.hub.client import environment, run_python
from tests.hub.server import Fault, HubServer
from tests.pipeline.finished_demo import FinishedDemo

PUSH_FEATURES = "from alignrec.pipeline.cli.app import push_features; push_features()"
ALIGNREC = "from alignrec.pipeline.cli.app import main; main()"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(hub: HubServer, tmp_path: Path) -> Run:
    """Run a program in a fresh process; whatever it prints, the token is not in it."""

    def fresh(code: str, *arguments: object, home: str = "home", stdin: str = "", **extra: str) -> object:
        env = environment(hub.url, tmp_path / home, **extra)
        command = [sys.executable, "-c", code, *map(str, arguments)]
        ended = subprocess.run(command, env=env, input=stdin, capture_output=True, text=True, timeout=120)
        assert "hf_test" not in ended.stdout + ended.stderr
        assert "Traceback" not in ended.stderr, ended.stderr
        return ended

    return fresh  # type: ignore[return-value]


LOAD = """
import sys, json
from alignrec.export import load_features
load = lambda n: load_features(sys.argv[1], n, version="1.0.0")
print(json.dumps({n: load(n).matrix.sum().item() for n in sys.argv[2:]}))
"""
LOAD_DATASET = """
import sys, json, datasets
read = lambda n: datasets.load_dataset(sys.argv[1], n, revision="v1.0.0", split="train").with_format("numpy")
print(json.dumps({n: [len(read(n)), *read(n)[0]["embedding"].shape] for n in sys.argv[2:]}))
"""


def publish_change_load_and_stop(
    hub: HubServer, run: Run, release: Path, change: Callable[[], object]
) -> None:
    """The story of a release: four pushes, a pull, both ways to load, and the server gone."""
    sets = {name: [entry.rows, entry.dim] for name, entry in Manifest.read(release).sets.items()}
    first = run(PUSH_FEATURES, release, REPO, "--version", "1.0.0")
    assert first.returncode == 0, first.stderr
    assert hub.repository(REPO).tags["v1.0.0"] in first.stdout
    again = run(PUSH_FEATURES, release, REPO, "--version", "1.0.0")
    assert (again.returncode, "already published" in again.stdout) == (0, True)
    change()
    refused = run(PUSH_FEATURES, release, REPO, "--version", "1.0.0")
    assert (refused.returncode, "other content" in refused.stderr) == (3, True)
    before = len(hub.log)
    assert run(ALIGNREC, "push", release, REPO, "--version", "1.1.0").returncode == 0
    assert sent_sets(hub, before) == 1
    pulled = run(ALIGNREC, "pull", f"{REPO}@1.1.0", "--to", release.parent / "pulled", home="other")
    assert pulled.returncode == 0, pulled.stderr
    assert Manifest.read(release.parent / "pulled") == Manifest.read(release)
    table = run(LOAD_DATASET, REPO, *sets, home="other")
    assert table.returncode == 0, table.stderr
    assert json.loads(table.stdout) == sets
    online = run(LOAD, REPO, *sets, home="other")
    assert online.returncode == 0, online.stderr
    hub.stop()
    for extra in ({}, {"HF_HUB_OFFLINE": "1"}):
        assert run(LOAD, REPO, *sets, home="other", **extra).stdout == online.stdout
    offline = run(LOAD_DATASET, REPO, *sets, home="other", HF_HUB_OFFLINE="1")
    assert offline.stdout == table.stdout, offline.stderr


@pytest.mark.slow
def test_the_story_of_a_small_release(hub: HubServer, run: Run, release: Path) -> None:
    publish_change_load_and_stop(hub, run, release, lambda: make_release(release, {"image": 1}))


def test_exit_codes_and_messages(hub: HubServer, run: Run, release: Path) -> None:
    planned = run(PUSH_FEATURES, release, REPO, "--version", "1.0.0", "--dry-run")
    assert planned.returncode == 0
    assert "data/image/part-00000.parquet" in planned.stdout
    assert REPO not in hub.api.repositories
    wrong = run(PUSH_FEATURES, release, REPO, "--version", "one")
    assert (wrong.returncode, wrong.stderr[:6]) == (2, "error:")
    hub.faults.append(Fault("POST", "/repos/create", status=403))
    assert run(PUSH_FEATURES, release, REPO, "--version", "1.0.0").returncode == 4


def test_verify_and_withdraw(hub: HubServer, run: Run, release: Path) -> None:
    push(release, REPO, "1.0.0", api=client(hub))
    whole = run(ALIGNREC, "verify", f"{REPO}@1.0.0", "--json")
    assert json.loads(whole.stdout)["release_id"] == Manifest.read(release).release_id
    assert run(ALIGNREC, "verify", release).returncode == 0
    (release / "metrics.json").write_text("{}")
    assert run(ALIGNREC, "verify", release).returncode == 3
    command = ("withdraw", f"{REPO}@1.0.0", "--reason", "wrong images")
    assert run(ALIGNREC, *command, stdin="n\n").returncode == 1
    assert "v1.0.0" in hub.repository(REPO).tags
    assert run(ALIGNREC, *command, stdin="y\n").returncode == 0
    gone = run(ALIGNREC, "verify", f"{REPO}@1.0.0")
    assert (gone.returncode, "wrong images" in gone.stderr) == (3, True)


@pytest.mark.slow
def test_killed_at_ten_random_moments_the_next_call_heals(
    hub: HubServer, release: Path, tmp_path: Path
) -> None:
    push(release, REPO, "1.0.0", api=client(hub))
    possible = [(number, when) for number in range(len(hub.log)) for when in ("before", "after")]
    moments = random.Random(3).sample(possible, 10)
    states = set()
    for moment, (number, when) in enumerate(moments):
        name, home = f"team/killed-{moment}", tmp_path / f"home-{moment}"
        command = [sys.executable, "-c", PUSH_FEATURES, str(release), name, "--version", "1.0.0"]
        process = subprocess.Popen(command, env=environment(hub.url, home), stderr=subprocess.DEVNULL)
        kill = lambda *body, process=process: (os.kill(process.pid, signal.SIGKILL), *body)[-1]  # noqa: E731
        fault = Fault(".*", "", skip=number)
        setattr(fault, "before" if when == "before" else "answer", kill)
        hub.faults.append(fault)
        assert process.wait(60) == -signal.SIGKILL
        stored = hub.api.repositories.get(name)
        states.add((len(stored.commits), bool(stored.tags)) if stored else None)
        again = push(release, name, "1.0.0", api=client(hub))
        stored = hub.repository(name)
        assert stored.tags == {"v1.0.0": again.commit}
        assert sum(c.title.startswith("Publish") for c in stored.commits.values()) == 1
        files = stored.commits[str(again.commit)].files
        assert all(files[e.path].sha256 == e.sha256 for e in Manifest.read(release).files)
    assert len(states) > 1  # the moments differ in what the killed process left


@pytest.mark.slow
def test_the_story_of_ml100k(hub: HubServer, run: Run, ml100k: Path, tmp_path: Path) -> None:
    config, env = tmp_path / "alignrec.yaml", environment(hub.url, tmp_path / "home")
    items = f"{{path: {ml100k}/items.jsonl, id: item_id, image: image, text: '{{title}} ({{year}})'}}"
    rest = f"name: ml100k\nout: {tmp_path}/run\nexport: {{license: other, sets: [image, text]}}\n"
    config.write_text(f"catalog:\n  items: {items}\n{rest}")
    finished = run_python(ALIGNREC, env, "run", "-c", str(config), timeout=900)
    assert finished.returncode == 0, finished.stderr
    release = Path(finished.stdout.strip().splitlines()[-1])

    def change() -> None:
        config.write_text(config.read_text().replace("({year})", "of {year}"))
        assert run_python(ALIGNREC, env, "run", "-c", str(config)).returncode == 0

    publish_change_load_and_stop(hub, run, release, change)


@pytest.mark.slow
def test_the_command_that_the_demo_ends_with(hub: HubServer, run: Run, demo: FinishedDemo) -> None:
    command = next(line.split() for line in demo.printed.splitlines() if line.startswith("  alignrec push"))
    arguments = [word.replace("YOUR-NAME", "team") for word in command[1:]]
    published = run(ALIGNREC, *arguments)
    assert published.returncode == 0, published.stderr
    assert "v1.0.0" in hub.repository("team/demo-features").tags
    assert run(ALIGNREC, "verify", "team/demo-features@1.0.0").returncode == 0
