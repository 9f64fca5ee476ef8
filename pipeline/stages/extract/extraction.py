"""What an extraction will do: its tables, its engine, and the work of each modality."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from alignrec.core.files import digest_of_each
from alignrec.extractors.errors import DeviceError
from alignrec.pipeline.catalog.contents import source_columns
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.interactions import Interactions
from alignrec.pipeline.catalog.items import Catalogue
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.engines.base import Engine, LoadedModel
from alignrec.pipeline.runner.arrow_files import table_sha256
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.extract.modality_job import ModalityJob


@dataclass(frozen=True)
class Extraction:
    """All that an extraction will do, known before it begins and without loading a model.

    Attributes:
        engine: what embeds.
        jobs: the modalities' work.
        hashes: of pictures and models, for the next plan.
    """

    config: Config
    catalogue: Catalogue
    interactions: Interactions | None
    engine: Engine
    jobs: list[ModalityJob]
    hashes: FileHashes

    def notes(self) -> list[str]:
        """How the tables and settings were understood, where that is not plain; each once."""
        interactions = self.interactions.notes if self.interactions else ()
        precision = (job.note for job in self.jobs if job.note)
        return list(dict.fromkeys([*self.catalogue.notes, *interactions, *precision]))

    def inputs(self) -> dict[str, Any]:
        """What decides the results."""
        inputs: dict[str, Any] = {
            "catalogue rows": [list(self.catalogue.item_ids), table_sha256(self.catalogue.rejections.table)]
        }
        for job in self.jobs:
            inputs[f"{job.name} model"] = job.settings
            inputs[f"{job.name} columns"] = [job.located.type, *source_columns(job.located)]
            inputs[f"{job.name} inputs"] = digest_of_each([item.item_id, item.content] for item in job.inputs)
        if self.interactions:
            rejected = table_sha256(self.interactions.rejections.table)
            inputs["interactions"] = [table_sha256(self.interactions.table), rejected]
        return inputs


def extraction_of(context: StageContext) -> Extraction:
    """What planning found."""
    assert context.plan is not None
    work: Extraction = context.plan.details
    return work


def load_job(engine: Engine, job: ModalityJob) -> LoadedModel:
    """Load a job's model, on the device that an earlier run chose if this machine has it.

    Raises:
        ExtractorError: it cannot be loaded.
    """
    item = job.typical_item() if job.tokens else None
    if job.model.device == "auto" and job.choice is not None:
        try:
            return engine.load(replace(job.model, device=job.choice.device), item)
        except DeviceError:  # the run was begun on another machine
            pass
    return engine.load(job.model, item)
