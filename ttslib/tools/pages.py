"""The executed chapters as HTML pages that need no network to read."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import nbformat

from .chapters import clean

MATHJAX = "mathjax@3.2.2"  # of the npm registry
SCRIPT = "tex-svg-full.js"  # draws with paths: one file, no fonts to fetch

INDEX = """# Test-time scaling, executed

What one run of every chapter gave:

{table}

```{{toctree}}
:maxdepth: 1
:caption: Chapters

{chapters}
```
"""
SLIDES = """
```{toctree}
:maxdepth: 1
:caption: The talk

slides
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
        nbformat.write(clean(nbformat.read(path, 4)), source / path.name)
    index = INDEX.format(table=table, chapters="\n".join(p.stem for p in executed))
    if (source / "slides.md").exists():
        index += SLIDES
    if list(source.glob("solutions/*.md")):
        index += SOLUTIONS
    (source / "index.md").write_text(index)

    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-E"]
    command += ["-c", str(Path(__file__).parent)]
    if script := mathjax(out / "mathjax"):
        command += ["-D", f"html_static_path={script.parent}"]
        command += ["-D", f"mathjax_path={SCRIPT}"]
    command += ["-d", str(out / "pages-doctrees"), str(source), str(pages)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"pages: Sphinx says\n{done.stderr.strip()}")
    return pages / "index.html"
