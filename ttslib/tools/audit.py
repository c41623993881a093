"""What each stored chapter holds, as a table: ``python -m ttslib.tools.audit``."""

import re
from pathlib import Path

import nbformat

from ..claims import FAILS, HOLDS, UNSURE
from .chapters import ROOT, chapters, grid

PROSE = "prose"  # tag of a cell that computes the numbers of a paragraph and says it
READ = 40  # words that read a figure
CHECK = re.compile(r'\bcheck\("(\d\d\.\d+)"')  # of an exercise


def words(text: str) -> int:
    """Words of prose: without code, formulas, tables' rules and markup."""
    text = re.sub(r"```.*?```|\$\$.*?\$\$|\$[^$]*\$|<[^>]+>", " x ", text, flags=re.S)
    return len(re.findall(r"[^\W\d_][\w'’-]*|\d[\d.,]*", text))


def said(cell) -> str:
    """The prose of a cell: Markdown, or what a prose cell says."""
    if cell.cell_type == "markdown":
        return cell.source
    if PROSE not in cell.metadata.get("tags", []):
        return ""
    return "\n".join(
        "".join(o.data["text/markdown"])
        for o in cell.outputs
        if "text/markdown" in o.get("data", {})
    )


def figures_of(notebook):
    """(index, cell) of the code cells that draw."""
    for i, cell in enumerate(notebook.cells):
        if any("image/png" in o.get("data", {}) for o in cell.get("outputs", [])):
            yield i, cell


def verdicts(notebook) -> list[str]:
    """The verdicts in the table of claims, read off its text."""
    pattern = re.compile(f"^({HOLDS}|{FAILS}|{UNSURE}): ", re.M)
    text = "\n".join(
        "".join(o.data.get("text/plain", ""))
        for cell in notebook.cells
        for o in cell.get("outputs", [])
        if "data" in o and "text/markdown" not in o.data  # no prose
    )
    return pattern.findall(text)


def row(path: Path) -> tuple[str, ...]:
    """One chapter's line of the table."""
    notebook = nbformat.read(path, 4)
    cells = [*notebook.cells, nbformat.v4.new_markdown_cell("")]  # one after the last
    drawn = [i for i, _ in figures_of(notebook)]
    read = sum(words(said(cells[i + 1])) >= READ for i in drawn)
    code = "\n".join(c.source for c in notebook.cells if c.cell_type == "code")
    page = path.parent / "solutions" / f"{path.stem}.md"
    solutions = page.read_text(encoding="utf-8") if page.exists() else ""
    found = verdicts(notebook)
    return (
        path.stem,
        f"{sum(words(said(c)) for c in notebook.cells):,}",
        f"{read} of {len(drawn)}",
        str(len(set(CHECK.findall(code)))),
        str(len(set(CHECK.findall(solutions)))),
        f"{found.count(HOLDS)} of {len(found)}",
    )


def main() -> None:
    head = "chapter|words|figures read|exercises|solutions run|claims held".split("|")
    print(grid([tuple(head), *map(row, chapters(ROOT / "notebooks"))]))


if __name__ == "__main__":
    main()
