"""What an extraction will do: what decides its results, and the device of its models."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from alignrec.core.files import sha256_file
from alignrec.extractors.contract import ExtractorCard
from alignrec.extractors.errors import DeviceError, ExtractorError
from alignrec.pipeline.catalog.inputs import Input, InputList
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.engines.base import LoadedModel, Model
from alignrec.pipeline.engines.local import LocalEngine
from alignrec.pipeline.runner.runner import planned
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.extract.extraction import extraction_of, load_job
from alignrec.pipeline.stages.extract.modality_job import Choice, ModalityJob, make_job
from alignrec.pipeline.stages.extract.stage import STAGE
from tests.pipeline.catalogues import write_catalogue

CARD = ExtractorCard("a:b", "text", None, "0" * 64, 8, 4, {}, None)


class OnlyCpu(LocalEngine):
    """Knows no other device, and keeps what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def load(self, model: Model, item: Any = None) -> LoadedModel:
        self.asked.append(model.device)
        if model.device == "cuda":
            raise DeviceError("no GPU here")
        return LoadedModel(CARD, "cpu", 8)


def job_chosen_on(folder: Path, device: str, *overrides: str) -> ModalityJob:
    config = load_config(write_catalogue(folder), overrides)
    inputs = InputList([Input("i1", 1, "d" * 64, "a thing")])
    job = make_job(config, "text", inputs, sha256_file, {})
    return replace(job, choice=Choice(job.fingerprint, device, 8))


def test_a_device_chosen_on_another_machine_gives_way_to_what_is_here(tmp_path: Path) -> None:
    engine = OnlyCpu()
    assert load_job(engine, job_chosen_on(tmp_path, "cuda")).device == "cpu"
    assert engine.asked == ["cuda", "auto"]
    again = OnlyCpu()
    load_job(again, job_chosen_on(tmp_path, "cpu"))
    assert again.asked == ["cpu"]


def test_a_device_that_was_asked_for_gives_way_to_none(tmp_path: Path) -> None:
    with pytest.raises(ExtractorError, match="no GPU here"):
        load_job(OnlyCpu(), job_chosen_on(tmp_path, "cuda", "extract.device=cuda"))


def test_what_decides_results_changes_with_the_inputs(tmp_path: Path) -> None:
    config = load_config(write_catalogue(tmp_path))
    work = extraction_of(planned(StageContext(config, STAGE, {})))
    before = work.inputs()
    assert {"catalogue rows", "interactions", "text inputs", "image model"} <= set(before)
    assert all(not isinstance(value, Path) for value in before.values())
    fewer = replace(work, jobs=[replace(job, inputs=job.inputs[1:]) for job in work.jobs])
    changed = {name for name, value in fewer.inputs().items() if value != before[name]}
    assert changed == {"text inputs", "image inputs"}
    assert asdict(work.jobs[0].model.identity)["weights_sha256"] in str(before)
