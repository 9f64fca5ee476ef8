"""What planning an extraction takes in memory for each item, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

FEW, MANY = 4_000, 44_000
# An item's texts of 100 letters, hash and place take 250 bytes as columns; as objects they took 650.
MOST_BYTES_AN_ITEM = 500
PLAN = """
import sys
from pathlib import Path
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.runner.runner import planned
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.extract.stage import ExtractStage

planned(StageContext(load_config(Path(sys.argv[1])), ExtractStage(), {}))
lines = Path("/proc/self/status").read_text().splitlines()
print(next(line for line in lines if line.startswith("VmHWM")).split()[1])
"""


def _peak(folder: Path, items: int) -> int:
    """Bytes of a process that plans the extraction of so many items."""
    folder.mkdir()
    with (folder / "items.jsonl").open("w") as file:
        for number in range(items):
            text = f"the item of number {number}".ljust(100, ".")
            file.write(json.dumps({"id": f"item-{number:06d}", "text": text}) + "\n")
    catalogue = {"items": {"path": "items.jsonl", "id": "id", "image": None, "text": "{text}"}}
    (folder / "alignrec.yaml").write_text(yaml.safe_dump({"name": "a", "out": "run", "catalog": catalogue}))
    command = [sys.executable, "-c", PLAN, str(folder / "alignrec.yaml")]
    return 1024 * int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system tells no peak")
def test_an_item_of_a_plan_takes_little_memory(tmp_path: Path) -> None:
    few, many = (_peak(tmp_path / str(items), items) for items in (FEW, MANY))
    assert (many - few) / (MANY - FEW) < MOST_BYTES_AN_ITEM
