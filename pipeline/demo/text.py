"""The words of the demo's products: what the text says of a shape, a theme and an audience."""

from __future__ import annotations

import numpy as np

NOUNS: dict[str, tuple[str, ...]] = {
    "mug": ("mug", "coffee mug", "cup"),
    "teapot": ("teapot", "tea pot"),
    "bottle": ("bottle", "water bottle", "flask"),
    "lamp": ("lamp", "table lamp", "bedside light"),
    "chair": ("chair", "seat"),
    "clock": ("clock", "wall clock"),
    "shirt": ("shirt", "T-shirt", "tee"),
    "backpack": ("backpack", "rucksack"),
    "umbrella": ("umbrella", "brolly"),
}
CATEGORIES: dict[str, tuple[str, ...]] = {
    "Kitchen": ("mug", "teapot", "bottle"),
    "Home": ("lamp", "chair", "clock"),
    "Wear": ("shirt", "backpack", "umbrella"),
}
THEMES: dict[str, tuple[str, ...]] = {
    "music": (
        "A gift for anyone who plays the guitar or sings in a band.",
        "Carries the spirit of concerts, vinyl records and jazz.",
        "Designed with drummers and pianists who tour all year.",
    ),
    "gardening": (
        "For those who grow roses and tomatoes in the backyard.",
        "Inspired by seeds, soil and a greenhouse in spring.",
        "At home among flower beds, herbs and watering cans.",
    ),
    "space": (
        "A tribute to astronauts, rockets and the moon landing.",
        "For stargazers who know every planet and galaxy.",
        "Celebrates telescopes, satellites and the night sky.",
    ),
    "cats": (
        "For people whose kitten rules the house.",
        "A must for cat lovers, with whiskers and paws in mind.",
        "Made in honour of every purring feline.",
    ),
}
AUDIENCES: dict[str, tuple[str, ...]] = {
    "toddlers": ("Safe for toddlers and small children.", "Sized for little hands at nursery."),
    "students": ("Popular with students on campus.", "Fits a college dorm and exam season."),
    "seniors": ("Easy to use for grandparents and retirees.", "Thought out for elderly users."),
    "athletes": ("Built for athletes and the gym.", "Keeps up with runners and training days."),
}
_BRANDS = (
    "Aldora",
    "Brevik",
    "Castine",
    "Dunmoor",
    "Elvana",
    "Fjordby",
    "Garnett",
    "Holmar",
    "Isenby",
    "Jorvan",
)
_FILLER = (
    "Ships within two working days by courier.",
    "Comes with a two-year guarantee from the maker.",
    "Free returns and a full refund for thirty days.",
    "Packed in recycled cardboard without any plastic.",
    "Cheaper in a set of two during our holiday sale.",
    "Please read the washing instructions before first use.",
    "Rated five stars by thousands of previous buyers.",
    "Part of the profit is donated to charity.",
)


def category_of(shape: str) -> str:
    """The category a shape is sold under; StopIteration for an unknown shape."""
    return next(name for name, shapes in CATEGORIES.items() if shape in shapes)


def title(number: int, shape: str, audience: str, rng: np.random.Generator) -> str:
    """A title such as `Brevik students' coffee mug 117`; `number` makes it the only one of its name."""
    return f"{_pick(_BRANDS, rng)} {audience}' {_pick(NOUNS[shape], rng)} {number}"


def description(theme: str, audience: str, rng: np.random.Generator) -> str:
    """A few sentences in any order: of the theme, of the audience, and one that tells nothing."""
    sentences = [_pick(THEMES[theme], rng), *AUDIENCES[audience], _pick(_FILLER, rng)]
    return " ".join(sentences[i] for i in rng.permutation(len(sentences)))


def _pick(choices: tuple[str, ...], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]
