"""The chapters as files: which there are, what they set, what they show."""

import ast
import base64
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "data" / "coverage.png"  # the README shows it
WIDGET = "application/vnd.jupyter.widget-view+json"


def chapters(folder: Path, only: str = "") -> list[Path]:
    """The chapters of a folder in their order; ``only`` is how their names begin."""
    return sorted(
        path for path in folder.glob("[0-9][0-9]_*.ipynb") if path.name.startswith(only)
    )


def tagged(notebook, tag: str) -> list:
    return [c for c in notebook.cells if tag in c.metadata.get("tags", [])]


def parameters(path: Path) -> dict:
    """What a chapter's one parameters cell sets: literals, by name."""
    cells = tagged(nbformat.read(path, 4), "parameters")
    if len(cells) != 1:
        raise ValueError(f"{len(cells)} cells tagged 'parameters', must be exactly one")
    found = {}
    for node in ast.parse(cells[0].source).body:
        try:
            found[node.targets[0].id] = ast.literal_eval(node.value)
        except (AttributeError, ValueError):
            raise ValueError(
                f"in the parameters cell, {ast.unparse(node)!r} is not "
                "'name = literal': derive it in the next cell"
            ) from None
    return found


def clean(notebook):
    """Drop what progress bars leave behind (stderr, widgets); in place."""
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                o
                for o in cell.outputs
                if o.get("name") != "stderr" and WIDGET not in o.get("data", {})
            ]
    return notebook


def first_picture(path: Path) -> bytes:
    """The first PNG among a notebook's outputs."""
    for cell in nbformat.read(path, 4).cells:
        for output in cell.get("outputs", []):
            if picture := output.get("data", {}).get("image/png"):
                return base64.b64decode(picture)
    raise LookupError(f"{path.name} shows no picture")


def grid(lines: list[tuple[str, ...]]) -> str:
    """Rows of cells, the first their head, as an aligned Markdown table."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    rule = tuple("-" * width for width in widths)
    return "\n".join(
        f"| {' | '.join(cell.ljust(w) for cell, w in zip(line, widths))} |"
        for line in (lines[0], rule, *lines[1:])
    )
