"""The executed chapters as HTML pages that need no network to read."""

import base64
import html
import io
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import nbformat
import numpy as np

from .chapters import clean

MATHJAX = "mathjax@3.2.2"  # of the npm registry
SCRIPT = "tex-svg-full.js"  # draws with paths: one file, no fonts to fetch
STYLE = Path(__file__).parent / "style"
COLUMN = 780  # pixels: what a figure may take beside both sidebars
AXES = re.compile(r"\baxes\(\s*(\d+)\s*[,)]")  # figures.axes(3, ...)

INDEX = """# Test-time scaling, executed

What one run of every chapter gave:

{table}

```{{toctree}}
:maxdepth: 1
:caption: Chapters

{chapters}
```
"""
TALK = """
```{{toctree}}
:maxdepth: 1
:caption: The talk

{pages}
```
"""
SOLUTIONS = """
```{toctree}
:glob:
:maxdepth: 1
:caption: Solutions

solutions/*
```
"""


def cuts(picture: np.ndarray, count: int) -> list[int]:
    """Where a picture [height, width, 3] falls into ``count`` panels: white columns.

    Each is the middle of the widest white gap near k/count of the width, which is wider
    than those between an axis, its numbers and its label. Empty without such a gap.
    """
    white = (picture > 250).all((0, 2))
    width, found = len(white), []
    gaps = re.finditer("1+", "".join("01"[int(w)] for w in white))
    middles = [((a + b) / 2, b - a) for a, b in (gap.span() for gap in gaps)]
    for k in range(1, count):
        near, reach = k * width / count, width / count / 6
        best = [(size, int(at)) for at, size in middles if abs(at - near) < reach]
        if not best:
            return []
        found.append(max(best)[1])
    return found


def panels(notebook):
    """Cut each figure of N panels into N pictures, which stack on a phone; in place.

    A figure has N panels where its cell says axes(N, ...), N a number.
    """
    from PIL import Image

    for cell in notebook.cells:
        drawn = [o for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
        count = int((AXES.findall(cell.source) or [1])[0])
        if count < 2 or len(drawn) != 1:
            continue
        png = base64.b64decode(drawn[0].data["image/png"])
        picture = Image.open(io.BytesIO(png)).convert("RGB")
        edges = cuts(np.asarray(picture), count)
        if not edges:
            continue
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "Figure")
        pieces = ""
        edges = [0, *edges, picture.width]
        for k, (left, right) in enumerate(zip(edges, edges[1:]), 1):
            file = io.BytesIO()
            picture.crop((left, 0, right, picture.height)).save(file, "png")
            source = base64.b64encode(file.getvalue()).decode()
            share = 100 * (right - left) / max(picture.width, COLUMN)
            said = html.escape(f"{alt} (panel {k} of {count})")
            pieces += f'<img style="width:{share:.3f}%" alt="{said}" '
            pieces += f'src="data:image/png;base64,{source}">'
        drawn[0].data = {"text/html": f'<div class="panels">{pieces}</div>'}
        drawn[0].metadata = {}
    return notebook


def mathjax(folder: Path) -> Path | None:
    """MathJax as one local script below ``folder``, fetched once; None without npm."""
    script = folder / SCRIPT
    if script.exists():
        return script
    folder.mkdir(parents=True, exist_ok=True)
    try:
        command = ["npm", "pack", "--silent", MATHJAX]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
        archive = next(folder.glob("mathjax-*.tgz"))
        with tarfile.open(archive) as tar:
            script.write_bytes(tar.extractfile(f"package/es5/{SCRIPT}").read())
        archive.unlink()
    except (OSError, subprocess.SubprocessError, StopIteration, KeyError) as error:
        print(f"no {MATHJAX} from npm ({error}): formulas need a network to show")
        return None
    return script


def build(executed: list[Path], notebooks: Path, out: Path, table: str) -> Path:
    """Pages of the ``executed`` chapters below ``out``/pages; returns the index.

    Whatever else lies in ``notebooks`` (solutions, pictures) comes along, so that the
    chapters' links hold. Any warning of Sphinx, a dead link say, is a RuntimeError.
    """
    source, pages = out / "pages-source", out / "pages"
    patterns = shutil.ignore_patterns("*.ipynb", "conftest.py", ".*", "__pycache__")

    def ignored(folder, names):
        """``out`` may lie among the notebooks: it is not to be copied into itself."""
        return patterns(folder, names) | {n for n in names if Path(folder, n) == out}

    for folder in (source, pages):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(notebooks, source, ignore=ignored)
    for path in executed:
        notebook = panels(clean(nbformat.read(path, 4)))
        nbformat.write(notebook, source / path.name)
    index = INDEX.format(table=table, chapters="\n".join(p.stem for p in executed))
    talk = [name for name in ("slides", "glossary") if (source / f"{name}.md").exists()]
    if talk:
        index += TALK.format(pages="\n".join(talk))
    if list(source.glob("solutions/*.md")):
        index += SOLUTIONS
    (source / "index.md").write_text(index)

    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-E"]
    command += ["-c", str(Path(__file__).parent)]
    if script := mathjax(out / "mathjax"):
        command += ["-D", f"html_static_path={STYLE},{script.parent}"]
        command += ["-D", f"mathjax_path={SCRIPT}"]
    command += ["-d", str(out / "pages-doctrees"), str(source), str(pages)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"pages: Sphinx says\n{done.stderr.strip()}")
    return pages / "index.html"
