"""Lets a disk fail at every stage of a tiny run; a process of its own, with `failing_disk.c` preloaded."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import io
import json
import sys
import traceback
from pathlib import Path

from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.stages.chain import needed
from tests.pipeline.tiny_runs import command, contents, restore, write_tiny

NUMBERS = (errno.ENOSPC, errno.EACCES, errno.EIO)
NEVER = 2**31


def attempt(library: ctypes.CDLL, config: Path, stage: str, place: int, number: int) -> tuple[int, int, str]:
    """Run up to a stage on a disk that fails from a write on; the writes, exit code and message."""
    errors = io.StringIO()
    library.arm(bytes(config.parent / "run"), ctypes.c_long(place), number)
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        try:
            code = command("run", "-q", "-c", config, "--until", stage)
        except BaseException:
            code = 1
            errors.write(traceback.format_exc())
        finally:
            writes = int(library.disarm())
    return writes, code, errors.getvalue()


def sweep(library: ctypes.CDLL, folder: Path, places: int) -> tuple[int, list[str]]:
    """Fail at up to so many places of each stage; how many there were, and what went wrong."""
    config = write_tiny(folder / "tiny")
    run, before = config.parent / "run", folder / "before"
    run.mkdir()
    cases, wrong = 0, []
    for stage in [stage.name for stage in needed(load_config(config), "export") if stage.name != "report"]:
        restore(run, before)
        writes, code, errors = attempt(library, config, stage, NEVER, 0)
        assert (code, errors) == (0, ""), errors
        wanted = contents(run)
        for place in sorted({1 + step * writes // places for step in range(places)}):
            number = NUMBERS[cases % len(NUMBERS)]
            cases += 1
            where = f"{stage}, write {place} of {writes}, {errno.errorcode[number]}"
            restore(before, run)
            _, code, errors = attempt(library, config, stage, place, number)
            clear = code == 2 and errors.startswith("error: ") and errors.count("\n") == 1
            if not clear:
                wrong.append(f"{where}: exit code {code}: {errors[-1500:]}")
            _, code, errors = attempt(library, config, stage, NEVER, 0)
            if code != 0 or contents(run) != wanted:
                wrong.append(f"{where}: afterwards exit code {code} and other files: {errors[-1500:]}")
                restore(before, run)
                attempt(library, config, stage, NEVER, 0)
    return cases, wrong


if __name__ == "__main__":
    print(json.dumps(sweep(ctypes.CDLL(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
