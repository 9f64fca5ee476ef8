"""The full evaluation: what is in it, that it outlives kills, how it stands beside a normal evaluation."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from alignrec.aligner.evaluate.baselines import lose
from alignrec.aligner.evaluate.bootstrap import interval
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.ranking import dot_scorer
from alignrec.aligner.evaluate.splits import TEST
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.landmarks.contract import LandmarkInput
from alignrec.aligner.landmarks.item_cf import ITEM_CF
from alignrec.aligner.landmarks.registry import LANDMARKS
from alignrec.aligner.pretrain.item_encoder import load_encoder
from alignrec.aligner.pretrain.pretraining import pretrain
from alignrec.aligner.train import visual_bpr
from alignrec.aligner.train.collaborative import collaborative
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.training import train
from alignrec.aligner.train.visual_bpr import vbpr
from alignrec.core.results import Results
from alignrec.export.release.scores import scores_of
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.errors import ConfigError
from alignrec.pipeline.report.verdict import verdicts
from alignrec.pipeline.runner.checkpoint import Checkpoint
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.runner.stage import Plan, StageContext
from alignrec.pipeline.stages.chain import run, status
from alignrec.pipeline.stages.evaluate import pieces as evaluation_pieces
from alignrec.pipeline.stages.evaluate.feature_sources import FeatureSources
from alignrec.pipeline.stages.evaluate.full_evaluation import full_pieces
from alignrec.pipeline.stages.evaluate.stage import STAGE
from alignrec.pipeline.stages.evaluate.trainings import Trainings
from tests.pipeline.catalogues import write_catalogue
from tests.pipeline.small_models import write_quick_catalogue

QUIET = Console(quiet=True)
NORMAL = [
    "export.sets=null",
    "evaluate={k: [2, 5], seeds: [4, 1]}",
    "train={dim: 8, epochs: 3, cca_weight: 0.1, similarity_weight: 0.1, device: cpu}",
]
FULL = [*NORMAL, "evaluate.full=true"]
SEEDS = (1, 4)  # the run's own first
VARIANTS = {
    "aligned without content",
    "aligned on shuffled content",
    "aligned in the paper's form",
    "aligned with BPR alone",
    "aligned in 64 dimensions",
    "aligned without ICA",
    "aligned without CCA",
    "aligned without UIA",
    "aligned without popularity",
    "aligned without zero-shot",
    "aligned without regularisation",
    "aligned without image",
    "aligned without text",
}
SOLVED = {"popularity", "item-CF", "EASE", "EASE with content"}
TRAINED_MARKS = {mark.name for mark in LANDMARKS.values() if mark.trained}
TRAINED = {"aligned", *TRAINED_MARKS, *VARIANTS}
UNTRAINED = {
    *("image", "text", "centred image", "centred text", "concatenation", "centred concatenation"),
    *("centred, image at half weight", "whitened concatenation", "whitened, components equal"),
    "whitened as content says",
}
# Methods on other features than their own, by the seed of their training.
COMPARED = {f"aligned on {name}": 1 for name in UNTRAINED}
COMPARED |= {f"VBPR on {name}": 1 for name in ("concatenation", "centred concatenation")}
COMPARED |= {
    f"{mark.name} on {name}": 1
    for mark in LANDMARKS.values()
    for name in ("multimodal", "centred concatenation")
    if mark.needs_modalities
}
UNSEEDED = {f"EASE with content on {name}" for name in ("concatenation", "centred concatenation")}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run up to training; its config."""
    config = write_quick_catalogue(tmp_path_factory.mktemp("trained"), items=24, users=30)
    run(config, "train", NORMAL, QUIET)
    return config


@pytest.fixture(scope="module")
def finished(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run with its full evaluation and a release."""
    config = _copy(trained, tmp_path_factory.mktemp("finished"))
    run(config, "export", FULL, QUIET)
    return config


@pytest.fixture
def own(trained: Path, tmp_path: Path) -> Path:
    return _copy(trained, tmp_path)


def _copy(config: Path, to: Path) -> Path:
    shutil.copytree(config.parent, to / "own")
    return to / "own" / config.name


def _metrics(config: Path) -> bytes:
    return (config.parent / "run" / "evaluate" / "metrics.json").read_bytes()


def _records(config: Path) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = json.loads(_metrics(config))["records"]
    return loaded


def _value(config: Path, **wanted: Any) -> dict[str, Any]:
    wanted = {"protocol": "top-k", "metric": "recall", "k": 5, "split": "test", "against": None} | wanted
    (found,) = [r for r in _records(config) if all(r[key] == value for key, value in wanted.items())]
    return found


def test_the_table_has_every_subject_under_every_seed(finished: Path) -> None:
    for protocol in ("top-k", "long-tail"):
        records = [r for r in _records(finished) if r["protocol"] == protocol and r["against"] is None]
        for subject in TRAINED:
            kinds = {(r["seed"], r["aggregate"]) for r in records if r["subject"] == subject}
            assert kinds == {(1, None), (4, None), (None, "mean"), (None, "std")}
        rest = {(r["subject"], r["seed"], r["aggregate"]) for r in records if r["subject"] not in TRAINED}
        assert rest == {(name, None, None) for name in SOLVED | UNSEEDED} | {
            (name, seed, None) for name, seed in COMPARED.items()
        }


def test_each_row_is_what_its_name_says(finished: Path) -> None:
    config, folder = load_config(finished, FULL), finished.parent / "run"
    catalogue, inputs = RunFolder(folder).split(), RunFolder(folder).inputs()
    bpr = TrainSettings.paper(epochs=3, device="cpu")
    settings = {
        "CCA": config.train.model_copy(update={"cca_weight": 0}),
        "popularity": config.train.model_copy(update={"popularity": (0.0,)}),
        "zero-shot": config.train.model_copy(update={"zero_shot": (0.0,)}),
        "regularisation": config.train.model_copy(update={"similarity_weight": 0}),
        "UIA": bpr.model_copy(update={"uia_weight": 0}),
    }
    one_change = {"with BPR alone": {"loss": "bpr"}, "in 64 dimensions": {"dim": 64, "members": 1}}

    def kinds_of(seed: int) -> dict[str, Any]:
        def encoded(kept: Inputs, **changes: Any) -> Any:
            changed = config.pretrain.model_copy(update=changes)
            return pretrain(kept, changed, seed).encoder.encode(kept)

        whole = encoded(inputs)
        order = np.random.default_rng(seed).permutation(len(whole[0]))
        features = {
            "ICA": encoded(inputs, epochs=0),
            "image": encoded({"text": inputs["text"]}),
            "text": encoded({"image": inputs["image"]}),
        }
        kinds = {f"aligned without {name}": (found, config.train) for name, found in features.items()}
        kinds |= {f"aligned without {name}": (whole, found) for name, found in settings.items()}
        for name, change in one_change.items():
            kinds[f"aligned {name}"] = (whole, config.train.model_copy(update=change))
        shuffled = (whole[0][order], whole[1][order])
        return kinds | {
            "aligned": (whole, config.train),
            "aligned in the paper's form": (whole, bpr),
            "aligned on shuffled content": (shuffled, config.train),
        }

    logs = [json.loads(path.read_bytes()) for path in (folder / "tune").glob("landmark-*.json")]
    assert {log["landmark"] for log in logs} == TRAINED_MARKS
    assert all(2 < len(log["trials"]) <= log["budget"] for log in logs)
    assert all(log["chosen"] in [trial["settings"] for trial in log["trials"]] for log in logs)
    multimodal = {
        log["landmark"]: log["chosen"] for log in logs if LANDMARKS[log["landmark"]].needs_modalities
    }
    tuned = {
        log["landmark"]: bpr.model_copy(update={"uia_weight": 0, **log["chosen"]})
        for log in logs
        if log["landmark"] not in multimodal
    }
    defined = json.loads(_metrics(finished))["definitions"]
    for name, found in tuned.items():
        layers = f"layers {found.layers}, " * (name == "LightGCN")
        rate = f"learning_rate {found.learning_rate:g}"
        words = f"dim {found.dim}, l2_weight {found.l2_weight:g}, {layers}{rate}: the"
        assert defined[f"settings of {name}"].startswith(words)
    for seed in SEEDS:
        kinds = kinds_of(seed)
        assert kinds.keys() == {"aligned", *VARIANTS} - {"aligned without content"}
        whole = kinds["aligned"][0]
        scorers = {
            "aligned without content": collaborative(catalogue.split, config.train, seed),
            "BPR-MF": collaborative(catalogue.split, tuned["BPR-MF"].model_copy(update={"layers": 0}), seed),
            "LightGCN": collaborative(catalogue.split, tuned["LightGCN"], seed),
            "VBPR": vbpr(*whole, catalogue.split, tuned["VBPR"], seed),
        }
        by_modality = {name: (given.pooled, given.valid) for name, given in inputs.items()}
        data = LandmarkInput(catalogue.split, modalities=by_modality, seed=seed, epochs=3, device="cpu")
        for name, chosen in multimodal.items():
            scorers[name] = LANDMARKS[name].fit(replace(data, chosen=chosen))
        for name, ((matrix, valid), chosen) in kinds.items():
            done = train(matrix, valid, catalogue.split, chosen, seed)
            scorers[name] = dot_scorer(done.user, done.aligned)
        for name, scorer in scorers.items():
            got = evaluate(scorer, catalogue.split, TEST, (5,)).mean("ndcg", 5)
            found = _value(finished, subject=name, metric="ndcg", seed=seed)
            assert found["value"] == pytest.approx(got), (name, seed)


def test_differences_are_paired_over_users_with_seeds_averaged(finished: Path) -> None:
    config, folder = load_config(finished, FULL), finished.parent / "run"
    catalogue, whole = RunFolder(folder).split(), RunFolder(folder).features("multimodal")
    ours = []
    for seed in SEEDS:
        done = train(whole.matrix, whole.valid, catalogue.split, config.train, seed)
        scorer = dot_scorer(done.user, done.aligned)
        found = evaluate(scorer, catalogue.split, TEST, (5,))
        ours.append(found.values["recall", 5])
    item_cf = ITEM_CF.fit(LandmarkInput(catalogue.split))
    theirs = evaluate(item_cf, catalogue.split, TEST, (5,)).values["recall", 5]
    wanted = interval(np.mean(ours, axis=0), theirs)
    found = _value(finished, subject="aligned", against="item-CF", aggregate="mean")
    assert (found["value"], found["low"], found["high"]) == pytest.approx(
        (wanted.mean, wanted.low, wanted.high)
    )
    ours = [r for r in _records(finished) if r["subject"] == "aligned" and r["share"] is None]
    against = {r["against"] for r in ours if r["against"]}
    assert against == SOLVED | TRAINED - {"aligned"} | UNSEEDED | COMPARED.keys()


def test_at_a_fifth_of_the_histories_everything_is_trained_on_what_is_left(finished: Path) -> None:
    config, folder = load_config(finished, FULL), RunFolder(finished.parent / "run")
    split, whole = folder.split().split, folder.features("multimodal")
    thin = split.thinned(0.2, config.seed)
    trained = {"aligned", "aligned without content", *TRAINED_MARKS}
    for share in (0.1, 0.2, 0.5):
        of_share = [r for r in _records(finished) if r["share"] == share and r["against"] is None]
        assert {r["protocol"] for r in of_share} == {"thinned"}
        assert {r["subject"] for r in of_share} == SOLVED | {"multimodal"} | (
            trained if share == 0.2 else set()
        )
    for seed in SEEDS:
        done = train(whole.matrix, whole.valid, thin, config.train, seed)
        scorers = {
            "aligned": dot_scorer(done.user, done.aligned),
            "aligned without content": collaborative(thin, config.train, seed),
        }
        for name, scorer in scorers.items():
            got = evaluate(scorer, split, TEST, (5,)).mean("recall", 5)
            found = _value(finished, protocol="thinned", share=0.2, subject=name, seed=seed)
            assert found["value"] == pytest.approx(got), (name, seed)
    paired = [r for r in _records(finished) if r["share"] == 0.2 and r["subject"] == "aligned"]
    assert {"aligned without content", "multimodal", "EASE"} <= {r["against"] for r in paired}


def test_the_run_s_own_seed_comes_first_and_the_control_before_what_it_judges(trained: Path) -> None:
    context = StageContext(load_config(trained, FULL), STAGE, {}, plan=Plan({}))
    sources = FeatureSources(context, {}, trained.parent)
    pieces = list(full_pieces(Trainings(sources, context.run.split())))
    whole = [(piece.subject, piece.seed) for piece in pieces if piece.less is None]
    ours = [(name, seed) for name in ("aligned without content", "aligned") for seed in SEEDS]
    assert [piece for piece in whole if piece in ours] == ours
    assert {piece.less and piece.less.share for piece in pieces} == {None, 0.1, 0.2, 0.5}


def test_modalities_are_lost_after_pretraining_and_everything_else_stays(own: Path) -> None:
    settings = [*FULL, "evaluate.masked=[0.5]", "evaluate.seeds=[1]", "evaluate.thinned=[]"]
    run(own, "evaluate", settings, QUIET)
    config, folder = load_config(own, settings), RunFolder(own.parent / "run")
    split, inputs = folder.split().split, folder.inputs()
    encoder = load_encoder(folder.saved("pretrain", "encoder/multimodal"))
    for modality in ("image", "text"):
        lost = lose(inputs[modality].valid, 0.5, config.seed)
        assert lost.any() and not lost.all()
        left = {**inputs, modality: inputs[modality].without(lost)}
        done = train(*encoder.encode(left), split, config.train, 1)
        wanted = {0.0: dot_scorer(folder.features("user").matrix, folder.features("aligned").matrix)}
        wanted[0.5] = dot_scorer(done.user, done.aligned)
        control = evaluate(collaborative(split, config.train, 1), split, TEST, (5,))
        for share, scorer in wanted.items():
            of_share = {"protocol": f"trained-mask-{modality}", "share": share}
            found = _value(own, subject="aligned", **of_share)
            assert found["value"] == pytest.approx(evaluate(scorer, split, TEST, (5,)).mean("recall", 5))
            without = _value(own, subject="aligned without content", **of_share)
            assert without["value"] == pytest.approx(control.mean("recall", 5))
            paired = _value(own, subject="aligned", against="aligned without content", **of_share)
            assert paired["value"] == pytest.approx(found["value"] - without["value"])


class _KilledError(Exception):
    """Stands for a signal."""


@pytest.mark.slow
def test_killed_at_any_piece_it_ends_in_the_same_bytes(
    own: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = Checkpoint.save
    measures = {name: getattr(evaluation_pieces, name) for name in ("evaluate_all", "evaluate_as")}
    left = {"epochs": 0, "pieces": 0}

    def save_and_die(self: Checkpoint, state: dict[str, Any]) -> None:
        save(self, state)
        left["epochs"] -= 1
        if not left["epochs"]:
            raise _KilledError

    def evaluate_or_die(name: str, *arguments: Any) -> Any:
        left["pieces"] -= 1
        if not left["pieces"]:
            raise _KilledError
        return measures[name](*arguments)

    monkeypatch.setattr(Checkpoint, "save", save_and_die)
    for name in measures:
        monkeypatch.setattr(evaluation_pieces, name, partial(evaluate_or_die, name))
    for epochs, pieces in ((2, 0), (8, 0), (0, 6), (5, 0), (13, 0), (0, 2)):
        left.update(epochs=epochs, pieces=pieces)
        with pytest.raises(_KilledError):
            run(own, "evaluate", FULL, QUIET)
    left.update(epochs=0, pieces=0)
    kept = set((own.parent / "run").glob(".*/*.judged"))
    run(own, "evaluate", FULL, QUIET)
    whole, thinned = len(SOLVED) + 2 * len(TRAINED), 3 * len(SOLVED) + 2 * 11
    compared = len(COMPARED) + len(UNSEEDED)
    assert len(kept) > 6 and -left["pieces"] == whole + compared + thinned - len(kept)
    assert _metrics(own) == _metrics(finished)
    assert not (own.parent / "run" / ".evaluate-full").exists()
    controls = own.parent / "run" / ".control"
    assert len(list(controls.iterdir())) == 2 * len(SEEDS), "whole and thinned, one a seed, and nothing else"


def test_a_normal_run_keeps_a_full_evaluation_and_is_not_taken_for_one(
    finished: Path, tmp_path: Path
) -> None:
    own = _copy(finished, tmp_path)

    def state(*overrides: str) -> tuple[str, str]:
        found = status(load_config(own, overrides))[4]
        return found.state, found.why

    assert state(*FULL)[0] == state(*NORMAL)[0] == "done"
    run(own, "evaluate", NORMAL, QUIET)
    assert _metrics(own) == _metrics(finished)
    # Other seeds are nothing to a normal run, but another table.
    assert state(*NORMAL, "evaluate.seeds=[9]")[0] == "done"
    assert state(*FULL, "evaluate.seeds=[9]")[0] == "stale"
    # A change that a normal evaluation would see ends the table's life.
    assert state(*NORMAL, "evaluate.k=[3]")[0] == "stale"
    # Lost, it is not made anew where nobody asks for it; and what is made then is no full evaluation.
    (own.parent / "run" / "evaluate" / "metrics.json").unlink()
    run(own, "evaluate", NORMAL, QUIET)
    assert _metrics(own) != _metrics(finished) and state(*NORMAL)[0] == "done"
    assert state(*FULL) == ("stale", "changed: seeds and landmarks of the full evaluation")


def test_a_stopped_table_survives_a_normal_run(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: Any, **__: Any) -> Any:
        raise _KilledError

    with monkeypatch.context() as patched:
        patched.setattr(visual_bpr, "vbpr", die)
        with pytest.raises(_KilledError):
            run(own, "evaluate", FULL, QUIET)
    kept = {p.name for p in (own.parent / "run" / ".evaluate-full").glob("*.judged")}
    run(own, "evaluate", NORMAL, QUIET)
    assert len(kept) == 10 and kept == {
        p.name for p in (own.parent / "run" / ".evaluate-full").glob("*.judged")
    }


def test_new_features_are_compared_with_the_control_that_is_there(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(own, "evaluate", NORMAL, QUIET)
    (control,) = (own.parent / "run" / ".control").iterdir()
    first = control.read_bytes()

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("the control was trained again")

    monkeypatch.setattr(evaluation_pieces, "collaborative", never)
    settings = [*NORMAL, "pretrain.epochs=2"]
    run(own, "evaluate", settings, QUIET)
    assert control.read_bytes() == first
    monkeypatch.undo()
    run(own, "evaluate", [*settings, "train={dim: 4, epochs: 2, members: 1, device: cpu}"], QUIET)
    (other,) = (own.parent / "run" / ".control").iterdir()
    assert other != control, "another training has another control, and the old one goes"


def test_card_report_and_terminal_show_means_and_deviations(finished: Path) -> None:
    results = Results.parse(_metrics(finished))
    scores = scores_of(results)
    mean, std = (
        _value(finished, subject="VBPR", aggregate=aggregate)["value"] for aggregate in ("mean", "std")
    )
    (score,) = [s for s in scores if (s.protocol, s.subject) == ("top-k", "VBPR")]
    assert (score.recall, score.deviation) == (mean, std)
    subjects = TRAINED | SOLVED | UNSEEDED | COMPARED.keys()
    assert {s.subject for s in scores if s.protocol == "top-k"} == subjects
    ablations = VARIANTS | {f"aligned on {name}" for name in UNTRAINED}
    assert not ablations & {s.subject for s in scores if s.protocol != "top-k"}

    (first, *_) = verdicts(results)
    assert first.protocol == "top-k" and "95% interval" in first.sentence

    settings = [word for override in NORMAL for word in ("-o", override)]
    answer = CliRunner().invoke(app, ["evaluate", "--full", "-c", str(finished), *settings])
    assert answer.exit_code == 0 and "evaluate: up to date" in answer.stderr
    assert f"{mean:.3f} ± {std:.3f}" in answer.stderr
    release = finished.parent / "run" / "release" / "metrics.json"
    assert release.read_bytes() == _metrics(finished)


def test_a_full_evaluation_needs_a_training(tmp_path: Path) -> None:
    config = write_catalogue(tmp_path)
    with pytest.raises(ConfigError, match=r"evaluate\.full .* add aligned to export\.sets"):
        load_config(config, ["evaluate.full=true"])
    with pytest.raises(ConfigError, match="differ from one another"):
        load_config(config, ["evaluate.seeds=[1, 1]"])
