"""Which terms a step has, what each is computed from, and that leaving one out leaves it out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from alignrec.aligner.evaluate.splits import TRAIN
from alignrec.aligner.train import objective as module
from alignrec.aligner.train.graphs import bipartite, content_neighbours, graph
from alignrec.aligner.train.objective import Batch, Objective, Similarities
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.training import build
from alignrec.aligner.trainer import epoch_rng
from alignrec.core.vectors import unit_rows
from tests.aligner.worlds import two_tastes

ALL = {
    "dim": 4,
    "members": 2,
    "batch_size": 30,
    "cca_weight": 0.1,
    "uia_weight": 0.2,
    "similarity_weight": 0.3,
    "l2_weight": 0.4,
}
CPU = torch.device("cpu")


def terms_of(**changes: Any) -> tuple[dict[str, torch.Tensor], torch.nn.Module]:
    settings = TrainSettings.model_validate(ALL | changes)
    features, _, split = two_tastes()
    history, space = split.matrix(TRAIN), unit_rows(features)
    model = build(space, content_neighbours(space, 10), split.users, settings, 1, CPU)
    loss = Objective(settings, history, model.features, CPU)
    batch = next(loss.batches(epoch_rng(1, 0)))
    return loss(model(graph(bipartite(history))), batch), model


def batches_of(**changes: Any) -> tuple[list[Batch], np.ndarray]:
    settings = TrainSettings.model_validate(ALL | changes)
    _, _, split = two_tastes()
    history = split.matrix(TRAIN)
    return list(Objective(settings, history, None, CPU).batches(epoch_rng(1, 0))), history.toarray() > 0


@pytest.mark.parametrize("loss", ["softmax", "bpr"])
def test_a_step_has_every_weighted_term(loss: str) -> None:
    terms, model = terms_of(loss=loss)
    assert set(terms) == {loss, "uia", "l2", "cca", "similarity"}
    for name, term in terms.items():
        found = torch.autograd.grad(term, model.item, retain_graph=True)[0]
        assert found.abs().sum() > 0, f"{name} teaches nothing"


@pytest.mark.parametrize("loss", ["softmax", "bpr"])
@pytest.mark.parametrize("term", ["cca", "uia", "similarity", "l2"])
def test_an_ablation_removes_its_term_and_nothing_else(loss: str, term: str) -> None:
    full, model = terms_of(loss=loss)
    less, other = terms_of(loss=loss, **{f"{term}_weight": 0.0})
    assert set(full) - set(less) == {term}
    for name, value in less.items():
        assert value.item() == full[name].item(), f"{name} changed"
    whole, rest = (
        torch.autograd.grad(sum(terms.values()), m.item, retain_graph=True)[0]  # type: ignore[call-overload]
        for terms, m in ((full, model), (less, other))
    )
    removed = torch.autograd.grad(full[term], model.item)[0]
    assert torch.allclose(whole - removed, rest, atol=1e-6)


@pytest.mark.parametrize("loss", ["softmax", "bpr"])
def test_members_learn_as_if_each_were_alone(loss: str) -> None:
    settings = TrainSettings.model_validate(ALL | {"loss": loss})
    features, _, split = two_tastes()
    history, space = split.matrix(TRAIN), unit_rows(features)
    similar, edges = content_neighbours(space, 10), graph(bipartite(history))
    pair = build(space, similar, split.users, settings, 1, CPU)
    objective = Objective(settings, history, pair.features, CPU)
    batch = next(objective.batches(epoch_rng(1, 0)))
    together = objective(pair(edges), batch)
    torch.stack(list(together.values())).sum().backward()
    alone = settings.model_copy(update={"members": 1, "dim": 2})
    found = []
    for member in (slice(0, 2), slice(2, 4)):
        single = build(space, similar, split.users, alone, 1, CPU)
        with torch.no_grad():
            for name, value in single.named_parameters():
                columns = (slice(None), member) if name in ("user", "item") else (member,)
                value.copy_(pair.get_parameter(name)[columns])
        terms = Objective(alone, history, single.features, CPU)(single(edges), batch)
        torch.stack(list(terms.values())).sum().backward()
        for name, value in single.named_parameters():
            columns = (slice(None), member) if name in ("user", "item") else (member,)
            learned = pair.get_parameter(name).grad[columns]
            assert torch.allclose(2 * learned, value.grad, atol=1e-6), name
        found.append({name: term.item() for name, term in terms.items()})
    for name, term in together.items():
        assert term.item() == pytest.approx(np.mean([terms[name] for terms in found]), rel=1e-5)


@pytest.mark.parametrize("term", ["cca", "uia", "similarity", "l2"])
def test_a_weight_scales_its_term(term: str) -> None:
    once, _ = terms_of()
    twice, _ = terms_of(**{f"{term}_weight": 2 * ALL[f"{term}_weight"]})
    assert twice[term].item() == pytest.approx(2 * once[term].item(), rel=1e-5)


def test_a_batch_names_each_user_and_item_once() -> None:
    for loss in ("softmax", "bpr"):
        for batch in batches_of(loss=loss)[0]:
            for distinct, drawn in ((batch.users, batch.user), (batch.items, batch.item)):
                assert sorted(distinct.tolist()) == sorted(set(drawn.tolist()))
            assert torch.equal(batch.users[batch.row], batch.user)


@pytest.mark.parametrize("candidates", [4096, 5])
def test_candidates_know_who_touched_them(candidates: int) -> None:
    batches, history = batches_of(candidates=candidates)
    for batch in batches:
        assert len(set(batch.other.tolist())) == min(candidates, history.shape[1])
        assert np.array_equal(batch.touched.numpy(), history[batch.users][:, batch.other])


def test_who_touched_everything_takes_no_part() -> None:
    history = two_tastes()[2].matrix(TRAIN).toarray()
    history[2] = 1
    for loss in ("softmax", "bpr"):
        settings = TrainSettings.model_validate(ALL | {"loss": loss})
        drawn = Objective(settings, sp.csr_array(history), None, CPU).batches(epoch_rng(1, 0))
        assert all(2 not in batch.user for batch in drawn)


@pytest.mark.parametrize("balance", [0.0, 0.5, 1.0])
def test_balance_shares_weight_out_among_users(balance: float) -> None:
    batches, history = batches_of(balance=balance)
    for batch in batches:
        expected = history.sum(axis=1)[batch.user] ** -balance
        assert batch.weight.numpy() == pytest.approx(expected, rel=1e-5)


def test_similarities_are_the_same_from_a_table_or_from_features(monkeypatch: pytest.MonkeyPatch) -> None:
    features = torch.from_numpy(unit_rows(two_tastes()[0]))
    items = torch.tensor([4, 1, 7])
    table = Similarities(features)(items)
    monkeypatch.setattr(module, "_COMPARED", 3)
    assert torch.allclose(table, Similarities(features)(items), atol=1e-6)
    assert table.diagonal() == pytest.approx(1, abs=1e-6)
