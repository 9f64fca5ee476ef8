"""What a run leaves a caller with: one document for a script, and the next command for a person."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alignrec.core.recommendation import recommendations
from alignrec.export.hub.published_as import publishing_command
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.report.verdict import verdicts
from alignrec.pipeline.runner.run_folder import EVALUATE, RunFolder
from alignrec.pipeline.stages.chain import EXPORT, REPORT, RunResult

DEFAULT_CONFIG = Path("alignrec.yaml")


def run_document(config: Config, result: RunResult, following: str) -> dict[str, Any]:
    """A finished run as JSON values.

    Args:
        config: of the run.
        result: what it left.
        following: see `next_command`.

    Returns:
        `name`, `folder`, `report`, `next`, and

        - `stages`: in their order, each `stage`, `state` (`made` or `up to date`), `seconds` and `counts`;
        - `release`: its `folder` and `release_id`; None where the run stopped before it;
        - `verdicts`, weightiest first, each `protocol`, `outcome` (`helped`, `hurt` or `open`), `headline`
          and `sentence`; and `recommendations`, each `use`, `choice`, `headline` and `sentence`: none where
          nothing was evaluated.
    """
    run = RunFolder(result.folder)
    evaluated = EVALUATE in result.stages
    results, pooled = (run.results(), run.pooled_results()) if evaluated else (None, None)
    return {
        "name": config.name,
        "folder": str(result.folder),
        "stages": [
            {
                "stage": name,
                "state": "made" if name in result.renewed else "up to date",
                "seconds": round(result.seconds[name], 3),
                "counts": _counts(manifest.summary),
            }
            for name, manifest in result.stages.items()
        ],
        "release": None
        if result.release is None
        else {
            "folder": str(result.release),
            "release_id": result.stages[EXPORT.name].summary["release_id"],
        },
        "verdicts": [] if results is None else [asdict(one) for one in verdicts(results)],
        "recommendations": []
        if results is None
        else [asdict(one) for one in recommendations(results, pooled)],
        "report": str(result.folder / REPORT.result),
        "next": following,
    }


def next_command(config: Config, file: Path, overrides: Sequence[str], result: RunResult) -> str:
    """What to type after a run: the rest of the run, what publishes its release, or what checks that.

    A release that was published before, as its neighbour notes, is proposed to the same repository under
    the version that it deserves.

    Args:
        config: of the run.
        file: the config's.
        overrides: with which it was read.
        result: what the run left.
    """
    again = ["alignrec", "run", *([] if file == DEFAULT_CONFIG else ["-c", str(file)])]
    again += [word for override in overrides for word in ("-o", override)]
    if result.release is None:
        return shlex.join(again)
    if config.export.license is None:
        return shlex.join([*again, "-o", "export.license=YOUR-LICENCE"])
    return shlex.join(publishing_command(result.release, f"YOUR-NAME/{config.name}-features"))


def _counts(summary: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of a stage's summary, and of its sets the valid rows and the dimension."""
    found: dict[str, Any] = {}
    for name, value in summary.items():
        if name == "sets":
            found[name] = {one: {key: entry[key] for key in ("valid", "dim")} for one, entry in value.items()}
        elif _is_number(value) or (
            isinstance(value, Mapping) and value and all(map(_is_number, value.values()))
        ):
            found[name] = value
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
