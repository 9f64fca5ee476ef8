"""The configuration: one frozen model a section, unknown keys forbidden, a default for nearly all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeInt, PositiveInt, ValidationInfo, field_validator, model_validator

from alignrec.aligner.finetune.settings import FinetuneSettings
from alignrec.aligner.pretrain.settings import PretrainSettings
from alignrec.aligner.train.settings import TrainSettings
from alignrec.core.display import printable_line, shown
from alignrec.core.names import Name
from alignrec.core.protocols import THINNED
from alignrec.core.vocabulary import (
    ALIGNED,
    CONTENT,
    FEATURE_SETS,
    IMAGE,
    MODALITIES,
    MULTIMODAL,
    PAIR,
    TEXT,
    TRAINED_SETS,
    feature_set,
)
from alignrec.extractors.names import split_way
from alignrec.pipeline.config.catalog import CatalogConfig
from alignrec.pipeline.config.section import Section

Share = Annotated[float, Field(ge=0, le=1)]
FINETUNED = "beit3:"  # how names of models begin that can be fine-tuned
DRAWN = ("random", "new-items")  # methods of the split by which each seed cuts anew
LONGEST_ROW = 60  # characters of the name of another system's row


class SplitConfig(Section):
    """How interactions are cut into train, validation and test."""

    method: Literal["random", "temporal", "leave-one-out", "new-items", "mmrec"] = Field(
        "random",
        description="random: each user's at random; temporal: all users' at two moments; leave-one-out: each "
        "user's last two; new-items: all those of items drawn at random, beside a share of each user's; "
        "mmrec: as a file says",
    )
    ratios: tuple[float, float, float] = Field(
        (0.8, 0.1, 0.1), description="of train, validation and test; for random, temporal and new-items"
    )
    k_core: int = Field(5, ge=0, description="users and items with fewer interactions are left out")
    path: Path | None = Field(None, description="mmrec: the .inter file, with x_label")
    items: Path | None = Field(None, description="mmrec: tab-separated item ids and itemIDs, with a header")
    users: Path | None = Field(None, description="mmrec: tab-separated user ids and userIDs, with a header")

    @field_validator("ratios")
    @classmethod
    def _whole(cls, ratios: tuple[float, float, float]) -> tuple[float, float, float]:
        if min(ratios) < 0 or ratios[0] == 0 or abs(sum(ratios) - 1) > 1e-6:
            raise ValueError("expected three shares that add up to 1, train's above 0")
        return ratios

    @model_validator(mode="after")
    def _complete(self) -> SplitConfig:
        named = [name for name in ("path", "items", "users") if getattr(self, name) is not None]
        if len(named) != (3 if self.method == "mmrec" else 0):
            raise ValueError(
                f"method mmrec needs path, items and users, other methods none of them; got {self.method} "
                f"with {', '.join(named) or 'none'}"
            )
        return self


class ExtractConfig(Section):
    """The frozen models, and how they run."""

    image: str = Field("packaged:efficientnet-lite0", description="image model, scheme:name[@revision]")
    text: str = Field("packaged:all-minilm-l6-v2", description="text model, scheme:name[@revision]")
    audio: str = Field("signal:log-mel", description="audio model, scheme:name[@revision]")
    pair: str | None = Field(None, description="model that reads image and text together, such as beit3:PATH")
    max_rejected: float = Field(0.05, ge=0, le=1, description="share of unusable inputs that stops a run")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="bfloat16 where the device has instructions for it, else float32"
    )
    batch_size: int | None = Field(None, gt=0, description="default: the model's own choice for its device")
    workers: int | None = Field(None, ge=0, description="threads that read and decode; default: one a core")


class EvaluateConfig(Section):
    """What is measured."""

    k: tuple[PositiveInt, ...] = Field((10, 20), min_length=1, description="lengths of the lists looked at")
    masked: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (),
        description="shares of items that lose a modality, before everything is pretrained anew; each share "
        "costs a pretraining for each modality, and in a full evaluation a training too",
    )
    thinned: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        (0.1, 0.2, 0.5),
        description="shares of each user's training interactions that are kept, to see what content is worth "
        "where little is known; each share costs the search of every landmark that is not trained, and at "
        "0.2 a full evaluation trains, too",
    )
    seeds: tuple[NonNegativeInt, ...] = Field(
        (1, 2, 3),
        min_length=1,
        description="of the trainings in a full evaluation, beside the run's own seed; and on each split of "
        "several",
    )
    splits: PositiveInt = Field(
        1,
        description="random splits to measure on and take together, the run's own among them; everything "
        "that depends on the split is trained anew on each",
    )
    exclude_valid: bool = Field(
        False, description="at test, leave validation positives out of the ranking; MMRec keeps them in"
    )
    full: bool = Field(False, description="measure every seed, landmark and ablation; as evaluate --full")
    rankings: dict[str, Path] = Field(
        {},
        description="top-k lists that other systems wrote on this run's split, by the name of their row; as "
        "evaluate --rankings NAME=FILE",
    )
    published: dict[str, tuple[Share, Share]] = Field(
        {},
        description="Recall@20 and NDCG@20 on test that others publish for this catalogue, by system: shown "
        "beside the run's own, and measured here in no way",
    )

    @field_validator("rankings", "published")
    @classmethod
    def _named(cls, rankings: dict[str, Any]) -> dict[str, Any]:
        for name in rankings:
            if not 0 < len(name) <= LONGEST_ROW or name != printable_line(name):
                raise ValueError(
                    f"{shown(name)}: expected a name of 1 to {LONGEST_ROW} printable characters on one line"
                )
        return rankings

    @field_validator("seeds", "masked", THINNED)
    @classmethod
    def _distinct(cls, values: tuple[float, ...], info: ValidationInfo) -> tuple[float, ...]:
        if len(set(values)) != len(values):
            what = "seeds" if info.field_name == "seeds" else "shares"
            raise ValueError(f"expected {what} that differ from one another")
        return values


class ExportConfig(Section):
    """What a release carries."""

    license: str | None = Field(None, description="licence of the features; needed before a push")
    sets: tuple[str, ...] | None = Field(
        None,
        description="feature sets to publish, fewer need fewer stages; default: all but user",
    )
    all_interactions: bool = Field(
        False,
        description="publish trained sets that have learned from all interactions, to serve with and not to "
        "measure; as run --all-interactions",
    )

    @field_validator("sets")
    @classmethod
    def _distinct(cls, sets: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if sets is None:
            return None
        if not sets or len(set(sets)) != len(sets):
            raise ValueError(f"expected distinct sets, got {shown(list(sets))}")
        return sets


class EngineConfig(Section):
    """Where extraction runs; `engine: ray` is short for `engine: {name: ray}`."""

    name: str = Field("local", description="local, ray (the extra alignrec[ray]), or an engine of a plugin")
    address: str | None = Field(
        None,
        description="of the Ray cluster, HOST:6379; default: RAY_ADDRESS, else the cluster that this machine "
        "is part of, else one that is started for the run",
    )
    workers: PositiveInt | None = Field(
        None,
        description="Ray processes that each hold a model; default: one a GPU, or one a machine where there "
        "is none",
    )


class Config(Section):
    """A whole run."""

    name: Name = Field("alignrec", description="names the run folder")
    out: Path | None = Field(None, description="run folder; default: runs/<name>")
    seed: int = Field(1, ge=0)
    plugins: tuple[Path, ...] = Field(
        (), description="Python files that add sources, models, landmarks, formats or stages of your own"
    )
    catalog: CatalogConfig
    split: SplitConfig = SplitConfig()
    finetune: FinetuneSettings | None = Field(
        None, description="fine-tune the beit3:PATH that extract names, on this catalogue, and extract by it"
    )
    extract: ExtractConfig = ExtractConfig()
    pretrain: PretrainSettings = PretrainSettings()
    train: TrainSettings = TrainSettings()
    evaluate: EvaluateConfig = EvaluateConfig()
    export: ExportConfig = ExportConfig()
    engine: EngineConfig = EngineConfig()

    @field_validator("engine", mode="before")
    @classmethod
    def _named_alone(cls, engine: Any) -> Any:
        return {"name": engine} if isinstance(engine, str) else engine

    @model_validator(mode="after")
    def _something_to_read(self) -> Config:
        if not self.modalities:
            raise ValueError(
                f"{' and '.join(f'catalog.items.{m}' for m in MODALITIES)} are null: an item needs one of "
                "them; name a column of pictures, or a text template"
            )
        return self

    @model_validator(mode="after")
    def _pairs_have_models(self) -> Config:
        for name, located in self.catalog.located.items():
            if located.type == PAIR and not (located.model or self.extract.pair):
                raise ValueError(
                    f"catalog.modalities.{name} is a {PAIR}, which no model reads by default: "
                    "set extract.pair, such as beit3:PATH"
                )
        return self

    @model_validator(mode="after")
    def _content_to_finetune_on(self) -> Config:
        if self.finetune is None:
            return self
        located = [self.catalog.located[name] for name in self.finetuned]
        columns = {one.columns for one in located if one.type in (IMAGE, PAIR)}
        templates = {one.template for one in located if one.type in (TEXT, PAIR)}
        models = {split_way(self._named_model(name).removeprefix(FINETUNED))[1] for name in self.finetuned}
        if not len(columns) == len(templates) == len(models) == 1 or max(map(len, columns | templates)) > 1:
            raise ValueError(
                f"finetune needs one checkpoint that reads one column of pictures and one text template: "
                f"give one {FINETUNED}PATH to {IMAGE} and {TEXT}, or to a {PAIR}; those that it reads here "
                f"have {len(models)} checkpoints, {len(columns)} columns and {len(templates)} templates"
            )
        return self

    @model_validator(mode="after")
    def _sets_can_be_made(self) -> Config:
        absent = [m for m in MODALITIES if m in self.sets and m not in self.modalities]
        if absent:
            raise ValueError(
                f"export.sets names {', '.join(absent)}, but catalog.items.{absent[0]} is null: "
                "take it out of export.sets"
            )
        known = (*self.modalities, *(name for name, entry in FEATURE_SETS.items() if not entry.raw))
        if set(self.sets) - set(known):
            raise ValueError(
                f"export.sets: expected sets out of {', '.join(known)}, got {shown(list(self.sets))}"
            )
        trained = [name for name in TRAINED_SETS if name in self.sets]
        if trained and not self.interacts:
            raise ValueError(
                f"export.sets names {', '.join(trained)}, but there is nothing to train on: "
                "set catalog.interactions, or take them out"
            )
        return self

    @model_validator(mode="after")
    def _time_is_known(self) -> Config:
        source = self.catalog.interactions
        if self.split.method == "temporal" and (source is None or source.timestamp is None):
            raise ValueError("split.method temporal needs catalog.interactions.timestamp, a column of times")
        return self

    @model_validator(mode="after")
    def _comparable(self) -> Config:
        if self.evaluate.rankings and not self.trains:
            raise ValueError(
                "evaluate.rankings is compared with what training recommends, and this config trains "
                f"nothing: let export.sets hold one of {', '.join(TRAINED_SETS)}, or leave it out"
            )
        return self

    @model_validator(mode="after")
    def _can_cut_again(self) -> Config:
        if self.evaluate.splits > 1 and (self.split.method not in DRAWN or not self.trains):
            raise ValueError(
                "evaluate.splits above 1 draws random splits anew and trains on each: it needs split.method "
                f"{' or '.join(DRAWN)}, and export.sets that hold one of {', '.join(TRAINED_SETS)}"
            )
        return self

    @model_validator(mode="after")
    def _more_than_one_to_mask(self) -> Config:
        if self.evaluate.masked and len(self.modalities) < 2:
            raise ValueError("evaluate.masked needs a catalogue of two modalities, such as images and texts")
        if self.evaluate.masked and any(one.type == PAIR for one in self.catalog.located.values()):
            raise ValueError(f"evaluate.masked cannot take away what a {PAIR} still holds: leave one out")
        return self

    @model_validator(mode="after")
    def _predicted_are_there(self) -> Config:
        known, predicted = dict.fromkeys((*MODALITIES, *self.modalities)), self.pretrain.predict or ()
        if set(predicted) - set(known):
            raise ValueError(
                f"pretrain.predict: expected modalities out of {', '.join(known)}, "
                f"got {shown(list(predicted))}"
            )
        return self

    @model_validator(mode="after")
    def _table_has_a_subject(self) -> Config:
        if self.evaluate.full and not self.trains:
            raise ValueError(
                "evaluate.full measures trainings, and this run has none: add aligned to export.sets, and "
                "catalog.interactions to learn from"
            )
        return self

    @model_validator(mode="after")
    def _something_to_retrain(self) -> Config:
        if self.export.all_interactions and not self.trains:
            raise ValueError(
                "export.all_interactions is for sets that learn from interactions, and export.sets names "
                f"none of {', '.join(TRAINED_SETS)}: add one, or leave it out"
            )
        return self

    @property
    def interacts(self) -> bool:
        """Whether the run knows who interacted with what."""
        return self.catalog.interactions is not None or self.split.method == "mmrec"

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that the catalogue has."""
        return tuple(self.catalog.located)

    def model_of(self, modality: str) -> str:
        """The name of the model that reads a modality: the fine-tuned one, where there is one."""
        name = self._named_model(modality)
        if self.finetune is None or modality not in self.finetuned:
            return name
        way, _ = split_way(name.removeprefix(FINETUNED))
        return f"{FINETUNED}{way}{self.run_folder / 'finetune'}"

    @property
    def finetuned(self) -> tuple[str, ...]:
        """The modalities whose model can be fine-tuned."""
        return tuple(name for name in self.modalities if self._named_model(name).startswith(FINETUNED))

    @property
    def published(self) -> str:
        """The name of the model that is fine-tuned, without a pooling."""
        return FINETUNED + split_way(self._named_model(self.finetuned[0]).removeprefix(FINETUNED))[1]

    def _named_model(self, modality: str) -> str:
        located = self.catalog.located[modality]
        return located.model or str(getattr(self.extract, located.type))

    @property
    def sets(self) -> tuple[str, ...]:
        """The feature sets that the release carries."""
        if self.export.sets is not None:
            return self.export.sets
        trained = (CONTENT, ALIGNED) if self.interacts else ()
        return (*self.modalities, MULTIMODAL, *trained)

    @property
    def pretrains(self) -> bool:
        """Whether any set of the release needs pretraining."""
        return any(not feature_set(name).raw for name in self.sets)

    @property
    def trains(self) -> bool:
        """Whether any set of the release needs training."""
        return any(name in TRAINED_SETS for name in self.sets)

    @property
    def run_folder(self) -> Path:
        """Where the stages write."""
        return self.out or Path("runs") / self.name
