"""A whole run that takes seconds: features that are given, tiny trainings, every stage."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from alignrec.pipeline.cli.app import main
from tests.pipeline.catalogues import TINY_PRETRAINING

ITEMS, USERS = 40, 30
SETTINGS = {
    "name": "tiny",
    "out": "run",
    "catalog": {
        "items": {"path": "mmrec:given", "text": "{text}"},
        "interactions": {"path": "mmrec:given", "rating": "rating", "timestamp": "timestamp"},
    },
    "extract": {"image": "given:given/image_feat.npy", "text": "given:given/text_feat.npy"},
    "split": {"method": "random", "k_core": 1},
    "pretrain": TINY_PRETRAINING | {"epochs": 2},
    "train": {"dim": 8, "epochs": 2, "device": "cpu"},
    "evaluate": {"k": [2, 5], "masked": []},
    "export": {"sets": ["image", "text", "multimodal", "content", "aligned", "user"]},
}
# What no result depends on: times of files, and what was found when the report was last written.
CACHES = (".hashes.json", ".quality.json")


def write_tiny(folder: Path) -> Path:
    """A dataset with given features, and a config for a run of every stage; returns the config's path."""
    given = folder / "given"
    given.mkdir(parents=True)
    rng = np.random.default_rng(0)
    taken = [(user, item) for user in range(USERS) for item in rng.permutation(ITEMS)[:8]]
    lines = ["userID\titemID\trating\ttimestamp\tx_label"]
    lines += [f"{user}\t{item}\t{item % 5 + 1}\t{time}\t0" for time, (user, item) in enumerate(taken)]
    (given / "tiny.inter").write_text("\n".join(lines) + "\n")
    image = rng.normal(size=(ITEMS, 6)).astype(np.float32)
    image[3] = 0  # an item without a picture
    np.save(given / "image_feat.npy", image)
    np.save(given / "text_feat.npy", rng.normal(size=(ITEMS, 5)).astype(np.float32))
    config = folder / "alignrec.yaml"
    config.write_text(yaml.safe_dump(SETTINGS))
    return config


def command(*arguments: str | Path) -> int:
    """What a command exits with, called in this process as from a shell."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["alignrec", *map(str, arguments)])
        patch.delenv("ALIGNREC_DEBUG", raising=False)
        with pytest.raises(SystemExit) as end:
            main()
    return int(end.value.code or 0)


def contents(folder: Path) -> dict[str, bytes]:
    """The bytes of every file below a folder, by path; but for what only makes a next run quicker."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in CACHES)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def restore(saved: Path, folder: Path) -> None:
    """Make a folder what it was when it was saved."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(saved, folder)
