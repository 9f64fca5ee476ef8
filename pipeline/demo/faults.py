"""The demo's faults: what real catalogues contain, so that the demo shows what becomes of it.

Unreadable: `TRUNCATED`'s picture ends half-way; `MISSING` has none on disk; `NO_TEXT` has no words;
`DUPLICATE` occurs a second time, as another product; two interactions name an unknown item or carry a rating
that is no number. Odd but fine: `MISLABELLED` is a JPEG named .png; `CMYK` a print-ready JPEG; `TURNED` lies
on its side, as its EXIF orientation says.

With sound: `CUT` ends half-way, `SILENT` is silence, `SEEN` is a picture; `RENAMED` has another ending than
its format, which is no fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from alignrec.core.vocabulary import IMAGE
from alignrec.pipeline.demo.tones import RATE, write_tone

TRUNCATED, MISSING, NO_TEXT, DUPLICATE = "p0003", "p0005", "p0007", "p0009"
MISLABELLED, CMYK, TURNED = "p0011", "p0013", "p0015"
SOUND = "sound"  # the column of sounds
CUT, SILENT, SEEN, RENAMED = "p0002", "p0004", "p0006", "p0008"
_ORIENTATION, _TURN_RIGHT = 0x0112, 6  # EXIF: turn clockwise by a quarter to see it upright

Record = dict[str, Any]
Row = tuple[str, str, str, str]


def break_images(folder: Path) -> None:
    """Spoil, replace or remove the pictures named above, in `folder`/images."""
    images = folder / "images"
    truncated = images / f"{TRUNCATED}.png"
    data = truncated.read_bytes()
    truncated.write_bytes(data[: len(data) // 2])
    (images / f"{MISSING}.png").unlink()
    with Image.open(images / f"{MISLABELLED}.png") as picture:
        picture.load()
    picture.save(images / f"{MISLABELLED}.png", format="JPEG", quality=90)
    cmyk = images / f"{CMYK}.png"
    with Image.open(cmyk) as picture:
        picture.convert("CMYK").save(cmyk.with_suffix(".jpg"), quality=90)
    turned = images / f"{TURNED}.png"
    with Image.open(turned) as picture:
        exif = Image.Exif()
        exif[_ORIENTATION] = _TURN_RIGHT
        lying = picture.transpose(Image.Transpose.ROTATE_90)
        lying.save(turned.with_suffix(".jpg"), quality=90, exif=exif)
    cmyk.unlink()
    turned.unlink()


def break_sounds(folder: Path) -> None:
    """Spoil, replace or rename the sounds named above, in `folder`/sounds; the pictures are there already."""
    sounds = folder / "sounds"
    cut, silent, seen, renamed = (sounds / f"{item}.wav" for item in (CUT, SILENT, SEEN, RENAMED))
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    write_tone(silent, np.zeros(RATE, dtype="<i2"))
    seen.write_bytes((folder / "images" / f"{SEEN}.png").read_bytes())
    renamed.rename(renamed.with_suffix(".mp3"))


def break_items(records: Sequence[Record]) -> list[Record]:
    """The items with their faults: one without words, one twice, some whose files have another ending."""
    broken = {record["item_id"]: dict(record) for record in records}
    broken[NO_TEXT] |= {"title": "", "category": "", "theme": "", "finish": "", "description": "  "}
    for item in (CMYK, TURNED):
        broken[item][IMAGE] = f"images/{item}.jpg"
    if SOUND in broken[RENAMED]:
        broken[RENAMED][SOUND] = f"sounds/{RENAMED}.mp3"
    again = broken[DUPLICATE] | {"title": "Another product under the same id"}
    return [*broken.values(), again]


def break_interactions(rows: Sequence[Row]) -> list[Row]:
    """The interactions, and two that cannot be used, a second after the last."""
    user, item, rating, time = rows[-1]
    later = str(int(time) + 1)
    return [*rows, (user, "p-unknown", rating, later), (user, item, "great", later)]
