"""What an engine is: it takes units of extraction, each of which a process anywhere can be handed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from alignrec.core.plugins import Registry
from alignrec.extractors.contract import ExtractorCard
from alignrec.extractors.identity import ExtractorIdentity
from alignrec.extractors.modality import Modality
from alignrec.pipeline.config.catalog import ItemsConfig
from alignrec.pipeline.config.settings import EngineConfig
from alignrec.pipeline.errors import ConfigError
from alignrec.pipeline.runner.console import Advance
from alignrec.pipeline.runner.shards import Shard, shard_path


@dataclass(frozen=True)
class Model:
    """Which model embeds, and how; not the model itself.

    Attributes:
        name: to load it by.
        modality: which of its sides is used.
        identity: what decides its values; a model of other content is refused.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        plugins: files that add what the name needs, for a process that has not loaded them.
        emulate: compute in bfloat16 even where the device has no instructions for it, slowly; else such a
            worker is refused.
    """

    name: str
    modality: Modality
    identity: ExtractorIdentity
    device: str = "auto"
    plugins: tuple[Path, ...] = ()
    emulate: bool = False


@dataclass(frozen=True)
class LoadedModel:
    """What only a loaded model tells.

    Attributes:
        card: of the extractor.
        device: the kind of device that it computes on, `cpu` or `cuda`.
        batch_size: its own choice for that device.
        tokens: how many tokens the item that was asked about has, 0 where none was.
    """

    card: ExtractorCard
    device: str
    batch_size: int
    tokens: int = 0


@dataclass(frozen=True)
class Unit:
    """A unit of extraction: a shard, the model that embeds it, and where its result goes.

    It refers to its inputs (a path, a row of the items table, a text) and to its model, holds neither, and
    can be pickled.

    Attributes:
        shard: the inputs.
        model: what embeds them.
        batch_size: items a batch; a batch never crosses a unit.
        tokens: keep token sequences too.
        items: the items table, for inputs that lie in it.
        folder: where the result goes, named after the shard.
        columns: of the items table that hold the modality's files; of all units of a run the same.
    """

    shard: Shard
    model: Model
    batch_size: int
    tokens: bool
    items: ItemsConfig
    folder: Path
    columns: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The file of its result."""
        return shard_path(self.folder, self.shard)


@dataclass
class Timing:
    """Seconds that an extraction spent.

    Attributes:
        reading: reading and decoding, summed over the workers.
        computing: in the model, summed over the batches that run side by side.
        writing: writing shards.
        no_input: standing still because no input was ready.
        no_result: standing still because the model was busy.
        wall: from beginning to end.
    """

    reading: float = 0.0
    computing: float = 0.0
    writing: float = 0.0
    no_input: float = 0.0
    no_result: float = 0.0
    wall: float = 0.0

    @property
    def bottleneck(self) -> str:
        """What to speed up first."""
        return "reading" if self.no_input > self.no_result else "computing"

    @property
    def note(self) -> str:
        """What stands behind the bar of an extraction under way."""
        return f"bottleneck: {self.bottleneck}"

    def describe(self, items: int) -> str:
        """One line that tells where the time of an extraction of so many items went."""
        advice = " (see extract.workers)" if self.bottleneck == "reading" else ""
        return (
            f"{items:,} in {self.wall:.1f} s ({items / self.wall:.0f}/s): reading {self.reading:.1f} s, "
            f"computing {self.computing:.1f} s, writing {self.writing:.1f} s, "
            f"waited for input {self.no_input:.1f} s; the bottleneck is {self.bottleneck}{advice}"
        )


def silently(count: int, note: str = "") -> None:
    """Show nobody how far an extraction has come."""


class Engine(ABC):
    """Runs units of extraction somewhere.

    The vectors of a unit depend on the unit alone, to the byte on the same kind of processor. A module holds
    an engine as an object, and imports torch inside its methods alone.

    Attributes:
        name: as a config has it.
    """

    name: ClassVar[str]

    def configured(self, settings: EngineConfig) -> Engine:
        """The engine as a config has it; without settings of its own, itself.

        Raises:
            ConfigError: it has no such setting.
        """
        for key in settings.model_fields_set - {"name"}:
            raise ConfigError(f"engine.{key} means nothing to the engine {self.name}: leave it out")
        return self

    @abstractmethod
    def load(self, model: Model, item: Any = None) -> LoadedModel:
        """Load a model where units will run, and say what it is like there; it stays loaded until `close`.

        Args:
            model: what to load.
            item: a decoded picture or sound, or a text, to count its tokens.

        Raises:
            ExtractorError: it cannot be loaded, its weights are not those of its identity, or its precision
                is not for the device.
        """

    @abstractmethod
    def run(
        self,
        units: Sequence[Unit],
        *,
        workers: int | None = None,
        advance: Advance = silently,
    ) -> Timing:
        """Embed units of one model and write each unit's result, whole or not at all.

        Args:
            units: what to do.
            workers: threads that read and decode, 0 for none; default one a core.
            advance: is given how many more inputs are done, and the timing's note so far.

        Raises:
            ExtractorError: see `load`.
            Whatever reading, the model or writing raise; a `RejectedError` rejects its input alone.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of the models."""


ENGINES = Registry(Engine, "engine", "alignrec.pipeline.engines")  # type: ignore[type-abstract]
