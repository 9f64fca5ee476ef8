"""Draw a product picture: its shape, finish, place and backdrop, and nothing that needs a font."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageEnhance

from alignrec.pipeline.demo.shapes import silhouette

Colour = tuple[int, int, int]
SIDE = 256
_FULL = 2 * SIDE  # drawn larger and shrunk, which smooths the edges

# Where the product stands: steps from the middle, to the right and down.
PLACES: dict[str, tuple[int, int]] = {
    "upper left": (-1, -1),
    "upper right": (1, -1),
    "lower left": (-1, 1),
    "lower right": (1, 1),
}
_STEP, _SLACK = 0.2, 0.03  # of the side


@dataclass(frozen=True)
class Finish:
    """A main colour, and a pattern drawn in another."""

    main: Colour
    accent: Colour
    pattern: Callable[[ImageDraw.ImageDraw, Colour, int], None]


@dataclass(frozen=True)
class Look:
    """What a picture shows: a name each from `SHAPES`, `FINISHES`, `PLACES` and `BACKDROPS`."""

    shape: str
    finish: str
    place: str
    backdrop: str


@dataclass(frozen=True)
class Chance:
    """What no attribute decides.

    Attributes:
        tint: a colour over the backdrop.
        veil: how much of it, from 0 to 1.
        repeat: of the finish's pattern, as a share of the side.
        size: of the product, as a share of the side.
        tilt: in degrees.
        slip: of the product from its place, right and down, as shares of the side.
        light: 1 leaves the picture as bright as it is.
    """

    tint: Colour
    veil: float
    repeat: float
    size: float
    tilt: float
    slip: tuple[float, float]
    light: float

    @classmethod
    def by(cls, rng: np.random.Generator) -> Self:
        """Draw all of it."""
        red, green, blue = (int(v) for v in rng.integers(60, 256, size=3))
        veil, repeat = float(rng.uniform(0.0, 0.35)), float(rng.uniform(0.06, 0.09))
        size, tilt = float(rng.uniform(0.46, 0.56)), float(rng.uniform(-14, 14))
        slip = (float(rng.uniform(-_SLACK, _SLACK)), float(rng.uniform(-_SLACK, _SLACK)))
        return cls((red, green, blue), veil, repeat, size, tilt, slip, float(rng.uniform(0.85, 1.1)))


def draw(look: Look, chance: Chance) -> Image.Image:
    """One product picture.

    Args:
        look: what to show.
        chance: everything else.

    Returns:
        RGB image, `SIDE` x `SIDE` pixels.
    """
    canvas = Image.new("RGB", (_FULL, _FULL), (235, 235, 235))
    BACKDROPS[look.backdrop](ImageDraw.Draw(canvas))
    canvas = Image.blend(canvas, Image.new("RGB", (_FULL, _FULL), chance.tint), chance.veil)
    finish = FINISHES[look.finish]
    cover = Image.new("RGB", (_FULL, _FULL), finish.main)
    finish.pattern(ImageDraw.Draw(cover), finish.accent, int(_FULL * chance.repeat))
    x, y = (_FULL * (_STEP * step + slip) for step, slip in zip(PLACES[look.place], chance.slip, strict=True))
    masks = silhouette(look.shape, _FULL)
    body, details = (_place(mask, chance.size, chance.tilt, x, y) for mask in masks)
    canvas.paste((20, 20, 20), mask=ImageChops.offset(body, 10, 14).point(lambda v: v / 3))
    canvas.paste(cover, mask=body)
    canvas.paste(tuple(tone // 3 for tone in finish.main), mask=details)
    canvas = canvas.resize((SIDE, SIDE), Image.Resampling.BOX)
    return ImageEnhance.Brightness(canvas).enhance(chance.light)


def _place(mask: Image.Image, size: float, tilt: float, x: float, y: float) -> Image.Image:
    """Shrink a mask, turn it by `tilt` degrees and move it, about the middle of the picture."""
    middle, angle = _FULL / 2, math.radians(tilt)
    cos, sin = math.cos(angle) / size, math.sin(angle) / size
    left, top = middle + x, middle + y
    matrix = (cos, sin, middle - cos * left - sin * top, -sin, cos, middle + sin * left - cos * top)
    return mask.transform(mask.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


def _plain(pen: ImageDraw.ImageDraw, colour: Colour, step: int) -> None:
    """A plain cover."""


def _stripes(pen: ImageDraw.ImageDraw, colour: Colour, step: int) -> None:
    for y in range(0, _FULL, step):
        pen.rectangle((0, y, _FULL, y + step // 2), fill=colour)


def _dots(pen: ImageDraw.ImageDraw, colour: Colour, step: int) -> None:
    for row, y in enumerate(range(0, _FULL, step)):
        for x in range(step // 2 * (row % 2), _FULL, step):
            pen.ellipse((x, y, x + step // 2, y + step // 2), fill=colour)


def _zigzag(pen: ImageDraw.ImageDraw, colour: Colour, step: int) -> None:
    for y in range(-step, _FULL + step, 2 * step):
        points = [(x, y + step * (i % 2)) for i, x in enumerate(range(0, _FULL + step, step))]
        pen.line(points, fill=colour, width=step // 2)


def _studio(pen: ImageDraw.ImageDraw) -> None:
    pen.rectangle((0, int(0.84 * _FULL), _FULL, _FULL), fill=(176, 176, 180))


def _planks(pen: ImageDraw.ImageDraw) -> None:
    plank = _FULL // 5
    for row in range(5):
        tone = 12 * (row % 3)
        pen.rectangle((0, row * plank, _FULL, (row + 1) * plank), fill=(150 + tone, 106 + tone, 62 + tone))
        for grain in (0.3, 0.55, 0.8):
            y = int((row + grain) * plank)
            pen.line((0, y, _FULL, y), fill=(122 + tone, 82 + tone, 44 + tone), width=3)


FINISHES: dict[str, Finish] = {
    "plain red": Finish((200, 28, 38), (255, 226, 216), _plain),
    "striped yellow": Finish((246, 196, 30), (110, 70, 10), _stripes),
    "dotted green": Finish((34, 139, 62), (214, 246, 196), _dots),
    "zigzag blue": Finish((28, 78, 190), (200, 230, 255), _zigzag),
}
BACKDROPS: dict[str, Callable[[ImageDraw.ImageDraw], None]] = {
    "studio": _studio,
    "planks": _planks,
}
