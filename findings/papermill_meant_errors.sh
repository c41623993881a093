#!/usr/bin/env bash
# papermill 2.7.0 and a cell that is tagged raises-exception: nbclient 0.11, which runs
# the cells for it, takes the error as meant and goes on; papermill looks at all outputs
# afterwards, finds an error there, and fails the notebook all the same. Of two such
# cells it names the last. Seen 2026-12-01. Fails if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet papermill==2.7.0 nbclient==0.11.0 ipykernel==7.4.0
cd "$folder"
"$folder/venv/bin/python" - <<'PY'
import nbformat
import papermill
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

meant = {"tags": ["raises-exception"]}
cells = [new_code_cell("1 / 0", metadata=meant), new_code_cell("[][0]", metadata=meant)]
notebook = new_notebook(cells=[*cells, new_code_cell("print('after')")])
nbformat.write(notebook, "in.ipynb")
NotebookClient(nbformat.read("in.ipynb", 4), kernel_name="python3").execute()
print("nbclient: went on to the end")
try:
    papermill.execute_notebook(
        "in.ipynb", "out.ipynb", kernel_name="python3", progress_bar=False
    )
    raise SystemExit("papermill accepts it now")
except papermill.PapermillExecutionError as error:
    print("papermill:", error.ename)
    ran = [c for c in nbformat.read("out.ipynb", 4).cells if "print" in c.source]
    print("the cell after them ran:", bool(ran[0].outputs))
    raise SystemExit(error.ename != "IndexError" or not ran[0].outputs)
PY
