"""The house style. Colours mean the same thing in every figure; lines also differ in
dash and marker, so that a figure reads in greyscale. matplotlib is loaded when drawn.
"""

import csv
import html
import inspect
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .stats import bootstrap, shares

# x the problem, z the chain, y the answer, guide the verifier or guide (the talk's)
COLOURS = {"x": "#CB6040", "z": "#257180", "y": "#FD8B51", "guide": "#A66E38"}
GREY = "#777777"
# what a line stands for -> (colour, dash, marker): told apart in greyscale as well
ROLES = {
    "base": (GREY, "--", "s"),
    "ours": (COLOURS["z"], "-", "o"),
    "second": (COLOURS["y"], "-.", "^"),
    "third": (COLOURS["x"], (0, (1, 1)), "v"),
    "verifier": (COLOURS["guide"], (0, (6, 2)), "D"),
}
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


def curve(ax, x, values, label, role="ours", **kwargs):
    """Mean over problems of ``values`` [problems, x] with its 95 % bootstrap band.

    ``role`` is one of ROLES. Returns (mean, low, high), each [x].
    """
    values = np.asarray(values, float)
    inside = values.size and 0 <= values.min() and values.max() <= 1
    mean, low, high = (shares if inside else bootstrap)(values, **kwargs)
    colour, dash, marker = ROLES[role]
    ax.plot(x, mean, linestyle=dash, marker=marker, color=colour, label=label)
    ax.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    return mean, low, high


def published(ax, x, y, label, role="base", line=":"):
    """A paper's points: hollow, dotted, named with the paper."""
    colour, _, marker = ROLES[role]
    style = dict(markerfacecolor="white", color=colour, linewidth=1.2)
    ax.plot(x, y, linestyle=line, marker=marker, label=label, **style)


def passk_panel(ax, k, lines: dict, title: str, *, ylabel="pass@k", loc="lower right"):
    """A panel of pass@k: ``lines`` is label -> (values [problems, k], role).

    Returns label -> (mean, low, high), each [k].
    """
    drawn = {
        label: curve(ax, k, values, label, role)
        for label, (values, role) in lines.items()
    }
    log2_axis(ax, k)
    ax.set(title=title, xlabel="samples k", ylabel=ylabel, ylim=(0, 1.02))
    percent(ax)
    ax.legend(loc=loc)
    return drawn


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


@dataclass(frozen=True)
class Said:
    """Prose in Markdown: what :func:`say` returns."""

    text: str

    def __repr__(self):
        return self.text

    def _repr_markdown_(self):
        return self.text


def say(text: str) -> Said:
    """A paragraph (Markdown) whose numbers a cell has just computed, set as prose."""
    return Said(inspect.cleandoc(text))


def table(head, rows, caption: str = "") -> Shown:
    """Rows of cells as a table: HTML in a notebook, aligned text in a terminal.

    Units belong into ``head``; floats are shown with three digits.
    """

    def cell(value):
        return f"{value:.3g}" if isinstance(value, float) else str(value)

    lines = [[str(h) for h in head], *([cell(v) for v in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    plain = "\n".join(
        "  ".join(v.ljust(w) for v, w in zip(line, widths)).rstrip() for line in lines
    )
    style = ' style="text-align:left"'
    tags = ["th", *("td" for _ in lines[1:])]
    body = "".join(
        f"<tr>{''.join(f'<{t}{style}>{html.escape(v)}</{t}>' for v in line)}</tr>"
        for t, line in zip(tags, lines)
    )
    above = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    wide = '<div style="overflow-x:auto">'
    return Shown(plain, f"{wide}<table>{above}{body}</table></div>")


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


# parts of :func:`diagram`: x, y, width, height, colour, symbol, its index, word
PARTS = (
    (8, 92, 66, 46, COLOURS["x"], "x", "", "problem"),
    (110, 98, 38, 34, COLOURS["z"], "z", "1", ""),
    (162, 98, 38, 34, COLOURS["z"], "z", "2", ""),
    (232, 98, 38, 34, COLOURS["z"], "z", "T", ""),
    (320, 92, 72, 46, COLOURS["y"], "y", "", "answer"),
    (122, 8, 66, 46, COLOURS["guide"], "r", "", "guide"),
    (320, 186, 72, 46, COLOURS["guide"], "Ver", "x", "verifier"),
    (102, 186, 128, 46, GREY, "p(y, z | x; θ)", "", "policy"),
)
# from where to where, whether dashed
ARROWS = (
    ("M74 115H109", False),
    ("M148 115H161", False),
    ("M200 115H206M223 115H231", False),
    ("M270 115H319", False),
    ("M356 138V185", False),
    ("M320 209H231", False),
    ("M166 186V161", False),
    ("M155 87V55", True),
)
PLAIN = """\
            guide r: scores a chain that is only begun
                  :
x       -> [ z_1 -> z_2 -> ... -> z_T ] ->  y
problem      chain of thought               answer
                  ^                         |
                  | writes                  v
            policy p(y, z | x; θ) <-------- Ver_x
                                   reward   verifier"""


def diagram() -> Shown:
    """x, z, y, Ver, r and the policy, and how they hang together: one picture.

    The policy writes chain and answer, the verifier pays for the answer, and the reward
    goes back to the policy; a guide scores a chain as it is written.
    """

    def label(x, y, text, size=13, anchor="middle", style=""):
        at = f'x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}"'
        return f'<text {at} fill="#222" {style}>{text}</text>'

    shapes = ['<rect width="400" height="246" rx="6" fill="#fff"/>']
    frame = 'fill="#257180" fill-opacity="0.07" stroke="#257180" stroke-dasharray="3 3"'
    shapes.append(f'<rect x="102" y="76" width="176" height="84" rx="6" {frame}/>')
    shapes.append('<path d="M111 93V87H199V93" fill="none" stroke="#444"/>')
    for path, dashed in ARROWS:
        dash = ' stroke-dasharray="4 3"' if dashed else ""
        head = 'fill="none" stroke="#444" stroke-width="1.6" marker-end="url(#tts-tip)"'
        shapes.append(f'<path d="{path}" {head}{dash}/>')
    for x, y, w, h, colour, symbol, script, word in PARTS:
        style = f'fill="#fff" stroke="{colour}" stroke-width="2.5"'
        shapes.append(
            f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="5" {style}/>'
        )
        if script:
            symbol += f'<tspan font-size="11" dy="4">{script}</tspan>'
        up = y + (20 if word else 22)
        size = 15 if len(symbol) > 9 and not script else 17
        shapes.append(label(x + w / 2, up, symbol, size, style='font-style="italic"'))
        shapes.append(label(x + w / 2, y + h - 8, word) if word else "")
    shapes += [
        label(190, 151, "chain of thought"),
        label(214, 117, "…"),
        label(196, 28, "scores a chain that", anchor="start"),
        label(196, 44, "is only begun", anchor="start"),
        label(174, 178, "writes", anchor="start"),
        label(275, 202, "reward"),
    ]
    tip = 'viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6"'
    tip = f'<marker id="tts-tip" {tip} orient="auto"><path d="M0 0L8 4L0 8z"/></marker>'
    said = "<title>How x, z, y, verifier, guide and policy hang together</title><desc>"
    said += "The policy writes chain and answer, the verifier pays for the answer, and "
    said += (
        "the reward goes back to the policy; a guide scores a chain as it is written"
    )
    said += "</desc>"
    size = 'style="width:560px;max-width:100%;height:auto;font-family:sans-serif"'
    opened = '<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 400 246"'
    drawn = f"{opened} {size}>{said}<defs>{tip}</defs>{''.join(shapes)}</svg>"
    return Shown(PLAIN, drawn)


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
