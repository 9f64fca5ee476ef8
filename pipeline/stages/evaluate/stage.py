"""The evaluate stage: what the features are worth, measured and saved."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from alignrec.aligner.inputs import Inputs
from alignrec.core.files import digest, replacing_folder, write_bytes
from alignrec.core.results import METRICS_FILE
from alignrec.core.vocabulary import ALIGNED, MULTIMODAL, USER
from alignrec.pipeline.catalog.items import STAGE as EXTRACTION
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.arrow_files import write_arrow
from alignrec.pipeline.runner.checkpoint import Checkpoint
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.manifest import MANIFEST, StageManifest, fingerprint, list_files
from alignrec.pipeline.runner.run_folder import read_set
from alignrec.pipeline.runner.stage import Before, Stage, Work, scratch_folder
from alignrec.pipeline.runner.token_shards import read_inputs
from alignrec.pipeline.stages.evaluate.full_evaluation import forget_pieces, whole_table
from alignrec.pipeline.stages.evaluate.metrics_file import metrics_bytes
from alignrec.pipeline.stages.evaluate.protocols import Judge, Matrix
from alignrec.pipeline.stages.evaluate.top_k import landmark_settings, recommendation
from alignrec.pipeline.stages.pretrain import STAGE as PRETRAINING
from alignrec.pipeline.stages.pretrain import content_parts, pretrain_resumably, settings_parts
from alignrec.pipeline.stages.split import make_split, split_parts
from alignrec.pipeline.stages.train import STAGE as TRAINING
from alignrec.pipeline.stages.train import training_parts

STAGE = "evaluate"
# Counts up when the same inputs would give other numbers.
VERSION = 3
# The part of a fingerprint that only a whole table has.
WHOLE = "seeds of the whole table"


def _plan(before: Before) -> Work:
    config = before.config
    parts = {
        "stage version": str(VERSION),
        "evaluate settings": digest(config.evaluate.model_dump(mode="json", exclude={"seeds", "full"})),
        **content_parts(before),
        **split_parts(config, before.done[EXTRACTION]),
    }
    if PRETRAINING in before.done:
        parts |= settings_parts(config) | {MULTIMODAL: digest(before.done[PRETRAINING].files)}
    if TRAINING in before.done:
        parts |= training_parts(before) | {"trained": digest(before.done[TRAINING].files)}
        parts["landmark settings"] = digest(landmark_settings(config).model_dump(mode="json"))
    whole = _seeds_of_the_table(before, parts)
    return Work(parts | whole, partial(_run, before, parts, whole))


def _seeds_of_the_table(before: Before, parts: Mapping[str, str]) -> dict[str, str]:
    """What a whole table adds to the fingerprint; nothing for a normal evaluation.

    A whole table that is there, of the same inputs and settings, serves a normal run too: it has all that a
    normal evaluation has, so it stays. A normal evaluation never serves where the whole table is asked for.
    """
    config, folder = before.config, before.folder(STAGE)
    if config.evaluate.full:
        return {WHOLE: digest(config.evaluate.seeds)}
    held = StageManifest.read(folder / MANIFEST)
    if held is None or WHOLE not in held.parts or held.damaged(folder):
        return {}
    whole = {WHOLE: held.parts[WHOLE]}
    return whole if held.parts == {**parts, **whole} else {}


def _run(
    before: Before, parts: Mapping[str, str], whole: Mapping[str, str], console: Console
) -> StageManifest:
    config, extracted = before.config, before.folder(EXTRACTION)
    made, inputs = make_split(config, extracted), read_inputs(extracted)
    pretrained = read_set(config.run_folder, MULTIMODAL).matrix if PRETRAINING in before.done else None
    judge = Judge(made, config)
    console.note("evaluate: zero-shot and item-CF")
    records = judge.intermediate(inputs, {} if pretrained is None else {MULTIMODAL: pretrained})
    if config.evaluate.masked:
        records += judge.masked(inputs, pretrained, partial(_pretrain_anew, before, parts, console))
    if whole:
        console.note("evaluate: the whole table")
        records += whole_table(before, made, parts, console)
    elif TRAINING in before.done:
        console.note("evaluate: recommendation, against landmarks")
        aligned, user = (read_set(config.run_folder, name) for name in (ALIGNED, USER))
        records += recommendation(made, config, aligned, user)
    with replacing_folder(before.folder(STAGE)) as folder:
        write_bytes(folder / METRICS_FILE, metrics_bytes(records, config))
        write_arrow(made.table(), folder / "split.arrow")
        summary = {
            "records": len(records),
            "users": made.split.users,
            "items": int(made.split.recommended.sum()),
        }
        manifest = StageManifest(
            STAGE, {**parts, **whole}, list_files(folder, list(folder.iterdir())), summary
        )
        manifest.write(folder / MANIFEST)
    if whole:
        forget_pieces(before)
    return manifest


def _pretrain_anew(
    before: Before, parts: Mapping[str, str], console: Console, left: Inputs, name: str
) -> Matrix:
    path = scratch_folder(before.config, STAGE) / f"{name.replace(' ', '-')}.pt"
    checkpoint = Checkpoint(path, fingerprint(name, parts))
    trained = pretrain_resumably(left, before.config, checkpoint, console, f"evaluate {name}")
    return trained.encoder.encode(left, before.config.pretrain.device)[0]


def _tell(evaluated: StageManifest) -> list[str]:
    s = evaluated.summary
    return [f"evaluate: {s['records']:,} numbers over {s['users']:,} users and {s['items']:,} items"]


def _skip(config: Config) -> str:
    return "" if config.interacts else "it has no interactions; name them under catalog.interactions."


EVALUATE = Stage(STAGE, _plan, _tell, _skip)
