"""Execute the chapters, each in a fresh kernel: ``python -m ttslib.tools.run``.

Below ``build/``: notebooks/ (as executed), claims/ (what each chapter's claims said),
pages/ (HTML), store/ (samples, unless TTS_STORE names another place). With ``--store``
the chapters' own outputs in notebooks/ are made anew instead.
"""

import argparse
import hashlib
import json
import os
import sys
import time
from pathlib import Path

import nbformat

from . import pages
from .chapters import PICTURE, ROOT, chapters, clean, first_picture, grid, parameters

QUIET = ["--IPKernelApp.log_level=40"]  # no warning about a local TCP port
SKIPPED = "skip-execution"
KEPT = ("tags", "mystnb")  # of a stored cell's metadata: the second holds alt texts


def check_parameters(path: Path, given: dict) -> None:
    """papermill only warns of a missing or misspelt parameter: refuse it here."""
    known = parameters(path)
    for name in given:
        if name not in known:
            raise ValueError(
                f"no {name!r} in the parameters cell "
                f"(it sets {', '.join(known) or 'nothing'}): add it with its default"
            )


def execute_cells(notebook, folder: Path, timeout: int) -> None:
    """Execute a notebook in place, in a fresh kernel that starts in ``folder``.

    As in Jupyter's own tools, an error is accepted where the cell is tagged
    raises-exception, and a cell tagged skip-execution keeps the outputs that it has.
    Any other error ends the run: RuntimeError names the cell as '[n] first line'.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    for cell in notebook.cells:
        if cell.cell_type == "code" and SKIPPED not in cell.metadata.get("tags", []):
            cell.outputs, cell.execution_count = [], None
    started = []
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        record_timing=False,
        raise_on_iopub_timeout=True,  # a lost output would look like none
        extra_arguments=QUIET,
        resources={"metadata": {"path": str(folder)}},
        on_cell_execute=lambda cell, cell_index: started.append(cell),
    )
    try:
        client.execute()
        return
    except CellExecutionError as failure:
        error = f"{failure.ename}: {failure.evalue}"
        if failure.ename == "SystemExit":
            error += ", the cells below never ran"
    except TimeoutError:
        error = f"no end after {timeout} s"
    except DeadKernelError:
        error = "the kernel died (out of memory?)"
    place = "before its first cell"
    if started:
        line = started[-1].source.strip().splitlines()[0]
        place = f"in cell [{len(started)}] {line}"
    raise RuntimeError(f"{place}\n  {error}")


def literal(path: Path) -> str:
    """A path as papermill takes it, to which braces mean a parameter."""
    return str(path).replace("{", "{{").replace("}", "}}")


def execute(path: Path, out: Path, given: dict, timeout: int) -> None:
    """Execute one chapter with parameters into ``out``, as far as it comes."""
    import papermill

    check_parameters(path, given)
    out.unlink(missing_ok=True)
    # papermill only writes the parameters in: run by papermill itself, an error counts
    # against the chapter even where the cell is tagged raises-exception
    notebook = papermill.execute_notebook(
        literal(path),
        literal(out),
        given,
        prepare_only=True,
        kernel_name="python3",
        language="python",
    )
    try:
        execute_cells(notebook, path.parent, timeout)
    finally:
        nbformat.write(notebook, out)


def read_claims(path: Path) -> list[dict]:
    """What a chapter claimed: dicts with claim, measured, interval, verdict."""
    return json.loads(path.read_text()) if path.exists() else []


def table(rows: list[tuple]) -> str:
    """Rows (chapter, minutes, claims or None where it failed) as a Markdown table."""
    lines = [("chapter", "minutes", "claims held")]
    for chapter, minutes, claims in rows:
        held = sum(c["verdict"] == "holds" for c in claims or [])
        kept = "failed" if claims is None else f"{held} of {len(claims)}"
        lines.append((chapter, f"{minutes:.1f}", kept))
    return grid(lines)


def store(path: Path, timeout: int) -> None:
    """Execute one chapter in place, its parameters as written.

    What is stored depends on nothing but the cells and their outputs: no timings, no
    versions, and a cell's id is a hash of its source. A failure leaves the file alone.
    """
    parameters(path)  # what `make run` would refuse must not be stored
    notebook = nbformat.read(path, 4)
    execute_cells(notebook, path.parent, timeout)
    clean(notebook)
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python"}
        | {"name": "python3"},
        "language_info": {"name": "python"},
    }
    seen = {}
    for cell in notebook.cells:
        cell.metadata = {k: cell.metadata[k] for k in KEPT if cell.metadata.get(k)}
        digest = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.write(notebook, path)


def main(argv: list[str] | None = None) -> int:
    """Returns 0, or 1 where a chapter or the pages failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", default="tiny", help="tiny, small or gpu")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="how the name begins, such as 03")
    parser.add_argument("--out", type=Path, default=ROOT / "build")
    parser.add_argument("--notebooks", type=Path, default=ROOT / "notebooks")
    parser.add_argument("--timeout", type=int, default=3600, help="seconds a cell")
    parser.add_argument("--store", action="store_true", help="execute in place")
    args = parser.parse_args(argv)

    out, source = args.out.resolve(), args.notebooks.resolve()
    executed, claimed = out / "notebooks", out / "claims"
    if args.store and (args.scale, args.seed) != ("tiny", 0):
        print(
            "--store takes neither --scale nor --seed: chapters are stored as written"
        )
        return 1
    if source in (out, executed):
        print(f"--out {out} would write over {source}: name another folder")
        return 1
    for folder in (executed, claimed):
        folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("TTS_STORE", str(out / "store"))
    os.environ["TTS_CLAIMS"] = str(claimed)

    todo = chapters(source, args.only)
    if not todo:
        print(f"no chapter {args.only or 'yet'} in {args.notebooks}", flush=True)
        return 1 if args.only else 0

    rows, failures = [], []
    for path in todo:
        print(f"{path.stem} ...", flush=True)
        verdicts = claimed / f"{path.stem}.json"
        verdicts.unlink(missing_ok=True)
        begin = time.perf_counter()
        try:
            if args.store:
                store(path, args.timeout)
                if path.stem == "03_verifiers":
                    PICTURE.write_bytes(first_picture(path))
            else:
                given = {"scale": args.scale, "seed": args.seed}
                execute(path, executed / path.name, given, args.timeout)
            claims = read_claims(verdicts)
        except Exception as error:  # one broken chapter must not hide the others
            failures.append(f"FAILED {path.name}: {error}")
            claims = None
        rows.append((path.stem, (time.perf_counter() - begin) / 60, claims))

    if not args.store and not failures:
        try:
            index = pages.build(
                [executed / path.name for path in todo],
                source,
                out,
                table(rows),
            )
            print(f"pages: {index}")
        except RuntimeError as error:
            failures.append(f"FAILED {error}")
    print(f"\n{table(rows)}\n", *failures, sep="\n", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
