"""Imports point one way: between rooms, between the folders of a room, between modules."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.structure.modules import ROOMS, Module, cycles, edges, imported_names, modules

# What each room may import besides itself.
ARROWS = {
    "core": set(),
    "extractors": {"core"},
    "aligner": {"core"},
    "export": {"core"},
    "pipeline": {"core", "extractors", "aligner", "export"},
}

# The folders and single files of each room, lowest first: each may import those of the lines above it, and
# those that share a line know nothing of one another.
LAYERS = {
    "core": """
        display libraries packages vectors learned_from catalogue_ids
        errors most_similar
        files names
        documents network sealed
        cross_view features plugins
        metrics vocabulary
        modality_names protocols
        results
        recommendation
    """,
    "extractors": """
        errors
        names inputs precision sentence_folder published_weights
        modality model_folder
        identity
        runtime
        contract
        parallel testing backends
        registry
    """,
    "aligner": """
        errors
        components content_space hardware encoder_files inputs neighbours processes schedule
        alignment process_group trainer
        evaluate pretrain quality torchrun
        finetune train
        recommenders
        landmarks
    """,
    "export": """
        errors
        release
        hub formats
        load
    """,
    "pipeline": """
        errors
        config
        catalog
        runner
        engines report
        stages
        commands demo
        cli
    """,
}

# Imports against the layers that are still to be turned.
STILL_WRONG = ""

# Packages that take part in no layer: they only say what a room or the whole gives to its users.
FACADES = ("__init__",)


def _level(room: str) -> dict[str, int]:
    lines = [line.split() for line in LAYERS[room].strip().splitlines()]
    return {name: number for number, line in enumerate(lines) for name in line}


def _is_upward(importer: Module, imported: Module) -> bool:
    """Whether an import inside a room leads to its importer's own layer or to one above it."""
    (room, importers, *_), (_, importeds, *_) = importer.parts, imported.parts
    if importers == importeds or importers in FACADES:
        return False
    return _level(room)[importers] <= _level(room).get(importeds, len(LAYERS))


def test_rooms_import_one_way() -> None:
    wrong = [
        f"{importer} → {imported}"
        for importer, imported in edges()
        if importer.room in ROOMS
        and imported.room != importer.room
        and imported.room not in ARROWS[importer.room]
    ]
    assert wrong == []


@pytest.mark.parametrize("room", ROOMS)
def test_the_layers_name_all_that_a_room_holds(room: str) -> None:
    held = {m.parts[1] for m in modules().values() if m.room == room and m.parts[1] not in FACADES}
    assert set(_level(room)) == held


def test_folders_import_one_way() -> None:
    wrong = [
        f"{importer} → {imported}"
        for importer, imported in edges()
        if importer.room == imported.room in ROOMS and _is_upward(importer, imported)
    ]
    assert sorted(wrong) == sorted(line.strip() for line in STILL_WRONG.strip().splitlines())


def test_no_folder_inside_another_is_in_a_cycle() -> None:
    """At every depth below a room's first, where no layers are declared."""
    found = []
    for folder in {m.parts[:n] for m in modules().values() for n in range(2, len(m.parts))}:
        graph: dict[str, set[str]] = defaultdict(set)
        for importer, imported in edges():
            if importer.parts[: len(folder)] == folder == imported.parts[: len(folder)]:
                graph[importer.parts[len(folder)]].add(imported.parts[len(folder)])
        found += [(".".join(folder), *cycle) for cycle in cycles(graph)]
    assert found == []


def test_no_module_is_in_a_cycle() -> None:
    graph: dict[str, set[str]] = defaultdict(set)
    for importer, imported in edges():
        graph[str(importer)].add(str(imported))
    assert cycles(graph) == []


def test_core_knows_no_torch() -> None:
    wrong = {
        f"{module} → {name}"
        for module in modules().values()
        if module.room == "core"
        for name in imported_names(module.path)
        if name.split(".")[0] in ("torch", "torchvision", "transformers", "open_clip")
    }
    # Given to the user as a tensor, where a caller asks for one.
    assert wrong <= {"core.features → torch"}
