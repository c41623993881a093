"""What the talk and the papers say, as tests with an interval. numpy-free, no torch.

A chapter collects its claims in one :class:`Claims`, which is the table at its end.
"""

import html
import json
import math
import os
from pathlib import Path

HOLDS, FAILS, UNSURE = "holds", "does not hold", "cannot tell at this scale"


def verdict(low: float, high: float, least: float, most: float = math.inf) -> str:
    """Of a claim that a quantity with interval (low, high) lies within least to most.

    It holds if the interval lies inside, does not hold if it lies outside, and the
    data can't tell if it straddles a bound or is not a number.
    """
    if not low <= high:
        return UNSURE
    if least <= low and high <= most:
        return HOLDS
    return FAILS if high < least or low > most else UNSURE


class Claims:
    """Claims of one chapter; kept for the run's table in the folder $TTS_CLAIMS."""

    def __init__(self, chapter: str):
        self.chapter, self.rows = chapter, []

    def add(
        self, claim, source, estimate, *, least=0.0, most=math.inf, unit="", note=""
    ):
        """Judge and keep a claim: ``estimate`` (value, low, high) is within the bounds.

        ``source`` is the slide or paper that says so, ``unit`` what the numbers are
        (``%`` shows them times 100).
        """
        value, low, high = (float(v) for v in estimate)
        row = {"claim": claim, "source": source, "measured": value}
        row |= {"interval": [low, high], "unit": unit, "note": note}
        self.rows.append(row | {"verdict": verdict(low, high, least, most)})
        if folder := os.environ.get("TTS_CLAIMS"):
            path = Path(folder) / f"{self.chapter}.json"
            path.write_text(json.dumps(self.rows, indent=1))

    def number(self, value: float, unit: str) -> str:
        if unit == "%":
            return f"{100 * value:.1f} %"
        return f"{value:.3g}{' ' + unit if unit else ''}"

    def __repr__(self):
        """Verdicts only: they must not change; digits may, from machine to machine."""
        return "\n".join(f"{row['verdict']}: {row['claim']}" for row in self.rows)

    def _repr_html_(self):
        head = ("what is said", "by", "measured", "95 % interval", "verdict")
        lines = ["<tr>" + "".join(f"<th>{h}</th>" for h in head) + "</tr>"]
        for row in self.rows:
            low, high = (self.number(v, row["unit"]) for v in row["interval"])
            claim = html.escape(row["claim"])
            if row["note"]:
                claim += f"<br><small>{html.escape(row['note'])}</small>"
            cells = (claim, html.escape(row["source"]))
            cells += (self.number(row["measured"], row["unit"]), f"{low} to {high}")
            mark = {HOLDS: "✓", FAILS: "✗", UNSURE: "?"}[row["verdict"]]
            cells += (f"{mark} {row['verdict']}",)
            style = ' style="text-align:left"'
            lines.append(
                "<tr>" + "".join(f"<td{style}>{c}</td>" for c in cells) + "</tr>"
            )
        return "<table>" + "".join(lines) + "</table>"
