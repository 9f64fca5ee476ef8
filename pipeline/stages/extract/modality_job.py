"""One modality of an extraction: its model, its inputs, and the shards that they are cut into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from alignrec.core.files import digest
from alignrec.extractors.identity import ExtractorIdentity, FileHash
from alignrec.extractors.inputs.images import FULL
from alignrec.extractors.modality import KINDS, PAIR, Modality
from alignrec.extractors.precision import BFLOAT16, FLOAT32, has_bfloat16
from alignrec.extractors.registry import identify_extractor
from alignrec.pipeline.catalog.inputs import InputList
from alignrec.pipeline.config.catalog import ItemsConfig, ModalityConfig
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.engines.base import LoadedModel, Model, Unit
from alignrec.pipeline.runner.shards import Shard, plan

# Counts up when the same inputs would give other bytes.
VERSION = 3
# The same for those in bfloat16 alone: 1 left weights in float32, 2 had all of EfficientNet-Lite0 so, 3
# the convolutions of waveforms.
BFLOAT16_VERSION = 4


@dataclass(frozen=True)
class Choice:
    """What `auto` and an absent batch size came to on the machine where an extraction began.

    A later run goes on with the same, so that its shards fit, and needs no model to know them.

    Attributes:
        model: hash of the model's identity; a choice for another one is void.
        device: `cpu` or `cuda`.
        batch_size: items a batch.
        asked: the precision that the config asked for; the one that ran is part of the model's identity.
    """

    model: str
    device: str
    batch_size: int
    asked: str = FLOAT32

    @classmethod
    def of_record(cls, record: Any) -> Choice | None:
        """The choice that `asdict` wrote; None for anything else."""
        try:
            asked = str(record.get("asked", FLOAT32))
            return cls(str(record["model"]), str(record["device"]), int(record["batch_size"]), asked)
        except (AttributeError, TypeError, KeyError, ValueError):
            return None


@dataclass(frozen=True)
class ModalityJob:
    """One modality of the catalogue and what embeds it.

    Attributes:
        model: which one, on the device that the config names.
        inputs: all there is to embed, in the catalogue's order.
        tokens: whether shards keep token sequences.
        batch_size: as the config has it; None for the model's own.
        located: where the config finds it in the items table.
        asked: the precision that the config asks for; the identity has the one that runs.
        choice: device and batch size, as far as they are known without loading the model.
    """

    model: Model
    inputs: InputList
    tokens: bool
    batch_size: int | None
    located: ModalityConfig
    asked: str = FLOAT32
    choice: Choice | None = None

    @property
    def name(self) -> str:
        """The modality's."""
        return self.model.modality.name

    @property
    def fingerprint(self) -> str:
        """Hash of the model's identity."""
        return digest(self.model.identity.record())

    @property
    def settings(self) -> dict[str, Any]:
        """What decides the vectors, as it was asked for: what machines choose is not part of it."""
        asked = {"device": self.model.device.partition(":")[0], "batch_size": self.batch_size}
        return {"identity": self.model.identity.record(), "tokens": self.tokens, **asked, **self._version}

    @property
    def note(self) -> str:
        """What became of the precision, where it is not the one asked for; "" where it is."""
        if self.asked == self.model.identity.precision:
            return ""
        return (
            f"extract.precision: {self.asked} is for processors with avx512_bf16, amx_bf16 or ARM's bf16 and "
            f"for GPUs; this run was begun without, and computes in {self.model.identity.precision}"
        )

    @property
    def _version(self) -> dict[str, int]:
        """Nothing of a job in float32, so that what older versions embedded so stays done."""
        half = self.model.identity.precision == BFLOAT16
        return {"bfloat16 version": BFLOAT16_VERSION} if half else {}

    @cached_property
    def shards(self) -> list[Shard]:
        """The inputs in shards; the choice must be known."""
        assert self.choice is not None
        recipe = {"stage": "extract", "version": VERSION, "tokens": self.tokens, **asdict(self.choice)}
        del recipe["asked"]
        return plan(self.inputs, recipe | self._version)

    def chosen(self, loaded: LoadedModel) -> ModalityJob:
        """The job once its model is loaded; a batch size that is known already stays."""
        size = self.batch_size
        if size is None:
            known = self.choice is not None and self.choice.device == loaded.device
            size = self.choice.batch_size if known and self.choice else loaded.batch_size
        return replace(self, choice=Choice(self.fingerprint, loaded.device, size, self.asked))

    def units(self, shards: list[Shard], items: ItemsConfig, folder: Path) -> list[Unit]:
        """Units that embed some of the shards, on the device that was chosen."""
        assert self.choice is not None
        model, size = self.model, self.choice.batch_size
        if model.device == "auto":
            model = replace(model, device=self.choice.device)
        return [
            Unit(shard, model, size, self.tokens, items, folder, self.located.columns) for shard in shards
        ]

    def typical_item(self) -> Any:
        """An item whose tokens are as many as most items': the text of middle length, or blank content."""
        kind, text = self.model.modality.kind, self.inputs.middle_text()
        if kind is PAIR and kind.blank and text is not None:
            return replace(kind.blank(), text=text)
        return text if text is not None else kind.blank() if kind.blank else None

    def bytes_an_item(self, loaded: LoadedModel) -> int:
        """Roughly what an item takes on disk: its vector, and a typical item's tokens if they are kept."""
        return 4 * loaded.card.dim + (2 * loaded.card.token_dim * loaded.tokens if self.tokens else 0)


def make_job(
    config: Config,
    name: str,
    inputs: InputList,
    sha256: FileHash,
    recorded: Mapping[str, Any],
    *,
    exactly: bool = False,
    in_full: bool = False,
) -> ModalityJob:
    """Find a modality's model, without loading it.

    Args:
        config: of the run.
        name: the modality.
        inputs: of the modality.
        sha256: hashes the model's files.
        recorded: choices of an earlier run, by modality.
        exactly: run in the precision that is asked for, even where the device has no instructions for it.
        in_full: decode every picture in full, however large, as earlier versions did.

    Raises:
        ExtractorError: what is wrong with the model.
    """
    settings, located = config.extract, config.catalog.located[name]
    modality, model_name = Modality(name, KINDS[located.type]), config.model_of(name)
    asked, choice = settings.precision, Choice.of_record(recorded.get(name))
    identity = identify_extractor(model_name, modality, precision=asked, sha256=sha256)
    if in_full:
        identity = replace(identity, decoding=FULL)
    if asked == BFLOAT16 and not exactly:
        identity = _runnable(identity, choice, settings.device)
    model = Model(model_name, modality, identity, settings.device, config.plugins, emulate=exactly)
    job = ModalityJob(model, inputs, config.pretrains, settings.batch_size, located, asked)
    if choice is not None and choice.model != job.fingerprint:
        choice = None
    device = choice.device if choice and settings.device == "auto" else settings.device.partition(":")[0]
    size = settings.batch_size or (choice.batch_size if choice and choice.device == device else None)
    if device == "auto" or size is None:
        return job
    return replace(job, choice=Choice(job.fingerprint, device, size, asked))


def _runnable(identity: ExtractorIdentity, choice: Choice | None, device: str) -> ExtractorIdentity:
    """The identity in the precision that an earlier run chose for bfloat16, or else that of this machine."""
    exact = replace(identity, precision=FLOAT32)
    for one in (identity, exact):
        if choice is not None and choice.asked == BFLOAT16 and choice.model == digest(one.record()):
            return one
    return identity if has_bfloat16(device) else exact
