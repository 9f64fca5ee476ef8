"""A job: what was chosen is kept for its model alone, and decides the shards; what was asked for does not."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from alignrec.core.files import sha256_file
from alignrec.extractors.contract import ExtractorCard
from alignrec.pipeline.catalog.inputs import Input, InputList
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.engines.base import LoadedModel
from alignrec.pipeline.stages.extract.modality_job import Choice, ModalityJob, make_job
from tests.pipeline.catalogues import write_catalogue

INPUTS = InputList(Input(f"i{n}", n, "d" * 64, "a thing " * n) for n in range(1, 6))
CARD = ExtractorCard("a:b", "text", None, "0" * 64, 8, 4, {}, None)


def _job(folder: Path, *overrides: str, recorded: object = None) -> ModalityJob:
    config = load_config(write_catalogue(folder), overrides)
    return make_job(config, "text", INPUTS, sha256_file, {"text": recorded})


def test_what_is_not_known_yet_is_chosen_once_the_model_is_loaded(tmp_path: Path) -> None:
    job = _job(tmp_path)
    assert job.choice is None and (job.settings["device"], job.settings["batch_size"]) == ("auto", None)
    chosen = job.chosen(LoadedModel(CARD, "cpu", 8))
    assert chosen.choice == Choice(job.fingerprint, "cpu", 8)
    assert chosen.settings == job.settings
    assert [item for shard in chosen.shards for item in shard.inputs] == INPUTS
    [unit] = chosen.units(chosen.shards, load_config(tmp_path / "alignrec.yaml").catalog.items, tmp_path)
    assert (unit.model.device, unit.batch_size, unit.tokens) == ("cpu", 8, False)


def test_an_earlier_choice_is_kept_for_the_same_model_and_device(tmp_path: Path) -> None:
    fingerprint = _job(tmp_path).fingerprint
    record = asdict(Choice(fingerprint, "cuda", 256))
    assert _job(tmp_path, recorded=record).choice == Choice(fingerprint, "cuda", 256)
    assert _job(tmp_path, "extract.device=cpu", recorded=record).choice is None
    assert _job(tmp_path, "extract.batch_size=2", recorded=record).choice == Choice(fingerprint, "cuda", 2)
    known = ["extract.device=cpu", "extract.batch_size=2"]
    assert _job(tmp_path, *known).choice == Choice(fingerprint, "cpu", 2)
    assert _job(tmp_path, recorded=record | {"model": "other"}).choice is None
    for broken in (None, {}, [], {"model": 1, "device": "cpu", "batch_size": "many"}):
        assert _job(tmp_path, recorded=broken).choice is None


def test_a_choice_of_a_device_that_is_not_here_is_made_anew(tmp_path: Path) -> None:
    fingerprint = _job(tmp_path).fingerprint
    begun = _job(tmp_path, recorded=asdict(Choice(fingerprint, "cuda", 256)))
    assert begun.chosen(LoadedModel(CARD, "cuda", 128)).choice == Choice(fingerprint, "cuda", 256)
    assert begun.chosen(LoadedModel(CARD, "cpu", 8)).choice == Choice(fingerprint, "cpu", 8)


def test_decoding_in_full_is_another_identity_where_it_makes_a_difference(tmp_path: Path) -> None:
    config = load_config(write_catalogue(tmp_path))
    for name, differs in (("image", True), ("text", False)):
        usual, in_full = (
            make_job(config, name, INPUTS, sha256_file, {}, in_full=given) for given in (False, True)
        )
        assert in_full.model.identity.decoding == "full"
        assert (usual.fingerprint != in_full.fingerprint) is differs


def test_an_item_takes_its_vector_and_the_tokens_that_are_kept(tmp_path: Path) -> None:
    job, loaded = _job(tmp_path), LoadedModel(CARD, "cpu", 8, tokens=5)
    assert job.bytes_an_item(loaded) == 4 * 8
    with_tokens = _job(tmp_path, "export.sets=[multimodal]")
    assert with_tokens.bytes_an_item(loaded) == 4 * 8 + 2 * 4 * 5
    assert with_tokens.typical_item() == INPUTS[2].value
