from __future__ import annotations

from pathlib import Path

import yaml

from alignrec.pipeline.catalog.sources.source import Draft
from alignrec.pipeline.commands.config_template import render
from alignrec.pipeline.config.settings import Config


def test_what_was_found_is_written_and_what_was_not_has_its_default() -> None:
    draft = Draft(
        {"path": "a.csv", "id": "sku", "image": None},
        notes=["Look at this.", "Two\nlines,\u2028three \0 with a null."],
    )
    text = render("my shop", draft)
    assert "# Note: Look at this.\n# Note: Two\n# lines,\n# three   with a null.\n" in text
    assert '    id: "sku"  # the column of item ids\n' in text
    assert yaml.safe_load(text) == {
        "name": "my shop",
        "out": "runs/my shop",
        "seed": 1,
        "catalog": {"items": draft.items},
        "split": {"method": "random", "ratios": [0.8, 0.1, 0.1], "k_core": 5},
        "extract": {
            "image": "packaged:efficientnet-lite0",
            "text": "packaged:all-minilm-l6-v2",
            "max_rejected": 0.05,
        },
        "export": {"license": None},
    }
    full = Draft({"path": "é.csv"}, {"path": "log.csv"}, {"method": "temporal"}, {"text": "given:x.npy"})
    loaded = yaml.safe_load(render("shop", full, [Path("/own/plugin.py")]))
    assert loaded["plugins"] == ["/own/plugin.py"]
    assert loaded["catalog"] == {"items": {"path": "é.csv"}, "interactions": {"path": "log.csv"}}
    assert (loaded["split"], loaded["extract"]["text"]) == ({"method": "temporal"}, "given:x.npy")


def test_modalities_that_were_found_are_written_with_their_model() -> None:
    heard = {"audio": {"type": "audio", "columns": ["clip"]}}
    loaded = yaml.safe_load(render("shop", Draft({"path": "a.csv", "text": "{title}"}, modalities=heard)))
    assert loaded["catalog"]["modalities"] == heard
    assert loaded["extract"]["audio"] == "signal:log-mel"


def test_the_fields_of_the_text_are_shown_as_modalities_in_a_comment() -> None:
    draft = Draft({"path": "a.csv", "text": "{title}. {plot} {text} {user} {a b}"})
    text = render("shop", draft)
    assert "modalities" not in yaml.safe_load(text)["catalog"]
    start = text.index("  # modalities:")
    block = "\n".join(
        line.replace("  # ", "  ", 1) for line in text[start:].splitlines() if "  #" in line[:3]
    )
    shown = yaml.safe_load(f"catalog:\n  items: {{path: a.csv}}\n{block}")
    assert list(Config.model_validate(shown).modalities) == ["title", "plot"]
