"""What the talk and the papers say, as tests with an interval. No torch.

A chapter collects its claims in one :class:`Claims`, which is the table at its end.
"""

import html
import json
import math
import os
from pathlib import Path

import numpy as np

HOLDS, FAILS, UNSURE = "holds", "does not hold", "cannot tell at this scale"


def verdict(low: float, high: float, least: float, most: float = math.inf) -> str:
    """Of a claim that a quantity with interval (low, high) lies within least to most.

    It holds if the interval lies inside, does not hold if it lies outside, and the
    data can't tell if it straddles or touches a bound or is not a number: a difference
    of exactly nothing is no rise.
    """
    if not low <= high:
        return UNSURE
    if least < low and high < most:
        return HOLDS
    return FAILS if high < least or low > most else UNSURE


class Claims:
    """Claims of one chapter; kept for the run's table in the folder $TTS_CLAIMS."""

    def __init__(self, chapter: str):
        self.chapter, self.rows, self.checks = chapter, [], []

    def add(
        self,
        claim,
        source,
        estimate,
        *,
        over: str,
        least=0.0,
        most=math.inf,
        unit="",
        seeds: int = 1,
        key="",
        note="",
    ):
        """Judge and keep a claim: ``estimate`` (value, low, high) is within the bounds.

        ``source`` is the slide or paper that says so; ``over`` what the interval draws
        anew and how many ("200 problems"); ``seeds`` how many runs stand behind it.
        ``unit``: ``%`` for shares, ``points`` for differences of shares (both are shown
        times 100), else what the numbers are. ``key`` names the row, so that prose can
        point at it (:meth:`link`).
        """
        value, low, high = (float(v) for v in estimate)
        row = {"claim": claim, "source": source, "measured": value, "over": over}
        row |= {"interval": [low, high], "unit": unit, "seeds": seeds, "note": note}
        row |= {"key": key or str(len(self.rows) + 1)}
        self.rows.append(row | {"verdict": verdict(low, high, least, most)})
        if folder := os.environ.get("TTS_CLAIMS"):
            path = Path(folder) / f"{self.chapter}.json"
            path.write_text(json.dumps(self.rows, indent=1))

    def check(self, what: str, agree: bool):
        """Two routes to one number: they must agree, whatever the data.

        A code check is not a claim, as it cannot fail in the world: AssertionError.
        """
        assert agree, f"{what}: the two routes disagree"
        self.checks.append(what)

    def __getitem__(self, key: str) -> dict:
        """The row that ``key`` names; KeyError if there is none."""
        for row in self.rows:
            if row["key"] == key:
                return row
        raise KeyError(f"no claim has the key {key!r}")

    def verdict(self, key: str) -> str:
        """The verdict of the row that ``key`` names."""
        return self[key]["verdict"]

    def link(self, *keys: str) -> str:
        """The claims' verdicts, each as a link (HTML) to its row in the table."""
        rows = [self[key] for key in keys]
        found = [f'<a href="#{self.anchor(r)}">{r["verdict"]}</a>' for r in rows]
        return ", ".join(found)

    def told(self, estimate) -> str:
        """(value, low, high) of a difference of shares as text, in points.

        Or, given a key, what the row that it names has measured.
        """
        if isinstance(estimate, str):
            row = self[estimate]
            estimate = row["measured"], *row["interval"]
        value, low, high = (100 * float(v) for v in np.ravel(estimate))
        return f"{value:+.1f} points ({low:+.1f} to {high:+.1f})"

    def anchor(self, row: dict) -> str:
        return f"claim-{self.chapter[:2]}-{row['key']}"

    def number(self, value: float, unit: str) -> str:
        if unit in ("%", "points"):
            return f"{round(100 * value, 1) + 0.0:.1f} {unit}"  # no -0.0
        return f"{value:.3g}{' ' + unit if unit else ''}"

    def __repr__(self):
        """Verdicts only: they must not change; digits may, from machine to machine."""
        lines = [f"{row['verdict']}: {row['claim']}" for row in self.rows]
        return "\n".join(lines + [f"code check: {what}" for what in self.checks])

    def _repr_html_(self):
        head = "what is said|by|measured|95 % interval|over|seeds|verdict".split("|")
        lines = ["<tr>" + "".join(f"<th>{h}</th>" for h in head) + "</tr>"]
        for row in self.rows:
            low, high = (self.number(v, row["unit"]) for v in row["interval"])
            claim = html.escape(row["claim"])
            if row["note"]:
                claim += f"<br><small>{html.escape(row['note'])}</small>"
            cells = (claim, html.escape(row["source"]))
            cells += (self.number(row["measured"], row["unit"]), f"{low} to {high}")
            cells += (html.escape(row["over"]), str(row["seeds"]))
            mark = {HOLDS: "✓", FAILS: "✗", UNSURE: "?"}[row["verdict"]]
            cells += (f"{mark} {row['verdict']}",)
            style = ' style="text-align:left"'
            shown = "".join(f"<td{style}>{c}</td>" for c in cells)
            lines.append(f'<tr id="{self.anchor(row)}">{shown}</tr>')
        table = f'<div style="overflow-x:auto"><table>{"".join(lines)}</table></div>'
        if self.checks:
            found = "; ".join(html.escape(what) for what in self.checks)
            table += f"<p>Code checks, which agree by construction: {found}.</p>"
        return table
