"""A search tree as it grows: a strip of frames, one after each simulation."""

import html
import math

from .style import COLOURS
from .tables import Shown
from .tree import FAINT, LETTER_WIDTH, ROW, blend, lettering, whole

WIDTH = 310  # of a frame
INDENT, COUNT = 13, WIDTH - 8  # a step of depth; where w/N ends
ROOM = 72  # for w/N


def frames(found, notes=(), caption: str = "") -> Shown:
    """What each simulation of a tree search changed: frames side by side, or below.

    ``found`` are snapshots of one tree, each with ``nodes`` (``chain``, ``parent``,
    ``parent``, ``visits``, ``wins``), the root first. A row is a node: its
    step and w / N, the share also as a shade of the guide's colour. Bold, with a thick
    edge, is where N rose since the frame before: the path walked, up which the value
    went. What is new is marked, what was never visited is grey and dashed. ``notes``
    stand in the frames' second lines. SVG in a notebook, an outline in a terminal.
    ValueError where a snapshot has fewer nodes than the one before.
    """
    before, drawn, plain = None, [], []
    for k, now in enumerate(found):
        if before is not None and len(now.nodes) < len(before.nodes):
            raise ValueError(f"frame {k}: a tree that grows does not lose nodes")
        note = notes[k] if k < len(notes) else ""
        rows = [*changes(now, before)]
        worth = now.nodes[0].wins - (before.nodes[0].wins if before else 0)
        head = f"simulation {k + 1}: worth {worth:g}"
        drawn.append(picture(head, note, rows))
        plain += [f"{head}  {note}".rstrip(), *map(outlined, rows), ""]
        before = now
    style = "display:flex;flex-wrap:wrap;gap:10px;align-items:flex-start"
    said = f"<p>{html.escape(caption)}</p>" if caption else ""
    out = f'<div>{said}<div style="{style}">{"".join(drawn)}</div></div>'
    return Shown("\n".join([caption, *plain] if caption else plain).rstrip(), out)


def changes(now, before):
    """(depth, step, wins, visits, whether walked, whether new, parent's row), in order.

    From the root down, children in the order in which they came.
    """
    below: dict[int, list[int]] = {}
    for i, node in enumerate(now.nodes[1:], 1):
        below.setdefault(node.parent, []).append(i)
    old = before.nodes if before else []
    stack, row = [(0, 0, -1)], 0
    while stack:
        i, depth, above = stack.pop()
        node, was = now.nodes[i], old[i] if i < len(old) else None
        step = "the problem"
        if i > 0:
            parent = whole(now.nodes[node.parent])
            step = " ".join(whole(node).removeprefix(parent).split())
        walked = node.visits > (was.visits if was else 0)
        yield depth, step, node.wins, node.visits, walked, not was and i > 0, above
        stack += [(j, depth + 1, row) for j in reversed(below.get(i, []))]
        row += 1


def counted(wins: float, visits: int) -> str:
    return f"{round(wins, 2):g} / {visits}" if visits else "–"


def outlined(row) -> str:
    depth, step, wins, visits, walked, new, _ = row
    mark = ("●" if walked else "○") + ("+" if new else " ")
    return f"{counted(wins, visits):>9}  {'  ' * depth}{mark}{step}"


def picture(head: str, note: str, rows: list) -> str:
    """One frame as SVG."""
    top, at, edges, marks = 2 * ROW + 4, [], [], []
    for k, (depth, step, wins, visits, walked, new, above) in enumerate(rows):
        x, y = 12 + INDENT * depth, top + ROW * k + ROW / 2
        at.append((x, y))
        if above >= 0:
            a, b = at[above]
            thick = (
                'stroke="#222" stroke-width="2.6"' if walked else f'stroke="{FAINT}"'
            )
            path = f'<path d="M{a:g} {b + 5:g}V{y:g}H{x - 5:g}" fill="none" {thick}/>'
            edges.append((walked, path))
        share = wins / visits if visits else math.nan
        edge = "#222" if walked else FAINT
        fill = blend(share) if visits else "#fff"
        dash = "" if visits else ' stroke-dasharray="2 2"'
        weight = "bold" if walked else "normal"
        room = int((WIDTH - ROOM - x - 10) / LETTER_WIDTH) - (4 if new else 0)
        text = step if len(step) <= room else step[: room - 1].rstrip() + "…"
        colour = "#222" if visits else FAINT
        parts = [
            f'<circle cx="{x:g}" cy="{y:g}" r="4.5" fill="{fill}" stroke="{edge}" '
            f'stroke-width="{2 if walked else 1}"{dash}/>',
            lettering(x + 9, y, text, colour, "start", weight, title=step),
        ]
        if new:
            parts.append(lettering(WIDTH - ROOM, y, "new", COLOURS["z"], "end"))
        parts.append(lettering(COUNT, y, counted(wins, visits), colour, "end", weight))
        kind = "walked" if walked else "still"
        marks.append(f'<g class="node {kind}">{"".join(parts)}</g>')
    height = top + ROW * len(rows) + 6
    walked = [row[1] for row in rows if row[4]]
    said = f"{' → '.join(walked)}. {note}" if walked else note
    style = "flex:1 1 290px;max-width:370px;width:100%;height:auto;"
    title = lettering(10, ROW / 2 + 2, head, "#222", "start", "bold")
    title += lettering(COUNT, ROW / 2 + 2, "w / N", FAINT, "end")
    title += lettering(10, ROW * 1.5 + 1, note, COLOURS["guide"], "start", title=note)
    lines = "".join(path for _, path in sorted(edges, key=lambda edge: edge[0]))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" role="img" '
        f'viewBox="0 0 {WIDTH} {height}" style="{style}font-family:monospace">'
        f"<title>{html.escape(head)}</title><desc>{html.escape(said)}</desc>"
        f'<rect x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="6" '
        f'fill="#fff" stroke="#ccc"/>{title}{lines}{"".join(marks)}</svg>'
    )
