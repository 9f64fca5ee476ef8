"""Item pictures beside a release: Parquet that only a push asked to take them along sends."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from alignrec.core.files import replacing_folder, write_bytes
from alignrec.core.names import inside
from alignrec.core.vocabulary import IMAGE
from alignrec.export.errors import ReleaseError
from alignrec.export.release.manifest import IMAGES, MANIFEST, FileEntry, Manifest, describe_file

PART_BYTES, ROW_GROUP_BYTES = 1 << 28, 1 << 25
# So that `datasets` and the Hub's viewer know pictures when they see them; they ask for these very types.
_FEATURES = {"item_id": {"dtype": "string", "_type": "Value"}, IMAGE: {"_type": "Image"}}
SCHEMA = pa.schema(
    [
        pa.field("item_id", pa.string(), nullable=False),
        pa.field(IMAGE, pa.struct({"bytes": pa.binary(), "path": pa.string()})),
    ],
    metadata={"huggingface": json.dumps({"info": {"features": _FEATURES}})},
)
Picture = tuple[str, bytes]


def add_images(release: Path, pictures: Iterable[Picture], folder: Path) -> Manifest:
    """Write a copy of a release that holds its items' pictures too, as `images/part-*.parquet`.

    The columns are `item_id` and `image`, the file's bytes as they are. Pictures are no part of the
    release's identity: `release_id` stays.

    Args:
        release: the release; its files are linked, not copied, where the disk can.
        pictures: (item id, the file's bytes), in the order in which they are written.
        folder: where the copy goes, whole or not at all.

    Raises:
        ReleaseError: the release holds pictures already, or there is none to add.
        OutsideError: one of its files is a link out of it.
    """
    manifest = Manifest.read(release)
    if manifest.images:
        raise ReleaseError(f"{release} holds pictures already")
    with replacing_folder(folder) as new:
        for entry in manifest.files:
            target = inside(new, entry.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            _link(inside(release, entry.path), target)
        added = _write(pictures, new)
        if not added:
            raise ReleaseError(f"there is not one picture of an item of {release}")
        whole = Manifest.make([*manifest.files, *added], manifest.sets, manifest.provenance)
        write_bytes(new / MANIFEST, whole.to_bytes())
    return whole


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or one that knows no links
        shutil.copyfile(source, target)


def _write(pictures: Iterable[Picture], folder: Path) -> list[FileEntry]:
    """Write parts below `folder`; in memory is one row group at a time."""
    groups = _grouped(pictures)
    entries: list[FileEntry] = []
    (folder / IMAGES).mkdir()
    for first in groups:
        path, size, rows = folder / IMAGES / f"part-{len(entries):05d}.parquet", 0, 0
        # Pictures are compressed already.
        with pq.ParquetWriter(path, SCHEMA, compression="none", use_dictionary=False) as writer:
            for group in chain([first], groups):
                writer.write_table(_table(group))
                rows += len(group)
                size += sum(len(data) for _, data in group)
                if size >= PART_BYTES:
                    break
        entries.append(describe_file(folder, path, rows))
    return entries


def _grouped(pictures: Iterable[Picture]) -> Iterator[list[Picture]]:
    """Pictures in runs of about `ROW_GROUP_BYTES`."""
    run: list[Picture] = []
    size = 0
    for item_id, data in pictures:
        run.append((item_id, data))
        size += len(data)
        if size >= ROW_GROUP_BYTES:
            yield run
            run, size = [], 0
    if run:
        yield run


def _table(group: list[Picture]) -> pa.Table:
    images = [{"bytes": data, "path": None} for _, data in group]
    return pa.table([[item_id for item_id, _ in group], images], schema=SCHEMA)
