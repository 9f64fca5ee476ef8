"""Lists from elsewhere in an evaluation: as other tools write them on the split that a run exports."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.ranking import rank
from alignrec.aligner.evaluate.splits import TEST, TRAIN, Split
from alignrec.aligner.landmarks.registry import all_landmarks
from alignrec.core.files import sha256_file
from alignrec.export.formats.convert import write_as
from alignrec.pipeline.commands.split_interactions import split_interactions
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.errors import CatalogError, ConfigError
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.stages.evaluate import stage
from alignrec.pipeline.stages.evaluate.rankings import check_names, evaluate_rankings, rankings_inputs
from tests.pipeline.tiny_runs import command, write_tiny

RNG = np.random.default_rng(3)
USERS, ITEMS = 6, 9
# Ids in an order of their own, so that no number is one by chance.
CUT = CatalogueSplit.of(
    Split(
        USERS,
        ITEMS,
        np.repeat(np.arange(USERS), 3),
        np.array([(5 * user + 2 * place) % ITEMS for user in range(USERS) for place in range(3)]),
        np.tile(np.array([0, 1, 2], np.uint8), USERS),
    ),
    [f"u{9 - user}" for user in range(USERS)],
    [f"i{9 - item}" for item in range(ITEMS)],
)
EVALUATOR = Evaluator(CUT.split, (2, 3))
SCORES = RNG.random((USERS, ITEMS))
BEST = rank(lambda users: SCORES[users], np.arange(USERS), 4, CUT.split.matrix(TRAIN), CUT.split.candidates)
NOTHING = [].append


def dense(ids: list[str], interactions: list[str]) -> list[int]:
    """MMRec's numbers of ids: by their first appearance among the interactions."""
    order = list(dict.fromkeys(interactions))
    return [order.index(one) for one in ids]


def wide(path: Path, names: list[str], items: list[Any], key: str = "user_id") -> Path:
    table = pd.DataFrame({key: names} | {f"top_{n}": [items[i] for i in BEST[:, n]] for n in range(4)})
    table.to_csv(path, sep="\t", index=False)
    return path


def reached(path: Path, notes: list[str] | None = None) -> list[float]:
    found = evaluate_rankings({"X": path}, CUT, EVALUATOR, (notes if notes is not None else []).append)
    return found["X"]["top-k", "test"].values["ndcg", 3].tolist()


WANTED = EVALUATOR.evaluate(lambda users: SCORES[users], "test").values["ndcg", 3].tolist()


def test_numbers_of_mmrec_are_those_of_the_runs_export(tmp_path: Path) -> None:
    pairs = CUT.table()
    users, items = (pairs[name].to_pylist() for name in ("user_id", "item_id"))
    path = wide(tmp_path / "x.csv", dense(CUT.user_ids, users), dense(CUT.item_ids, items), "id")
    assert reached(path) == WANTED
    # Maps beside the file come before these.
    turned = {name: list(reversed(ids)) for name, ids in (("u", CUT.user_ids), ("i", CUT.item_ids))}
    for name, ids in turned.items():
        frame = pd.DataFrame({"id": ids, "number": range(len(ids))})
        frame.to_csv(tmp_path / f"{name}_id_mapping.csv", sep="\t", index=False)
    before = rankings_inputs({"X": path})
    places = [
        [ids.index(one) for one in all_ids]
        for ids, all_ids in ((turned["u"], CUT.user_ids), (turned["i"], CUT.item_ids))
    ]
    wide(path, places[0], places[1], "id")
    assert reached(path) == WANTED
    assert rankings_inputs({"X": path})["X"][1:] == before["X"][1:] != []
    (tmp_path / "u_id_mapping.csv").write_text("id\tnumber\nu9\tnone\n")
    with pytest.raises(CatalogError, match=r"u_id_mapping\.csv, line 2: expected an id"):
        reached(path)


def test_ids_are_taken_as_they_are(tmp_path: Path) -> None:
    assert reached(wide(tmp_path / "x.tsv", CUT.user_ids, CUT.item_ids)) == WANTED
    rows = [(CUT.user_ids[u], CUT.item_ids[i], SCORES[u, i]) for u in range(USERS) for i in BEST[u]]
    long = pd.DataFrame(rows, columns=["user_id", "item_id", "score"]).sample(frac=1, random_state=1)
    long.to_csv(tmp_path / "long.csv", index=False)
    assert reached(tmp_path / "long.csv") == WANTED


def test_users_without_a_list_are_noted_and_find_nothing(tmp_path: Path) -> None:
    path = wide(tmp_path / "x.tsv", CUT.user_ids, CUT.item_ids)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:1] + lines[3:]))
    notes: list[str] = []
    assert reached(path, notes) == [0, 0, *WANTED[2:]]
    assert notes == [
        "evaluate: X has no list for 2 of 6 users with positives, such as 'u9': they count as finding nothing"
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("v1,i9,1", r"1 of 1 users are not known, such as 'v1'; known are such as 'u9'"),
        ("u9,j1,1\nu9,j2,2\nu9,i9,3", r"2 of 3 items are not known, such as 'j1'; known are such as 'i9'"),
        ("u9,i8,1\nu9,i8,2\nu9,i4,3", r"recommends an item twice, 1 times: such as item 'i8' for user 'u9'"),
        ("u9,i8,1\nu9,i9,2", r"in the training part of the split, 1 times: such as item 'i9' for user 'u9'"),
        (
            "u9,i8,1\nu9,i4,2",
            r"1 of 1 lists are shorter than the largest k of the evaluation, 3, .* with 2 items",
        ),
    ],
)
def test_lists_that_break_a_rule_are_refused(tmp_path: Path, rows: str, message: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(f"user_id,item_id,rank\n{rows}\n")
    with pytest.raises(CatalogError, match=message):
        reached(path)


def test_lists_of_users_without_positives_are_no_evaluation(tmp_path: Path) -> None:
    split = Split(2, 3, np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([0, 2, 0], np.uint8))
    cut = CatalogueSplit.of(split, ["a", "b"], ["x", "y", "z"])
    path = tmp_path / "b.csv"
    path.write_text("user_id,top_0\nb,x\n")
    with pytest.raises(CatalogError, match="no list of any user with positives in test"):
        evaluate_rankings({"X": path}, cut, Evaluator(split, (1,)), NOTHING)


@pytest.mark.parametrize("name", ["aligned", "aligned without content", "multimodal", "ease"])
def test_names_of_other_rows_are_taken(name: str) -> None:
    with pytest.raises(ConfigError, match="is the name of a row of this evaluation"):
        check_names(["FREEDOM", name], ["EASE"])
    check_names(["FREEDOM"], ["EASE"])


def test_the_guide_gives_rows_names_that_are_free() -> None:
    guide = Path("docs/reading-the-evaluation.md").read_text(encoding="utf-8")
    names = re.findall(r'--rankings "?([^="]+)=', guide)
    taken = [name for mark in all_landmarks() for name in (mark.name, *mark.rivals.values())]
    assert "FREEDOM" in taken and len(names) > 1
    check_names(names, taken)


def test_a_file_that_is_not_there_is_said_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="there is no file"):
        rankings_inputs({"X": tmp_path / "none.csv"})


@pytest.mark.slow
def test_a_command_gives_mmrecs_lists_a_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_tiny(tmp_path)
    assert command("run", "-c", config, "--until", "train", "-q") == 0
    run = RunFolder(load_config(config).run_folder)
    write_as("mmrec", [run.features("image")], tmp_path / "set", split_interactions(load_config(config)))
    data = pd.read_csv(tmp_path / "set" / "set.inter", sep="\t")
    users, items = data["userID"].max() + 1, data["itemID"].max() + 1
    train = data[data["x_label"] == TRAIN]
    popular = np.tile(np.bincount(train["itemID"], minlength=items).astype(float), (users, 1))
    popular[train["userID"], train["itemID"]] = -1
    best = np.argsort(-popular, axis=1, kind="stable")[:, :10]
    tested = np.unique(data["userID"][data["x_label"] == TEST])
    frame = pd.DataFrame(best[tested], columns=[f"top_{n}" for n in range(10)])
    frame.insert(0, "id", tested)
    frame.to_csv(tmp_path / "popular.csv", sep="\t", index=False)
    hits = data[data["x_label"] == TEST].groupby("userID")["itemID"].apply(set)
    wanted = np.mean([len(hits[u] & set(best[u, :5])) / len(hits[u]) for u in tested])

    assert command("evaluate", "-c", config, "--rankings", f"Most popular={tmp_path / 'popular.csv'}") == 0
    assert "Most popular" in capsys.readouterr().err
    file = run.path / "evaluate" / "metrics.json"
    metrics = json.loads(file.read_bytes())
    rows = [r for r in metrics["records"] if "Most popular" in (r["subject"], r["against"])]
    own = [r for r in rows if r["against"] is None]
    assert {(r["protocol"], r["split"], r["seed"]) for r in own} == {("top-k", "test", None)}
    (recall,) = [r["value"] for r in own if (r["metric"], r["k"]) == ("recall", 5)]
    assert recall == pytest.approx(wanted)
    against = {r["subject"] for r in rows if r["against"]}
    assert against == {"aligned", "aligned without content"}
    assert all(r["low"] <= r["value"] <= r["high"] for r in rows)
    assert metrics["definitions"]["Most popular"].startswith("from elsewhere")

    # An evaluation without lists asks for less; other lists ask for another.
    before = sha256_file(file)
    assert command("evaluate", "-c", config, "-q") == 0 and sha256_file(file) == before
    frame.iloc[:, ::-1].rename(columns={f"top_{n}": f"top_{9 - n}" for n in range(10)}).to_csv(
        tmp_path / "popular.csv", sep="\t", index=False
    )
    assert (
        command("evaluate", "-c", config, "-q", "--rankings", f"Most popular={tmp_path / 'popular.csv'}") == 0
    )
    assert sha256_file(file) != before

    # A file that changes while it is read has the evaluation planned anew.
    calls: list[int] = []

    def changing(rankings: dict[str, Path], *others: Any) -> object:
        found = evaluate_rankings(rankings, *others)
        if not calls:
            frame.to_csv(tmp_path / "popular.csv", sep="\t", index=False)
        calls.append(1)
        return found

    monkeypatch.setattr(stage, "evaluate_rankings", changing)
    command("evaluate", "-c", config, "-q", "--rankings", f"Other={tmp_path / 'popular.csv'}")
    assert len(calls) == 2 and RunFolder(run.path).results().select(subject="Other").records


def test_options_that_name_no_file_are_usage_errors(tmp_path: Path) -> None:
    config = write_tiny(tmp_path)
    assert command("evaluate", "-c", config, "--rankings", "popular.csv") == 2
    assert command("evaluate", "-c", config, "--rankings", "EASE=popular.csv", "-q") == 2
