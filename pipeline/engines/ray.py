"""The Ray engine: Ray Data hands units to workers of a cluster, each with a model that stays loaded.

A worker is an actor that runs the local engine: reading and decoding, computing and writing overlap in it as
on one machine, and give the same bytes. What travels is references: decoded inputs, many times the size of
their files, stay in the process that reads them. Ray Data gives a worker no more than it can soon do, and a
lost worker's units to others.
"""

from __future__ import annotations

import logging
import os
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any

from alignrec.core.libraries import library_versions
from alignrec.core.sealed import is_whole
from alignrec.pipeline.config.settings import EngineConfig
from alignrec.pipeline.engines.base import Engine, LoadedModel, Model, Timing, Unit, silently
from alignrec.pipeline.engines.local import LocalEngine
from alignrec.pipeline.engines.ray_address import check_address
from alignrec.pipeline.errors import EngineError
from alignrec.pipeline.runner.console import Advance

# Units that a worker takes at a time, one being read while another is computed; fewer where there are few, so
# that each worker has so many turns.
MOST_UNITS, TURNS = 8, 4
# How often units go to another worker when theirs is lost: those that take their worker along must end.
RETRIES = 3


class RayEngine(Engine):
    """A cluster whose machines see the same files under the same paths."""

    name = "ray"

    def __init__(self, address: str | None = None, workers: int | None = None) -> None:
        """Connect to nothing yet.

        Args:
            address: of the cluster, as `ray.init` has it.
            workers: how many; default one a GPU, or one a machine where there is none.
        """
        self._address, self._workers = address, workers
        self._connected = False

    def configured(self, settings: EngineConfig) -> RayEngine:
        """See `Engine.configured`."""
        return RayEngine(settings.address, settings.workers)

    def load(self, model: Model, item: Any = None) -> LoadedModel:
        """See `Engine.load`; it stays loaded as long as Ray keeps the process."""
        ray, pool = self._connect(), self._pool(model.device)
        task = ray.remote(num_cpus=pool.cpus, num_gpus=pool.gpus, max_retries=RETRIES)(_load)
        with _own_errors():
            loaded: LoadedModel = ray.get(task.remote(model, item, Path.cwd()))
        return loaded

    def run(
        self,
        units: Sequence[Unit],
        *,
        workers: int | None = None,
        advance: Advance = silently,
    ) -> Timing:
        """See `Engine.run`; `workers` are threads of each worker, by default one a core that it has.

        Raises:
            EngineError: a worker does not see the run's folder, has other versions of the libraries that
                decide bytes, or was lost too often.
        """
        started, timing = time.perf_counter(), Timing()
        ray, pool = self._connect(), self._pool(units[0].model.device)
        units[0].folder.mkdir(parents=True, exist_ok=True)
        size = min(MOST_UNITS, ceil(len(units) / (TURNS * pool.size)))
        turns = [{"turn": _Turn(tuple(units[i : i + size]))} for i in range(0, len(units), size)]
        results = ray.data.from_items(turns, override_num_blocks=len(turns)).map(
            _Worker,
            fn_constructor_args=(pool.cpus if workers is None else workers, Path.cwd()),
            compute=ray.data.ActorPoolStrategy(size=pool.size),
            num_cpus=pool.cpus,
            num_gpus=pool.gpus,
            max_task_retries=RETRIES,
        )
        results.context.enable_progress_bars = False
        results.context.raise_original_map_exception = True
        with _own_errors():
            for result in results.iter_rows():
                items = result.pop("items")
                for name, seconds in result.items():
                    setattr(timing, name, getattr(timing, name) + seconds)
                advance(items, timing.note)
        timing.wall = time.perf_counter() - started
        return timing

    def close(self) -> None:
        """Leave the cluster, and stop it if `load` or `run` started it."""
        if self._connected:
            _import_ray().shutdown()
            self._connected = False

    def _connect(self) -> Any:
        """Ray, connected; a connection that a caller made is used and left alone.

        Raises:
            EngineError: Ray is not installed, or there is no cluster at the address.
        """
        ray = _import_ray()
        if not ray.is_initialized():
            address = self._address or os.environ.get("RAY_ADDRESS")
            try:
                check_address(address)
                ray.init(self._address, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
            except Exception as error:  # Ray raises no narrower kind where a cluster cannot be started
                raise EngineError(
                    f"Ray cannot be reached or started at {address or 'this machine'} ({error}): start a "
                    "cluster with `ray start`, or name another with engine.address"
                ) from error
            self._connected = True
        return ray

    def _pool(self, device: str) -> _Pool:
        nodes = [node["Resources"] for node in _import_ray().nodes() if node["Alive"]]
        return _Pool.on([node for node in nodes if node.get("CPU", 0) >= 1], device, self._workers)


@dataclass(frozen=True)
class _Pool:
    """Workers, and what each takes of its machine."""

    size: int
    cpus: int
    gpus: int

    @classmethod
    def on(cls, machines: Sequence[dict[str, float]], device: str, workers: int | None) -> _Pool:
        """Workers that share the machines, by Ray's names of their resources.

        Raises:
            EngineError: there is no machine for them.
        """
        with_gpu = [machine for machine in machines if machine.get("GPU", 0) >= 1]
        gpus = device.partition(":")[0] == "cuda" or (device == "auto" and bool(with_gpu))
        usable = with_gpu if gpus else machines
        if not usable:
            raise EngineError(
                f"no machine of the Ray cluster has a {'GPU' if gpus else 'CPU'} to give: see `ray status`"
            )
        size = workers or (sum(int(machine["GPU"]) for machine in usable) if gpus else len(usable))
        here = ceil(size / len(usable))
        return cls(size, max(1, int(min(machine["CPU"] for machine in usable)) // here), int(gpus))


@dataclass(frozen=True)
class _Turn:
    """Units that a worker takes at a time."""

    units: tuple[Unit, ...]


class _Worker:
    """Runs in a process of the cluster: a local engine, whose model stays loaded."""

    def __init__(self, threads: int, folder: Path) -> None:
        self._threads, self._engine = threads, LocalEngine()
        _stand_in(folder)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        units = row["turn"].units
        # A lost worker's turn is taken anew: what it had finished stays.
        left = [unit for unit in units if not (unit.path.is_file() and is_whole(unit.path))]
        timing = Timing()
        if left:
            _check(left[0].model)
            if not left[0].folder.is_dir():
                raise EngineError(
                    f"a worker on {platform.node()} does not see {left[0].folder}: put the run folder (out) "
                    "and the catalogue on a file system that every machine sees under the same path"
                )
            timing = self._engine.run(left, workers=self._threads)
        return {"items": sum(len(unit.shard.inputs) for unit in units), **asdict(timing)}


def _load(model: Model, item: Any, folder: Path) -> LoadedModel:
    """What a worker says of a model."""
    _stand_in(folder)
    _check(model)
    return LocalEngine().load(model, item)


def _stand_in(folder: Path) -> None:
    """Relative paths start where the caller's do."""
    if folder.is_dir():
        os.chdir(folder)


def _check(model: Model) -> None:
    """Compare this machine's libraries with those that the run was planned with."""
    here = library_versions(model.identity.libraries)
    for name, version in model.identity.libraries.items():
        if here[name] != version:
            raise EngineError(
                f"{model.name}: a worker on {platform.node()} has {name} {here[name]}, and the run was "
                f"planned with {version}: install the same versions on every machine"
            )


def _import_ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise EngineError(f"engine: ray needs Ray ({error}): pip install 'alignrec[ray]'") from None
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    return ray


@contextmanager
def _own_errors() -> Iterator[None]:
    """Raise what a worker raised, as it raised it.

    Raises:
        EngineError: Ray itself gave up.
    """
    from ray.exceptions import RayError, RayTaskError

    try:
        yield
    except RayTaskError as error:
        raise error.cause from error
    except RayError as error:
        reason = str(error).strip().partition("\n")[0]
        raise EngineError(
            f"Ray gave up ({type(error).__name__}: {reason}): the shards that are done stay, and the same "
            "command goes on. Why a worker died is in Ray's logs, by default below /tmp/ray"
        ) from error


ENGINE = RayEngine()
