"""`alignrec demo`: a catalogue made on the spot, every stage on it, and what to type next."""

from __future__ import annotations

from pathlib import Path

import yaml

from alignrec.core.files import replacing_folder, write_bytes
from alignrec.core.vocabulary import TEXT
from alignrec.pipeline.demo.catalogue import make_catalogue
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.stages.chain import run
from alignrec.pipeline.stages.evaluate.tables import show_run

SETTINGS = {
    "name": "demo",
    "out": "run",
    "catalog": {
        "items": {"path": "catalogue/items.jsonl", TEXT: "{title}. {description}"},
        "interactions": {
            "path": "catalogue/interactions.csv",
            "rating": "rating",
            "timestamp": "timestamp",
            "min_rating": 4,
        },
    },
    "split": {"method": "random"},
    "evaluate": {"masked": [0.5]},
    "export": {"license": "cc0-1.0"},
}


def write_demo(out: Path, seed: int, console: Console) -> Path:
    """Draw the catalogue in `out`, if it is not there yet, and write its config, whose path is returned."""
    catalogue, stamp = out / "catalogue", out / "catalogue.seed"
    if not stamp.is_file() or stamp.read_text() != str(seed):
        console.note(f"drawing a catalogue with seed {seed} …")
        with replacing_folder(catalogue) as folder:
            make_catalogue(folder, seed=seed)
        write_bytes(stamp, str(seed).encode())
    config = out / "alignrec.yaml"
    write_bytes(config, yaml.safe_dump(SETTINGS | {"seed": seed}, sort_keys=False).encode())
    return config


def run_demo(out: Path, seed: int, console: Console) -> list[str]:
    """Make the catalogue in `out`, run every stage, and tell what there is to see.

    Args:
        out: a folder; an earlier demo with the same seed in it is resumed.
        seed: of the catalogue.
        console: where progress goes.

    Returns:
        The closing lines for the user.
    """
    config = write_demo(out, seed, console)
    result = run(config, console=console)
    show_run(RunFolder(result.folder), console)
    summary, release = result.stages["extract"].summary, result.release
    contents = result.stages["export"].summary["sets"]
    sets = ", ".join(f"{name} [{entry['dim']}]" for name, entry in contents.items())
    return [
        "",
        f"Made a release of {summary['items']} drawn products: {release}",
        f"  feature sets: {sets}",
        f"  rejected on purpose: {sum(summary['rejected'].values())} broken entries (data/rejected.parquet)",
        "Look at it:",
        f"  {result.folder / 'report.html'}   in a browser",
        f"  alignrec status -c {config}",
        f"  alignrec verify {release}",
        f'  python -c "from alignrec.export import load_features; '
        f"print(load_features('{release}', 'multimodal').matrix.shape)\"",
        "Publish it (private, until you say --public):",
        f"  push-features {release} YOUR-NAME/demo-features --version 1.0.0",
        "Then take your own catalogue: copy and change",
        f"  {config}",
    ]
