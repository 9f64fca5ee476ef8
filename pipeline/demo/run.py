"""`alignrec demo`: a catalogue made on the spot, every stage on it, and what to type next."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import yaml

from alignrec.core.files import replacing_folder, write_bytes
from alignrec.core.vocabulary import AUDIO, IMAGE, TEXT
from alignrec.export.hub.published_as import publishing_command
from alignrec.extractors.modality import KINDS
from alignrec.pipeline.demo.catalogue import make_catalogue
from alignrec.pipeline.demo.faults import SOUND
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.stages.chain import run
from alignrec.pipeline.stages.evaluate.tables import show_run

SETTINGS: dict[str, Any] = {
    "name": "demo",
    "out": "run",
    "catalog": {
        "items": {"path": "catalogue/items.jsonl", IMAGE: IMAGE, TEXT: "{title}. {description}"},
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
MODALITIES = {SOUND: {"type": AUDIO, "columns": SOUND}}
# With sound, an epoch takes longer and there is a mask more; fewer epochs keep the demo as short.
EPOCHS_WITH_SOUND = 12


def write_demo(out: Path, seed: int, console: Console, *, sound: bool = False) -> Path:
    """Draw the catalogue in `out`, if it is not there yet, and write its config, whose path is returned.

    Raises:
        ExtractorError: with sound, what decodes sounds is not installed.
    """
    if sound:
        KINDS[AUDIO].check()
    catalogue, stamp = out / "catalogue", out / "catalogue.seed"
    drawn = f"{seed} with sound" if sound else str(seed)
    if not stamp.is_file() or stamp.read_text() != drawn:
        console.note(f"drawing a catalogue with seed {drawn} …")
        with replacing_folder(catalogue) as folder:
            make_catalogue(folder, seed=seed, sound=sound)
        write_bytes(stamp, drawn.encode())
    config = out / "alignrec.yaml"
    settings = demo_settings(sound=sound) | {"seed": seed}
    write_bytes(config, yaml.safe_dump(settings, sort_keys=False).encode())
    return config


def demo_settings(*, sound: bool = False) -> dict[str, Any]:
    """The demo's config but for its seed, as YAML has it."""
    if not sound:
        return SETTINGS
    return SETTINGS | {
        "catalog": SETTINGS["catalog"] | {"modalities": MODALITIES},
        "pretrain": {"epochs": EPOCHS_WITH_SOUND},
    }


def run_demo(out: Path, seed: int, console: Console, *, sound: bool = False) -> list[str]:
    """Make the catalogue in `out`, run every stage, and tell what there is to see.

    Args:
        out: a folder; an earlier demo with the same seed in it is resumed.
        seed: of the catalogue.
        console: where progress goes.
        sound: whether products have a sound too.

    Returns:
        The closing lines for the user.
    """
    config = write_demo(out, seed, console, sound=sound)
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
        f"  {shlex.join(publishing_command(result.folder / 'release', 'YOUR-NAME/demo-features'))}",
        "Then take your own catalogue: copy and change",
        f"  {config}",
    ]
