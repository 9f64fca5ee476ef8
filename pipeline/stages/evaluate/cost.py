"""What an evaluation takes, after one in which no landmark learned and every training had few epochs."""

from __future__ import annotations

from dataclasses import replace

from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput
from alignrec.aligner.landmarks.registry import landmarks_of
from alignrec.aligner.train.settings import TrainSettings
from alignrec.core.protocols import mask_protocol
from alignrec.core.vocabulary import MULTIMODAL
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.cost import Cost, Measured
from alignrec.pipeline.runner.run_folder import PRETRAIN, TRAIN
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.epochs import epochs_without_content
from alignrec.pipeline.stages.evaluate.landmark_cost import epochs_seconds, fit_cost
from alignrec.pipeline.stages.evaluate.landmark_input import landmark_input
from alignrec.pipeline.stages.pretrain import pretraining_epochs


def evaluation_cost(cost: Cost, rehearsal: StageContext, config: Config, measured: Measured) -> Cost:
    """The cost of all of it.

    Args:
        cost: of what was measured.
        rehearsal: that was made.
        config: of the run itself.
        measured: what the rehearsal took.
    """
    run = rehearsal.run
    pretrained = run.features(MULTIMODAL) if PRETRAIN in rehearsal.done else None
    split, masks = run.split().split, _mask_titles(config)
    for bar in measured.bars:
        if bar.title in masks:
            epochs = pretraining_epochs(config)
        else:
            epochs = epochs_without_content(run, config.train, config.seed)
        cost = cost.longer(*bar.more(epochs))
    data = landmark_input(rehearsal.config, split, config.seed, pretrained, run.inputs())
    for mark in landmarks_of(split.items, full=False):
        if pretrained is not None or not mark.needs_features:
            cost = _with_learning(cost, mark, data, rehearsal, config)
    return cost


def _with_learning(
    cost: Cost, mark: Landmark, data: LandmarkInput, rehearsal: StageContext, config: Config
) -> Cost:
    """The cost with that of a landmark's learning."""
    fits = int(TRAIN in rehearsal.done or bool(mark.rivals))
    if not mark.trained:
        one = fit_cost(mark, data)
        seconds = one.seconds * (fits + len(config.evaluate.thinned))
        return replace(cost.longer(seconds, seconds), memory=max(cost.memory, one.memory))
    if not fits:
        return cost
    own = mark.settings if isinstance(mark.settings, TrainSettings) else config.train
    settings = own.model_copy(update={"epochs": config.train.epochs})
    beside, epoch = epochs_seconds(mark, data)
    low, high = epochs_without_content(rehearsal.run, settings, config.seed)
    return cost.longer(beside + low * epoch, beside + high * epoch)


def _mask_titles(config: Config) -> set[str]:
    """Of the bars of trainings without a part of a modality."""
    return {
        f"evaluate {mask_protocol(modality)} {share:g}"
        for modality in config.modalities
        for share in config.evaluate.masked
    }
