"""The pretrain stage: the multimodal encoder and the vectors it gives, resumable at every epoch."""

from __future__ import annotations

from collections.abc import Mapping

from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain.pretraining import Pretrained, pretrain
from alignrec.core.features import FeatureSet
from alignrec.core.files import digest, replacing_folder
from alignrec.core.vocabulary import MULTIMODAL
from alignrec.pipeline.catalog.items import STAGE as EXTRACTION
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.checkpoint import Checkpoint, resumable
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.curves import write_records
from alignrec.pipeline.runner.disk import check_disk
from alignrec.pipeline.runner.manifest import MANIFEST, StageManifest, list_files
from alignrec.pipeline.runner.run_folder import read_item_ids, write_set
from alignrec.pipeline.runner.stage import Before, Stage, Work
from alignrec.pipeline.runner.token_shards import read_inputs

STAGE = "pretrain"
ENCODER = f"encoder/{MULTIMODAL}"
# Counts up when the same inputs would give other bytes.
VERSION = 4
_CHECKPOINT_BYTES = 2**27


def content_parts(before: Before) -> dict[str, str]:
    """Hashes of what extraction made of the items, whoever interacted with them."""
    files = before.done[EXTRACTION].files
    items = {name: entry for name, entry in files.items() if name.startswith(("shards/", "items."))}
    return {"image and text features": digest(items)}


def settings_parts(config: Config) -> dict[str, str]:
    """Hashes of the settings that decide what pretraining makes of its input."""
    settings = config.pretrain.model_dump(mode="json")
    return {"pretrain version": str(VERSION), "pretrain settings": digest(settings), "seed": str(config.seed)}


def pretrain_resumably(
    inputs: Inputs, config: Config, checkpoint: Checkpoint, console: Console, title: str
) -> Pretrained:
    """Pretrain, from the checkpoint on if there is one, with a bar that shows the losses by direction."""
    state = checkpoint.load()
    done = 0 if state is None else len(state["curves"])
    if done:
        console.note(f"{title}: resuming after epoch {done}")
    with console.progress(title, config.pretrain.epochs) as advance:

        def show(epochs: int, losses: Mapping[str, float]) -> None:
            nonlocal done
            held_out = {name: loss for name, loss in losses.items() if name.startswith("held out ")}
            words = [f"{name.removeprefix('held out ')} {loss:.3f}" for name, loss in held_out.items()]
            advance(epochs - done, ", ".join(words))
            done = epochs

        return pretrain(inputs, config.pretrain, config.seed, state=state, save=checkpoint.save, advance=show)


def _plan(before: Before) -> Work:
    return resumable(STAGE, before, {**settings_parts(before.config), **content_parts(before)}, _run)


def _run(before: Before, parts: Mapping[str, str], checkpoint: Checkpoint, console: Console) -> StageManifest:
    config, source = before.config, before.folder(EXTRACTION)
    item_ids = read_item_ids(source)
    check_disk(config.run_folder, 4 * config.pretrain.dim * len(item_ids) + _CHECKPOINT_BYTES)
    inputs = read_inputs(source)
    trained = pretrain_resumably(inputs, config, checkpoint, console, STAGE)
    matrix, valid = trained.encoder.encode(inputs, config.pretrain.device)
    with replacing_folder(before.folder(STAGE)) as folder:
        write_set(FeatureSet(MULTIMODAL, item_ids, matrix, valid), folder / f"{MULTIMODAL}.arrow")
        (folder / ENCODER).mkdir(parents=True)
        trained.encoder.save_pretrained(folder / ENCODER)
        write_records(_curves(trained.curves, config.seed), folder / "curves.json")
        files = list_files(folder, [p for p in folder.rglob("*") if p.is_file()])
        summary = {
            "sets": {MULTIMODAL: {"dim": matrix.shape[1], "valid": int(valid.sum())}},
            "epochs": len(trained.curves),
        }
        manifest = StageManifest(STAGE, parts, files, summary)
        manifest.write(folder / MANIFEST)
    return manifest


def _curves(curves: list[dict[str, float]], seed: int) -> list[dict[str, object]]:
    """The records of losses named `loss.…` or `held out …`, for each epoch."""
    return [
        {"epoch": epoch, "metric": f"{name} loss", "value": value, "split": split, "seed": seed}
        for epoch, losses in enumerate(curves, start=1)
        for key, value in losses.items()
        for prefix, split in (("loss.", "train"), ("held out ", "held out"))
        if (name := key.removeprefix(prefix)) != key
    ]


def _tell(pretrained: StageManifest) -> list[str]:
    made = pretrained.summary["sets"][MULTIMODAL]
    epochs = pretrained.summary["epochs"]
    return [f"pretrain: {MULTIMODAL} {made['valid']:,} × {made['dim']} after {epochs} epochs"]


def _skip(config: Config) -> str:
    return "" if config.pretrains else "export.sets names raw sets alone; add multimodal to it."


PRETRAIN = Stage(STAGE, _plan, _tell, _skip)
