"""The demo's product shapes, as lists of strokes in thousandths of a picture's side."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image, ImageDraw


@dataclass(frozen=True)
class Stroke:
    """One figure of a shape.

    Attributes:
        figure: `rectangle`, `ellipse`, `polygon`, `line`, `arc` or `pieslice`.
        points: x, y, x, y, … in thousandths of the side.
        width: of lines and arcs, in thousandths of the side; 0 fills the figure.
        angles: start and end of arcs and pies, in degrees, clockwise from three o'clock.
        detail: drawn in the dark tone over the product, not in its colours.
    """

    figure: str
    points: tuple[float, ...]
    width: float = 0
    angles: tuple[float, float] | None = None
    detail: bool = False

    def onto(self, mask: Image.Image) -> None:
        """Draw the figure on a square mask (`L`, 255 inside)."""
        unit = mask.width / 1000
        options: dict[str, float] = {"width": round(self.width * unit)} if self.width else {}
        if self.angles is not None:
            options |= {"start": self.angles[0], "end": self.angles[1]}
        getattr(ImageDraw.Draw(mask), self.figure)([p * unit for p in self.points], fill=255, **options)


def _line(*points: float, width: float = 28) -> Stroke:
    return Stroke("line", points, width=width, detail=True)


def _around(count: int, radius: float) -> list[tuple[float, float]]:
    turns = [2 * math.pi * i / count for i in range(count)]
    return [(500 + radius * math.sin(t), 500 - radius * math.cos(t)) for t in turns]


SHAPES: dict[str, tuple[Stroke, ...]] = {
    "mug": (
        Stroke("arc", (540, 340, 860, 680), width=60, angles=(-110, 110)),
        Stroke("rectangle", (220, 260, 680, 780)),
        Stroke("ellipse", (220, 720, 680, 840)),
        Stroke("ellipse", (220, 200, 680, 320)),
        Stroke("ellipse", (250, 220, 650, 300), detail=True),
    ),
    "teapot": (
        Stroke("arc", (60, 380, 360, 680), width=50, angles=(60, 320)),
        Stroke("polygon", (660, 640, 880, 330, 950, 350, 760, 740)),
        Stroke("ellipse", (200, 340, 780, 800)),
        Stroke("ellipse", (435, 235, 545, 345)),
        Stroke("arc", (300, 325, 680, 445), width=16, angles=(0, 180), detail=True),
    ),
    "bottle": (
        Stroke("rectangle", (430, 120, 570, 360)),
        Stroke("polygon", (430, 330, 570, 330, 680, 460, 320, 460)),
        Stroke("rectangle", (320, 455, 680, 900)),
        Stroke("rectangle", (415, 80, 585, 170), detail=True),
    ),
    "lamp": (
        Stroke("polygon", (350, 130, 650, 130, 820, 500, 180, 500)),
        Stroke("ellipse", (300, 830, 700, 930)),
        _line(500, 500, 500, 860, width=45),
    ),
    "chair": (
        Stroke("rectangle", (270, 100, 730, 480)),
        Stroke("polygon", (270, 540, 730, 540, 800, 660, 200, 660)),
        _line(320, 480, 320, 560, width=40),
        _line(680, 480, 680, 560, width=40),
        _line(230, 660, 230, 940, width=40),
        _line(770, 660, 770, 940, width=40),
    ),
    "clock": (
        Stroke("ellipse", (130, 130, 870, 870)),
        *(Stroke("ellipse", (x - 22, y - 22, x + 22, y + 22), detail=True) for x, y in _around(12, 310)),
        _line(500, 500, 500, 250),
        _line(500, 500, 660, 590),
    ),
    "shirt": (
        Stroke("polygon", (330, 170, 670, 170, 720, 220, 720, 880, 280, 880, 280, 220)),
        Stroke("polygon", (340, 165, 300, 440, 150, 520, 60, 350)),
        Stroke("polygon", (660, 165, 700, 440, 850, 520, 940, 350)),
        Stroke("pieslice", (400, 90, 600, 270), angles=(0, 180), detail=True),
    ),
    "backpack": (
        Stroke("arc", (400, 80, 600, 280), width=40, angles=(180, 360)),
        Stroke("rectangle", (240, 220, 760, 900)),
        Stroke("pieslice", (240, 140, 760, 320), angles=(180, 360)),
        _line(300, 570, 700, 570, 700, 830, 300, 830, 300, 570, width=15),
        _line(370, 240, 370, 480, width=40),
        _line(630, 240, 630, 480, width=40),
    ),
    "umbrella": (
        Stroke("pieslice", (80, 140, 920, 980), angles=(180, 360)),
        _line(500, 100, 500, 860),
        Stroke("arc", (386, 800, 514, 930), width=28, angles=(0, 180), detail=True),
    ),
}


def silhouette(shape: str, side: int) -> tuple[Image.Image, Image.Image]:
    """Masks (`L`, `side` x `side`) of a shape's body and of its details; KeyError for an unknown name."""
    body, details = Image.new("L", (side, side)), Image.new("L", (side, side))
    for stroke in SHAPES[shape]:
        stroke.onto(details if stroke.detail else body)
    return body, details
