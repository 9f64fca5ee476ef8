"""The demo's faults: what real catalogues contain, so that the demo shows what becomes of it.

Unreadable: `TRUNCATED`'s picture ends half-way; `MISSING` has none on disk; `NO_TEXT` has no words;
`DUPLICATE` occurs a second time, as another product; two interactions name an unknown item or carry a rating
that is no number. Odd but fine: `MISLABELLED` is a JPEG named .png; `CMYK` a print-ready JPEG; `TURNED` lies
on its side, as its EXIF orientation says.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from alignrec.core.vocabulary import IMAGE

TRUNCATED, MISSING, NO_TEXT, DUPLICATE = "p0003", "p0005", "p0007", "p0009"
MISLABELLED, CMYK, TURNED = "p0011", "p0013", "p0015"
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


def break_items(records: Sequence[Record]) -> list[Record]:
    """The items with their faults: one without words, one twice, two with JPEG pictures."""
    broken = {record["item_id"]: dict(record) for record in records}
    broken[NO_TEXT] |= {"title": "", "category": "", "description": "  "}
    for item in (CMYK, TURNED):
        broken[item][IMAGE] = f"images/{item}.jpg"
    again = broken[DUPLICATE] | {"title": "Another product under the same id"}
    return [*broken.values(), again]


def break_interactions(rows: Sequence[Row]) -> list[Row]:
    """The interactions, and two that cannot be used, a second after the last."""
    user, item, rating, time = rows[-1]
    later = str(int(time) + 1)
    return [*rows, (user, "p-unknown", rating, later), (user, item, "great", later)]
