"""A search tree from data: an outline that reads on a phone, without a network."""

import html
import math

from .style import COLOURS
from .tables import FOUND, Shown

WIDTH, ROW, SIZE = 380, 20, 12  # of the picture, a row, its letters
LETTER_WIDTH = 0.62 * SIZE  # width of one, in a font where all have the same
VALUE, MARK = WIDTH - 52, WIDTH - 11  # where the guide's number and ✓ or ✗ stand
FAINT = "#666"  # what was dropped: dark enough to be read on white


def tree(found, verify=None, *, fold: bool = False, caption: str = "") -> Shown:
    """A search tree, a step a row: SVG in a notebook, an outline in a terminal.

    ``found`` has a ``problem`` and ``nodes``: the root, then nodes with ``chain``,
    ``parent`` (index of an earlier node), ``value`` and ``kept``; beam search and MCTS
    alike.
    The guide's value is a number on a shade of its colour: white the least, full the
    most (0 and 1, where all values lie between; NaN has none). Kept nodes are solid,
    dropped ones hollow with a dashed edge, answers square; ``verify`` marks finished
    chains ✓ or ✗. ``fold`` draws equal leaves of one parent once, with their number.
    ValueError where a parent does not come before its child.
    """
    rows = outline(found.nodes, fold)
    known = [n.value for n in found.nodes[1:] if math.isfinite(n.value)]
    low, high = min([0.0, *known]), max([1.0, *known])
    deepest = max([depth for *_, depth, _ in rows], default=0)
    indent = min(12, 110 / (deepest + 1))
    at, reached = {0: (12, ROW / 2 + 2)}, {}
    edges, marks = [], [words(12, ROW / 2 + 2, found.problem.prompt, COLOURS["x"])]
    plain = ["x  " + " ".join(found.problem.prompt.split())]
    for line, (i, text, depth, count) in enumerate(rows, 1):
        node = found.nodes[i]
        x, y = at[i] = (12 + indent * depth, ROW / 2 + 2 + ROW * line)
        verdict = ""
        if node.chain.finished and verify is not None:
            verdict = FOUND[bool(verify(found.problem, node.chain.answer))]
        above, beside = at[node.parent]
        style = 'stroke="#444"' if node.kept else f'stroke="{FAINT}" {DASHED}'
        start = beside + (5 if node.parent else 0)
        if not node.kept:  # dashes over dashes would be a line
            start = reached.get(node.parent, start)
        reached[node.parent] = y
        path = f"M{above:g} {start:g}V{y:g}H{x - 5:g}"
        edges.append(f'<path d="{path}" fill="none" {style}/>')
        shade = blend((node.value - low) / (high - low))
        marks.append(
            f'<g class="node" data-node="{i}" data-parent="{node.parent}">'
            + shape(x, y, node, shade)
            + words(x, y, text, "#222" if node.kept else FAINT, count)
            + value_box(y, node.value, shade)
            + (
                lettering(MARK, y, verdict, weight="bold", size=SIZE + 3)
                if verdict
                else ""
            )
            + "</g>"
        )
        times = f" ×{count}" if count > 1 else ""
        value = f"{node.value:.2f}" if math.isfinite(node.value) else "   –"
        mark = "●" if node.kept else "○"
        plain.append(f"{value}  {'  ' * depth}{mark} {text}{times} {verdict}".rstrip())
    said = summary(found, verify)
    height = ROW * (len(rows) + 1) + 4
    box = f'viewBox="0 0 {WIDTH} {height + 24}"'
    style = "width:500px;max-width:100%;height:auto;font-family:monospace"
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {box} style="{style}">'
        f"<title>{html.escape(caption or 'A search tree')}</title>"
        f"<desc>{html.escape(said)}</desc>"
        f'<rect width="{WIDTH}" height="{height + 24}" rx="6" fill="#fff"/>'
        f"{''.join(edges)}{''.join(marks)}{legend(height, low, high)}</svg>"
    )
    if caption:
        plain.insert(0, caption)
        drawn = f"<div><p>{html.escape(caption)}</p>{drawn}</div>"
    return Shown("\n".join([*plain, said]), drawn)


DASHED = 'stroke-dasharray="3 3"'


def outline(nodes, fold: bool = False) -> list[tuple[int, str, int, int]]:
    """(node, its own text, depth, how many like it) from the top down.

    A node's children follow it, those without children of their own first.
    """
    below: dict[int, list[int]] = {}
    for i, node in enumerate(nodes[1:], 1):
        if not 0 <= node.parent < i:
            raise ValueError(f"node {i}: its parent {node.parent} comes after it")
        below.setdefault(node.parent, []).append(i)
    rows = []

    def own(i):
        text = whole(nodes[i])
        text = text.removeprefix(whole(nodes[nodes[i].parent])) or text
        return " ⏎ ".join(text.split("\n")).removesuffix(" ⏎ ") or "(nothing)"

    stack = [(i, 1) for i in reversed(ordered(below, 0, own))]
    while stack:
        i, depth = stack.pop()
        text, leaf = own(i), i not in below
        like = (text, nodes[i].parent, nodes[i].kept, nodes[i].value)
        if fold and leaf and rows and rows[-1][0] == like:
            rows[-1][-1] += 1
            continue
        rows.append([like if leaf else None, i, text, depth, 1])
        stack += [(j, depth + 1) for j in reversed(ordered(below, i, own))]
    return [tuple(row[1:]) for row in rows]


def ordered(below: dict, i: int, own) -> list[int]:
    """The children of a node: leaves first, and equal ones side by side."""
    children = below.get(i, [])
    first = {own(j): j for j in reversed(children)}
    return sorted(children, key=lambda j: (j in below, first[own(j)]))


def whole(node) -> str:
    return node.chain.full_text.replace("\r\n", "\n")


def summary(found, verify) -> str:
    """What the picture shows, for who cannot see it."""
    nodes = found.nodes[1:]
    done = [n for n in nodes if n.chain.finished]
    said = f"{len(nodes)} nodes, {sum(bool(n.kept) for n in nodes)} of them kept, "
    said += f"{len(done)} finished"
    if verify is not None:
        right = sum(bool(verify(found.problem, n.chain.answer)) for n in done)
        said += f", {right} of these right"
    return said


# --- what a row is made of -----------------------------------------------------------
def blend(share: float) -> str:
    """White for 0, the guide's colour for 1, between them a shade."""
    share = min(1.0, max(0.0, share)) if math.isfinite(share) else 0.0
    full = [int(COLOURS["guide"][k : k + 2], 16) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(255 + share * (c - 255)):02x}" for c in full)


def lettering(
    x, y, text, fill="#222", anchor="middle", weight="normal", title="", size=SIZE
) -> str:
    about = f'x="{x:g}" y="{y + 4:g}" text-anchor="{anchor}" font-size="{size}"'
    full = f"<title>{html.escape(title)}</title>" if title else ""
    style = f'fill="{fill}" font-weight="{weight}"'
    return f"<text {about} {style}>{full}{html.escape(text)}</text>"


def words(x, y, text, fill, count=1) -> str:
    """A step beside its node, cut where the number begins; its title has all of it."""
    text = " ".join(text.split())
    times = f" ×{count}" if count > 1 else ""
    room = int((VALUE - 4 - x - 9) / LETTER_WIDTH) - len(times)
    cut = text if len(text) <= room else text[: max(1, room - 1)].rstrip() + "…"
    return lettering(x + 9, y, cut + times, fill, "start", title=text + times)


def shape(x, y, node, shade) -> str:
    """Round for a step, square for an answer; hollow and dashed if dropped."""
    edge = COLOURS["y" if node.chain.finished else "z"] if node.kept else FAINT
    fill = shade if node.kept else "#fff"
    style = f'fill="{fill}" stroke="{edge}" stroke-width="{2 if node.kept else 1}"'
    if node.chain.finished:
        return f'<rect x="{x - 4:g}" y="{y - 4:g}" width="8" height="8" {style}/>'
    return f'<circle cx="{x:g}" cy="{y:g}" r="4.5" {style}/>'


def value_box(y, value, shade) -> str:
    """The guide's value, on its shade."""
    if not math.isfinite(value):
        return lettering(VALUE + 16, y, "–")
    box = f'x="{VALUE}" y="{y - 8:g}" width="34" height="16" rx="3" fill="{shade}"'
    return f"<rect {box}/>" + lettering(VALUE + 17, y, f"{value:.2f}")


def legend(y, low, high) -> str:
    """What the signs mean, in the last row."""
    y += 10
    edge = COLOURS["z"]
    out = [f'<circle cx="12" cy="{y}" r="4.5" fill="#444" stroke="{edge}"/>']
    out.append(lettering(20, y, "kept", anchor="start"))
    out.append(f'<circle cx="62" cy="{y}" r="4.5" fill="#fff" stroke="{FAINT}"/>')
    out.append(lettering(70, y, "dropped", anchor="start"))
    out.append(f'<rect x="130" y="{y - 4}" width="8" height="8" fill="#444"/>')
    out.append(lettering(142, y, "answer", anchor="start"))
    out.append(lettering(282, y, f"guide {low:.3g}", anchor="end"))
    for k in range(5):
        box = f'x="{286 + 12 * k}" y="{y - 8}" width="12" height="16"'
        out.append(f'<rect {box} fill="{blend(k / 4)}"/>')
    return "".join(out) + lettering(350, y, f"{high:.3g}", anchor="start")
