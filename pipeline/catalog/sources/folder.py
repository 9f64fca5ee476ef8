"""What lies in a catalogue's folder: its files, and pictures that go by their item's id."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from alignrec.extractors.modality import IMAGE

PICTURES = IMAGE.endings
NO_PICTURES = "No pictures were found: image is null, and the run goes by text alone."


def files_below(folder: Path) -> list[Path]:
    """Files in a folder and one level below, nearest first; hidden ones are left out."""
    found = [p for p in (*folder.glob("*"), *folder.glob("*/*")) if p.is_file() and p.name[0] != "."]
    return sorted(found, key=lambda p: (len(p.parts), p.name))


def picture_folder(folder: Path) -> str | None:
    """The folder that holds most pictures: `folder` or one in it, relative to `folder`; None without any."""
    counts = {
        place: sum(p.suffix.lower() in PICTURES for p in place.iterdir())
        for place in (folder, *(p for p in sorted(folder.iterdir()) if p.is_dir()))
    }
    best = max(counts, key=lambda place: counts[place])
    return best.relative_to(folder).as_posix() if counts[best] else None


def pictures_by_id(folder: Path) -> dict[str, str]:
    """File names in a folder by what comes before their ending."""
    return {path.stem: path.name for path in sorted(folder.iterdir()) if path.suffix.lower() in PICTURES}


def picture_stem(item_id: str) -> str:
    """The name, without ending, under which an item's picture is looked for: its id, percent-encoded."""
    return quote(item_id, safe="")
