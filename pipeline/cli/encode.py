"""The commands for items that a release has never seen: encode them, or add them to it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alignrec.core.vocabulary import IMAGE
from alignrec.pipeline.cli.diff import open_reference
from alignrec.pipeline.cli.output import say
from alignrec.pipeline.cli.plugins import Plugins

if TYPE_CHECKING:
    from alignrec.export.release.opened import Release
    from alignrec.pipeline.commands.encode import Encoded

Items = Annotated[str, typer.Argument(help="A table, as catalog.items.path names one.")]
From = Annotated[str, typer.Option("--release", help="A release folder, OWNER/NAME or OWNER/NAME@X.Y.Z.")]
Out = Annotated[Path, typer.Option("--out", help="Folder of the work; its release/ is the result.")]
Id = Annotated[str | None, typer.Option("--id", help="Column of ids; default: the release's.")]
Image = Annotated[str | None, typer.Option("--image", help="Column of pictures; default: the same.")]
Root = Annotated[
    str | None, typer.Option("--image-root", help="Pictures' folder or URL; default: the table's.")
]
Extractors = Annotated[
    list[str] | None,
    typer.Option(
        "--extractor",
        help="Where a model of the release is: text=transformers:PATH",
        metavar="K=V",
    ),
]
Share = Annotated[
    float, typer.Option("--max-rejected", min=0, max=1, help="Share of unusable inputs that stops the run.")
]
Engine = Annotated[str, typer.Option(help="Where extractors run.", metavar="local|ray", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


def encode(
    items: Items,
    release: From,
    out: Out,
    item_id: Id = None,
    image: Image = None,
    image_root: Root = None,
    extractors: Extractors = None,
    max_rejected: Share = 0.05,
    engine: Engine = "local",
    plugins: Plugins = None,  # noqa: ARG001 (loaded as the option is read)
    as_json: Json = False,
) -> None:
    """Make a release's features for items it has never seen.

    Its own models, columns and template serve: other models are refused.
    A path that it names is not opened: say with --extractor where that is.
    Killed, the same command goes on.
    """
    from alignrec.export.release.write import write_release

    source = open_reference(release)
    encoded = _encode(items, source, out, item_id, image, image_root, extractors or [], max_rejected, engine)
    provenance = {
        "name": source.manifest.provenance.get("name"),
        "licence": source.manifest.provenance.get("licence"),
        "encoded_with": source.manifest.release_id,
    }
    manifest = write_release(
        out / "release", encoded.sets, encoded.rejected, provenance, extractors=encoded.extractors
    )
    rows = len(encoded.sets[0].ids)
    answer = {"items": rows, "folder": str(out / "release"), "release_id": manifest.release_id}
    line = f"{rows:,} items, {', '.join(f.name for f in encoded.sets)}: {out / 'release'}"
    say(json.dumps(answer) if as_json else line)


def extend(
    items: Items,
    release: From,
    out: Out,
    item_id: Id = None,
    image: Image = None,
    image_root: Root = None,
    extractors: Extractors = None,
    max_rejected: Share = 0.05,
    engine: Engine = "local",
    plugins: Plugins = None,  # noqa: ARG001 (loaded as the option is read)
    as_json: Json = False,
) -> None:
    """Make a release with new items appended.

    What the release holds stays as it is, to the byte, and is not sent again by `alignrec push`. Items
    that it has already are left out.
    """
    from alignrec.export.release.extend import extend_release, known_ids, without

    source = open_reference(release)
    encoded = _encode(items, source, out, item_id, image, image_root, extractors or [], max_rejected, engine)
    known = known_ids(source).intersection(encoded.sets[0].ids)
    sets = [without(features, known) for features in encoded.sets]
    rejected = [row for row in encoded.rejected if row["item_id"] not in known]
    manifest = extend_release(source, sets, rejected, out / "release")
    answer = {"added": len(sets[0].ids), "there": len(known), "release_id": manifest.release_id}
    line = f"{len(sets[0].ids):,} items added, {len(known):,} were there: {out / 'release'}"
    say(json.dumps(answer | {"folder": str(out / "release")}) if as_json else line)


def _encode(
    items: str,
    source: Release,
    out: Path,
    item_id: str | None,
    image: str | None,
    image_root: str | None,
    extractors: list[str],
    max_rejected: float,
    engine: str,
) -> Encoded:
    from alignrec.pipeline.commands.encode import encode as encode_items
    from alignrec.pipeline.config.catalog import ItemsConfig
    from alignrec.pipeline.runner.console import Console

    chosen = dict(pair.partition("=")[::2] for pair in extractors)
    if not all(chosen.values()):
        raise typer.BadParameter("expected MODALITY=NAME, such as image=NAME", param_hint="--extractor")
    named = {key: column for key, column in (("id", item_id), (IMAGE, image)) if column is not None}
    table = ItemsConfig(path=items, text=None, image_root=image_root, **named)
    return encode_items(
        source, table, out, Console(), extractors=chosen, max_rejected=max_rejected, engine=engine
    )


def register(app: typer.Typer) -> None:
    """Add these commands to the main command."""
    for command in (encode, extend):
        app.command()(command)
