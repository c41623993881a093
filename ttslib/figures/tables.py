"""Text, tables and chains in colour: for a notebook HTML, for a terminal text."""

import html
import inspect
from dataclasses import dataclass

from .style import COLOURS

FOUND = {True: "✓", False: "✗"}


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
        text = chain.full_text
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
