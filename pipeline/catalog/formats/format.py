"""Table files in the formats people have, found by their names' endings; ids are never reinterpreted.

A format is one object in one module of this folder, or of a plugin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alignrec.core.errors import nearest_file
from alignrec.core.files import open_regular
from alignrec.core.plugins import Registry
from alignrec.pipeline.catalog.files import readable
from alignrec.pipeline.catalog.tables import Table
from alignrec.pipeline.config.paths import named_split
from alignrec.pipeline.errors import CatalogError


@dataclass(frozen=True)
class TableFormat:
    """A format of table files.

    Attributes:
        name: of the format.
        endings: of its files' names, such as `.csv`; gzipped ones end in `.csv.gz`.
        open: from the file, which exists, to the table; raises CatalogError where it is damaged. A folder's
            name may end in `#SPLIT`.
    """

    name: str
    endings: tuple[str, ...]
    open: Callable[[Path], Table]


FORMATS = Registry(TableFormat, "table format", "alignrec.pipeline.catalog.formats")
FOLDER = "dataset folder"  # the format of folders, which have no ending


def formats_by_ending() -> dict[str, TableFormat]:
    """The formats, by each ending of file names."""
    return {ending: form for form in FORMATS.values() for ending in form.endings}


def format_of(file: Path) -> TableFormat | None:
    """The format that a file's name says it has; None where there is none of that ending."""
    suffixes = [suffix.lower() for suffix in file.suffixes[-2:]]
    ending = suffixes[-2] if len(suffixes) == 2 and suffixes[-1] == ".gz" else "".join(suffixes[-1:])
    return formats_by_ending().get(ending)


def open_table(path: str) -> Table:
    """Open a table file by its name's ending, or a saved dataset's folder, `#SPLIT` behind it for one split.

    Raises:
        CatalogError: there is nothing there, it cannot be read, or the format is not known.
    """
    file = Path(path)
    if Path(named_split(path)[0]).is_dir():
        return FORMATS[FOLDER].open(file)
    if not file.exists():
        raise CatalogError(
            f"there is no table at {path}.{nearest_file(file)} The path starts from the config's folder."
        )
    form = format_of(file)
    if form is None:
        raise CatalogError(
            f"{path}: the format of {file.suffix or 'a name without ending'} is not known. Expected one of "
            f"{', '.join(formats_by_ending())}, the folder of a saved Hugging Face dataset, or hf:ORG/NAME."
        )
    with readable(file):
        open_regular(file).close()
    return form.open(file)
