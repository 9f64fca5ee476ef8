"""The card's one chart: what each feature set and landmark reached, with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from alignrec.core.display import printable_line
from alignrec.core.protocols import find_protocol
from alignrec.core.vocabulary import is_own
from alignrec.export.release.scores import Score

CHART = "chart.png"
ACCENT, REST = "#2456c5", "#8b8e94"
# A chart of more rows, or of longer names, would not be read.
MOST_ROWS, LONGEST_NAME = 60, 50


def draw_chart(scores: Sequence[Score]) -> bytes:
    """A PNG of the recall under the weightiest protocol that was measured, deterministic.

    Args:
        scores: at least one; of the best `MOST_ROWS` the subjects are drawn.
    """
    from matplotlib.figure import Figure  # only a release with an evaluation has a chart

    drawn = [score for score in scores if score.protocol == scores[0].protocol][:MOST_ROWS][::-1]
    figure = Figure(figsize=(7.5, 0.8 + 0.34 * len(drawn)), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    for row, score in enumerate(drawn):
        colour = ACCENT if is_own(score.subject) else REST
        if score.low is not None and score.high is not None:
            axes.plot([score.low, score.high], [row, row], color=colour, linewidth=3, solid_capstyle="round")
        axes.plot([score.recall], [row], "o", color=colour, markersize=7)
    axes.set_yticks(range(len(drawn)), [_plain(score.subject) for score in drawn])
    axes.set_ylim(-0.6, len(drawn) - 0.4)
    axes.grid(axis="x", color="#e6e6e2")
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    axes.set_title(
        f"Recall@{drawn[0].k} on test, {_plain(find_protocol(drawn[0].protocol).label)}",
        loc="left",
        fontsize=11,
    )
    out = BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _plain(name: str) -> str:
    """A name on one line that matplotlib reads as no formula."""
    text = printable_line(name)
    text = text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"
    return text.replace("$", r"\$")
