"""Tied cells: a chapter shows the very definition that the library holds.

A cell tagged ``lib:ttslib.search.majority_vote`` holds that definition, where the
reader can change it; several tags, several definitions in that order; imports may
precede them. ``python -m ttslib.tools.sync`` rewrites the cells from the library, never
the other way; :func:`check` compares the two syntax trees. Nothing is imported.
"""

import argparse
import ast
import sys
from functools import cache
from pathlib import Path

import nbformat

from .chapters import ROOT, chapters

PREFIX = "lib:"


def tied(cell) -> list[str]:
    """The names that a cell is tied to, such as ['ttslib.search.majority_vote']."""
    tags = cell.metadata.get("tags", [])
    return [tag.removeprefix(PREFIX) for tag in tags if tag.startswith(PREFIX)]


def _name(node: ast.stmt) -> str | None:
    """The name that a top-level statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
        return node.name
    targets = node.targets if isinstance(node, ast.Assign) else []
    return next((t.id for t in targets if isinstance(t, ast.Name)), None)


@cache
def _module(path: Path) -> tuple[str, dict[str, ast.stmt]]:
    text = path.read_text()
    return text, {_name(node): node for node in ast.parse(text).body}


def definition(name: str, root: Path = ROOT) -> tuple[str, ast.stmt]:
    """Source and syntax tree of a top-level definition, given its qualified name.

    LookupError where there is none (a re-export is none: name the defining module),
    ValueError where it could not stand in a notebook.
    """
    module, _, attribute = name.rpartition(".")
    base = root.joinpath(*module.split("."))
    path = next(
        (p for p in (base.with_suffix(".py"), base / "__init__.py") if p.exists()), None
    )
    if path is None:
        raise LookupError(f"{PREFIX}{name}: there is no module {module}")
    text, nodes = _module(path)
    if attribute not in nodes:
        raise LookupError(f"{PREFIX}{name}: {module} defines no {attribute!r}")
    node = nodes[attribute]
    if any(isinstance(n, ast.ImportFrom) and n.level for n in ast.walk(node)):
        raise ValueError(f"{PREFIX}{name}: a relative import fails in a notebook")
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return "\n".join(text.splitlines()[first - 1 : node.end_lineno]), node


def _imports(source: str) -> str:
    """The imports, with their comments, that open a cell; '' where nothing parses."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return ""
    last = 0
    for node in body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            break
        last = node.end_lineno
    return "\n".join(source.splitlines()[:last])


def rewritten(cell, root: Path = ROOT) -> str:
    """The source that a tied cell should have."""
    imports = _imports(cell.source)
    parts = [definition(name, root)[0] for name in tied(cell)]
    blank = "\n\n\n" if parts[0].startswith(("def ", "class ", "@")) else "\n\n"
    return (imports and imports + blank) + "\n\n\n".join(parts)


def check(path: Path, root: Path = ROOT) -> list[str]:
    """One message for each tied cell of a chapter that differs from the library."""
    found = []
    for index, cell in enumerate(nbformat.read(path, 4).cells):
        if not (names := tied(cell)):
            continue
        place = f"{path.name}, cell {index}"
        try:
            wanted = [definition(name, root)[1] for name in names]
            body = ast.parse(cell.source).body
        except (LookupError, ValueError, SyntaxError) as error:
            found.append(f"{place}: {error}")
            continue
        while body and isinstance(body[0], ast.Import | ast.ImportFrom):
            body.pop(0)
        if list(map(ast.dump, body)) != list(map(ast.dump, wanted)):
            found.append(f"{place}: differs from {', '.join(names)}: run make sync")
    return found


def sync(path: Path, root: Path = ROOT) -> int:
    """Rewrite a chapter's tied cells from the library; returns how many changed."""
    notebook = nbformat.read(path, 4)
    changed = 0
    for cell in filter(tied, notebook.cells):
        source = rewritten(cell, root)
        changed += source != cell.source
        cell.source = source
    if changed:
        nbformat.write(notebook, path)
    return changed


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notebooks", type=Path, default=ROOT / "notebooks")
    args = parser.parse_args(argv)
    for path in chapters(args.notebooks):
        try:
            print(f"{path.name}: {sync(path)} cells rewritten")
        except (LookupError, ValueError) as error:
            print(f"{path.name}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
