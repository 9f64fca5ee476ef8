"""What commands print for a person: whatever others wrote in it does nothing to the terminal."""

from __future__ import annotations

import typer

from alignrec.core.display import printable


def say(message: object, *, err: bool = False) -> None:
    """Print a message and end the line.

    Args:
        message: one line or several.
        err: to standard error; standard output is for answers.
    """
    typer.echo(printable(str(message)), err=err)
