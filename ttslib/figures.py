"""The house style. Colours mean the same thing in every figure; lines also differ in
dash and marker, so that a figure reads in greyscale. matplotlib is loaded when drawn.
"""

import csv
import html
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .stats import bootstrap

# x the problem, z the chain, y the answer, guide the verifier or guide (the talk's)
COLOURS = {"x": "#CB6040", "z": "#257180", "y": "#FD8B51", "guide": "#A66E38"}
GREY = "#777777"
ROOT = Path(__file__).resolve().parents[1]
FOUND = {True: "✓", False: "✗"}


def axes(columns: int = 1, *, width: float = 5.2, height: float = 3.6, **kwargs):
    """(figure, axes) in the house style; with ``columns`` > 1 an array of axes."""
    import matplotlib.pyplot as plt

    plt.rcParams.update(
        {
            "figure.dpi": 90,
            "figure.constrained_layout.use": True,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.25,
            "font.size": 10,
            "legend.frameon": False,
            "legend.fontsize": 8.5,
            "lines.markersize": 5,
        }
    )
    return plt.subplots(1, columns, figsize=(width * columns, height), **kwargs)


def log2_axis(ax, ticks):
    """A log axis with a tick at each of ``ticks``, written as numbers."""
    ax.set_xscale("log", base=2)
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])


def curve(ax, x, values, label, colour="z", line="-", marker="o", **kwargs):
    """Mean over problems of ``values`` [problems, x] with its 95 % bootstrap band."""
    mean, low, high = bootstrap(values, **kwargs)
    colour = COLOURS.get(colour, colour)
    ax.plot(x, mean, line, marker=marker, color=colour, label=label)
    ax.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    return mean, low, high


def published(ax, x, y, label, colour=GREY, marker="s"):
    """A paper's points: hollow, dotted, named with the paper."""
    ax.plot(
        x,
        y,
        ":",
        marker=marker,
        markerfacecolor="white",
        color=COLOURS.get(colour, colour),
        label=label,
        linewidth=1.2,
    )


def percent(ax, axis: str = "y"):
    """Ticks of a fraction as percentages."""
    from matplotlib.ticker import PercentFormatter

    getattr(ax, f"{axis}axis").set_major_formatter(PercentFormatter(1, decimals=0))


@dataclass(frozen=True)
class Shown:
    """Something that a notebook shows in colour, and a terminal as text."""

    text: str
    html: str

    def __repr__(self):
        return self.text

    def _repr_html_(self):
        return self.html


def show(problem, *chains, verify=None, values=None) -> Shown:
    """A problem and its chains, x, z and y in the talk's colours.

    ``verify`` adds ✓ or ✗; ``values`` a number for each chain, in the guide's colour.
    """

    def block(text, colour, strong=False):
        weight = "bold" if strong else "normal"
        text = html.escape(text.rstrip()).replace("\n", "<br>")
        return f'<div style="color:{COLOURS[colour]};font-weight:{weight}">{text}</div>'

    plain = ["x  " + problem.prompt.rstrip().replace("\n", "\n   ")]
    cells = []
    for i, chain in enumerate(chains):
        text = chain.prefix + chain.text
        at = text.rfind("Answer:")
        y = text[at:] if at >= 0 else chain.answer or "(no answer)"
        z = text[:at] if at >= 0 else text
        note = ""
        if values is not None:
            note = f"{values[i]:.2f} "
        if verify is not None:
            note += FOUND[bool(verify(problem, chain.answer))]
        plain.append("z  " + z.rstrip().replace("\n", "\n   "))
        plain.append(f"y  {y} {note}".rstrip())
        cells.append(
            '<td style="text-align:left;vertical-align:top;padding:6px 18px 6px 0">'
            + block(z, "z")
            + block(y, "y", strong=True)
            + (block(note, "guide", strong=True) if note else "")
            + "</td>"
        )
    rows = [cells[i : i + 4] for i in range(0, len(cells), 4)]
    table = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    style = "font-family:monospace;font-size:90%;line-height:1.35"
    return Shown(
        "\n".join(plain),
        f'<div style="{style}">{block(problem.prompt, "x")}'
        f"<table>{table}</table></div>",
    )


def paper(name: str, **where) -> dict[str, np.ndarray]:
    """Columns of data/papers/``name``.csv, of the rows whose columns equal ``where``.

    Columns of numbers are floats. ValueError where no row is left.
    """
    with open(ROOT / "data" / "papers" / f"{name}.csv", encoding="utf-8") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if all(row[key] == str(value) for key, value in where.items())
        ]
    if not rows:
        raise ValueError(f"data/papers/{name}.csv has no row with {where}")
    out = {}
    for key in rows[0]:
        column = np.array([row[key] for row in rows])
        try:
            column = column.astype(float)
        except ValueError:
            pass  # text
        out[key] = column
    return out


def recorded(name: str) -> dict:
    """A run too big for CI, from data/runs/``name``.json, with its provenance."""
    import json

    path = ROOT / "data" / "runs" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))
