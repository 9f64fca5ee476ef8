from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from alignrec.aligner.evaluate.baselines import baselines, imputed, lose
from alignrec.aligner.evaluate.bootstrap import interval
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.ranking import dot_scorer
from alignrec.aligner.evaluate.scorers import feature_cf, zero_shot
from alignrec.aligner.evaluate.splits import TEST, TRAIN, Split
from alignrec.aligner.evaluate.top_k import long_tail
from alignrec.aligner.landmarks.content_ease import CONTENT_EASE
from alignrec.aligner.landmarks.contract import LandmarkInput
from alignrec.aligner.landmarks.ease import EASE
from alignrec.aligner.landmarks.item_cf import ITEM_CF
from alignrec.aligner.landmarks.popularity import popularity
from alignrec.aligner.pretrain.encoder import MultimodalEncoder
from alignrec.aligner.pretrain.pretraining import pretrain
from alignrec.aligner.train.aligned_encoder import AlignedEncoder
from alignrec.aligner.train.collaborative import collaborative
from alignrec.aligner.train.settings import TrainSettings
from alignrec.core import plugins
from alignrec.core.vocabulary import CONTROL, is_own
from alignrec.export import load_features, verify_folder
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.errors import ConfigError
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.stages.chain import RunResult, run, status
from tests.pipeline.catalogues import TINY_PRETRAINING
from tests.pipeline.small_models import write_quick_catalogue

QUIET = Console(quiet=True)
LAST = """
import numpy as np
from alignrec.aligner.landmarks.contract import Landmark

def fit(data):
    return lambda users: np.tile(np.arange(float(data.split.items)), (len(users), 1))

LAST = Landmark(
    "last", "the last items of the catalogue first", fit, citation="nobody, 2030", year=2030,
    rivals={"zero-shot": "last"},
)
"""
ALL_STAGES = ["extract", "split", "pretrain", "train", "evaluate", "export", "report"]
ITEMS = 24


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunResult]:
    """A run of every stage, with half of the images, and of the texts, taken away."""
    config = write_quick_catalogue(tmp_path_factory.mktemp("evaluated"), items=ITEMS, users=30)
    overrides = ["export.sets=null", "evaluate={k: [2, 5], masked: [0.5]}"]
    settings = load_config(config, overrides)
    return config, run(settings, console=QUIET)


@pytest.fixture(scope="module")
def records(finished: tuple[Path, RunResult]) -> list[dict[str, Any]]:
    content = json.loads((finished[1].folder / "evaluate" / "metrics.json").read_bytes())
    assert content["format"] == 1 and "recall" in content["definitions"]
    loaded: list[dict[str, Any]] = content["records"]
    return loaded


def _one(records: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    wanted = {"split": "test", "against": None, "share": None, "aggregate": None, **wanted}
    (found,) = [r for r in records if all(r[key] == value for key, value in wanted.items())]
    return found


def test_every_stage_runs_once_and_stays_done(finished: tuple[Path, RunResult]) -> None:
    config, result = finished
    assert list(result.stages) == ALL_STAGES
    assert not list(result.folder.glob(".pretrain*")) and not list(result.folder.glob(".evaluate*"))
    overrides = ["export.sets=null", "evaluate={k: [2, 5], masked: [0.5]}"]
    states = status(load_config(config, overrides), verify=True)
    assert [(s.state, s.why) for s in states] == [("done", "")] * 7


def test_numbers_equal_those_of_direct_calls(
    finished: tuple[Path, RunResult], records: list[dict[str, Any]]
) -> None:
    folder = finished[1].folder
    catalogue = RunFolder(folder).split()
    inputs, history = RunFolder(folder).inputs(), catalogue.split.matrix(TRAIN)
    features = {"multimodal": RunFolder(folder).features("multimodal").matrix, **baselines(inputs)}
    scorers = {("zero-shot", name): zero_shot(matrix, history) for name, matrix in features.items()}
    scorers |= {("item-cf", name): feature_cf(matrix, history) for name, matrix in features.items()}
    scorers |= {
        ("zero-shot", "popularity"): popularity(history),
        ("item-cf", "co-occurrence"): ITEM_CF.fit(LandmarkInput(catalogue.split)),
    }
    ours = evaluate(scorers["zero-shot", "multimodal"], catalogue.split, TEST, (2, 5))
    for (protocol, subject), scorer in scorers.items():
        got = evaluate(scorer, catalogue.split, TEST, (2, 5))
        for metric in ("recall", "ndcg"):
            found = _one(records, protocol=protocol, subject=subject, metric=metric, k=5)
            assert found["value"] == pytest.approx(got.mean(metric, 5))
            assert found["seed"] == (1 if subject == "multimodal" else None)
        if protocol == "zero-shot" and subject != "multimodal":
            wanted = interval(ours.values["recall", 2], got.values["recall", 2])
            pair = {"subject": "multimodal", "against": subject, "metric": "recall", "k": 2}
            found = _one(records, protocol=protocol, **pair)
            assert (found["value"], found["low"], found["high"]) == pytest.approx(
                (wanted.mean, wanted.low, wanted.high)
            )


def test_recommendation_equals_direct_calls(
    finished: tuple[Path, RunResult], records: list[dict[str, Any]]
) -> None:
    folder, config = finished[1].folder, load_config(finished[0])
    catalogue = RunFolder(folder).split()
    history = catalogue.split.matrix(TRAIN)
    user, aligned = (RunFolder(folder).features(name).matrix for name in ("user", "aligned"))
    whole = RunFolder(folder).features("multimodal")
    data = LandmarkInput(catalogue.split, whole.matrix, whole.valid)
    bpr = TrainSettings.paper(uia_weight=0.0)
    scorers = {
        "aligned": dot_scorer(user, aligned),
        CONTROL: collaborative(catalogue.split, config.train, config.seed),
        "popularity": popularity(history),
        "item-CF": ITEM_CF.fit(data),
        "EASE": EASE.fit(data),
        "EASE with content": CONTENT_EASE.fit(data),
        "LightGCN": collaborative(catalogue.split, bpr, config.seed),
    }
    results = {name: evaluate(scorer, catalogue.split, TEST, (2, 5)) for name, scorer in scorers.items()}
    for subject, got in results.items():
        for metric in ("recall", "precision", "ndcg", "map", "hit", "mrr"):
            found = _one(records, protocol="top-k", subject=subject, metric=metric, k=5)
            assert found["value"] == pytest.approx(got.mean(metric, 5))
            assert found["seed"] == (1 if subject in ("aligned", CONTROL, "LightGCN") else None)
    paired = [r for r in records if r["protocol"] == "top-k" and r["against"]]
    assert {(r["subject"], r["against"]) for r in paired} == {
        *(("aligned", name) for name in results if name != "aligned"),
        *((CONTROL, name) for name in results if not is_own(name)),
        ("EASE with content", "EASE"),
    }
    wanted = interval(results["aligned"].values["ndcg", 2], results["EASE"].values["ndcg", 2])
    found = _one(records, protocol="top-k", subject="aligned", against="EASE", metric="ndcg", k=2)
    assert (found["value"], found["low"], found["high"]) == pytest.approx(
        (wanted.mean, wanted.low, wanted.high)
    )


def test_the_long_tail_is_ranked_by_itself(
    finished: tuple[Path, RunResult], records: list[dict[str, Any]]
) -> None:
    folder = finished[1].folder
    catalogue = RunFolder(folder).split()
    rare = long_tail(catalogue.split)
    counts = catalogue.split.matrix(TRAIN).sum(axis=0)
    assert 0 < counts[rare].sum() <= 0.2 * counts.sum()
    assert counts[rare].max() <= counts[~rare & (counts > 0)].min()
    item_cf = ITEM_CF.fit(LandmarkInput(catalogue.split))
    own = Split(catalogue.split.users, catalogue.split.items, *_of(catalogue.split, rare), candidates=rare)
    got = evaluate(item_cf, own, TEST, (2,)).mean("recall", 2)
    found = _one(records, protocol="long-tail", subject="item-CF", metric="recall", k=2)
    assert found["value"] == pytest.approx(got)


def _of(split: Split, kept: Any) -> tuple[Any, Any, Any]:
    rows = np.flatnonzero((split.label == TRAIN) | kept[split.item])
    return split.user[rows], split.item[rows], split.label[rows]


def test_what_is_masked_is_gone_before_pretraining(
    finished: tuple[Path, RunResult], records: list[dict[str, Any]]
) -> None:
    folder, config = finished[1].folder, load_config(finished[0])
    catalogue, inputs = RunFolder(folder).split(), RunFolder(folder).inputs()
    lost = lose(inputs["text"].valid, 0.5, config.seed)
    left = {**inputs, "text": inputs["text"].without(lost)}
    features = {
        "multimodal": pretrain(left, config.pretrain, config.seed).encoder.encode(left)[0],
        "centred concatenation": baselines(left)["centred concatenation"],
        **imputed(left, config.seed),
    }
    for subject, matrix in features.items():
        scorer = zero_shot(matrix, catalogue.split.matrix(TRAIN))
        got = evaluate(scorer, catalogue.split, TEST, (5,)).mean("recall", 5)
        wanted = {"protocol": "mask-text", "subject": subject, "metric": "recall", "k": 5, "share": 0.5}
        assert _one(records, **wanted)["value"] == pytest.approx(got)
    whole = _one(records, protocol="mask-text", subject="multimodal", metric="recall", k=5, share=0.0)
    assert (
        whole["value"]
        == _one(records, protocol="zero-shot", **{key: whole[key] for key in ("subject", "metric", "k")})[
            "value"
        ]
    )


def test_the_release_carries_set_encoder_and_numbers(finished: tuple[Path, RunResult]) -> None:
    release = finished[1].release
    assert release is not None
    assert set(verify_folder(release).sets) == {"image", "text", "multimodal", "content", "aligned"}
    evaluated = finished[1].folder / "evaluate" / "metrics.json"
    assert (release / "metrics.json").read_bytes() == evaluated.read_bytes()
    assert load_features(release).name == "aligned"
    assert AlignedEncoder.from_pretrained(release / "encoder" / "aligner").neighbours == 10
    features = load_features(release, "multimodal")
    encoder = MultimodalEncoder.from_pretrained(release / "encoder" / "multimodal")
    matrix, valid = encoder.encode(RunFolder(finished[1].folder).inputs())
    multimodal = RunFolder(finished[1].folder).features("multimodal")
    assert np.array_equal(multimodal.matrix, matrix) and np.array_equal(multimodal.valid, valid)
    assert np.array_equal(features.align_to(multimodal.ids)[0], matrix)


def test_curves_have_a_point_a_direction_and_epoch(finished: tuple[Path, RunResult]) -> None:
    points = json.loads((finished[1].folder / "pretrain" / "curves.json").read_bytes())["records"]
    epochs = TINY_PRETRAINING["epochs"]
    for metric, split in [("image loss", "train"), ("text loss", "held out")]:
        curve = [p for p in points if (p["metric"], p["split"]) == (metric, split)]
        assert [p["epoch"] for p in curve] == list(range(1, epochs + 1))


def test_what_a_stage_does_not_depend_on_leaves_it_alone(
    finished: tuple[Path, RunResult], tmp_path: Path
) -> None:
    shutil.copytree(finished[0].parent, tmp_path / "own")
    config = tmp_path / "own" / finished[0].name

    def states(*overrides: str) -> list[str]:
        base = ["export.sets=null", "evaluate={k: [2, 5], masked: [0.5]}"]
        return [s.state for s in status(load_config(config, [*base, *overrides]))]

    assert states("split.k_core=2") == ["done", "stale", "done", *["stale"] * 4]
    assert states("evaluate.k=[3]") == ["done"] * 4 + ["stale"] * 3
    assert states("train.epochs=1") == ["done"] * 3 + ["stale"] * 4
    assert states("pretrain.epochs=1") == ["done"] * 2 + ["stale"] * 5
    log = config.parent / "interactions.csv"
    log.write_text("\n".join(log.read_text().splitlines()[:-1]) + "\n")
    assert states() == ["stale"] * 7
    run(load_config(config, ["export.sets=null"]), "extract", console=QUIET)
    assert states()[:4] == ["done", "stale", "done", "stale"]


def test_a_run_does_what_its_config_needs(tmp_path: Path) -> None:
    config = write_quick_catalogue(tmp_path, items=6, users=3)
    assert list(run(config, console=QUIET).stages) == ["extract", "split", "evaluate", "export", "report"]
    with pytest.raises(ConfigError, match=r"no pretrain stage: export\.sets names raw sets alone"):
        run(config, "pretrain", console=QUIET)
    without = ["catalog.interactions=null", "export.sets=[multimodal]"]
    result = run(config, overrides=without, console=QUIET)
    assert list(result.stages) == ["extract", "pretrain", "export", "report"]
    with pytest.raises(ConfigError, match=r"no evaluate stage: .*catalog\.interactions"):
        run(config, "evaluate", without, QUIET)


def test_a_catalogue_of_texts_alone_has_a_multimodal_set_too(tmp_path: Path) -> None:
    config = write_quick_catalogue(tmp_path, items=6, users=3)
    result = run(
        config, overrides=["catalog.items.image=null", "export.sets=[text, multimodal]"], console=QUIET
    )
    assert result.release is not None
    assert set(verify_folder(result.release).sets) == {"text", "multimodal"}


def test_the_command_line_shows_the_numbers(finished: tuple[Path, RunResult]) -> None:
    settings = ["-o", "export.sets=null", "-o", "evaluate={k: [2, 5], masked: [0.5]}"]
    answer = CliRunner().invoke(app, ["evaluate", "-c", str(finished[0]), *settings])
    assert answer.exit_code == 0
    assert "mask-image, 50% lost" in answer.stderr and "aligned over it" in answer.stderr


@pytest.mark.parametrize("exclude_valid", [False, True])
def test_validation_positives_stay_in_at_test_or_not(
    finished: tuple[Path, RunResult], tmp_path: Path, exclude_valid: bool
) -> None:
    shutil.copytree(finished[0].parent, tmp_path / "own")
    config = tmp_path / "own" / finished[0].name
    overrides = ["export.sets=null", f"evaluate={{k: [2, 5], exclude_valid: {exclude_valid}}}"]
    folder = run(config, "evaluate", overrides, QUIET).folder
    content = json.loads((folder / "evaluate" / "metrics.json").read_bytes())
    words = "are left out at test" if exclude_valid else "stay in at test, as in MMRec"
    assert content["definitions"]["ranking"].endswith(f"validation positives {words}")
    catalogue, history = RunFolder(folder).split(), RunFolder(folder).split().split.matrix(TRAIN)
    scorer = popularity(history)
    for protocol, kept in (("zero-shot", None), ("top-k", None), ("long-tail", long_tail(catalogue.split))):
        split = catalogue.split
        if kept is not None:
            split = Split(split.users, split.items, *_of(split, kept), candidates=kept)
        got = evaluate(scorer, split, TEST, (5,), exclude_valid=exclude_valid).mean("ndcg", 5)
        found = _one(content["records"], protocol=protocol, subject="popularity", metric="ndcg", k=5)
        assert found["value"] == pytest.approx(got)


def test_a_landmark_of_a_plugin_file_is_in_the_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "_files", {})
    config = write_quick_catalogue(tmp_path, items=ITEMS, users=30)
    (tmp_path / "last.py").write_text(LAST)
    overrides = ["export.sets=null", "plugins=[last.py]", "pretrain.epochs=1", "train={dim: 8, epochs: 1}"]
    folder = run(config, "evaluate", overrides, QUIET).folder
    content = json.loads((folder / "evaluate" / "metrics.json").read_bytes())
    assert content["definitions"]["last"] == "nobody, 2030; the last items of the catalogue first"
    split = RunFolder(folder).split().split
    scorer = dot_scorer(np.ones((split.users, 1)), np.arange(split.items)[:, None])
    got = evaluate(scorer, split, TEST, (10,)).mean("recall", 10)
    for protocol in ("top-k", "zero-shot"):
        found = _one(content["records"], protocol=protocol, subject="last", metric="recall", k=10)
        assert found["value"] == pytest.approx(got) and found["seed"] is None
    assert {r["against"] for r in content["records"] if r["subject"] == "aligned"} >= {"last", "EASE"}
    # Other code is another evaluation.
    assert [s.state for s in status(load_config(config, overrides))[:5]] == ["done"] * 5
    (tmp_path / "last.py").write_text(LAST + "# changed\n")
    monkeypatch.setattr(plugins, "_files", {})
    assert status(load_config(config, overrides))[4].why == "changed: landmarks"
