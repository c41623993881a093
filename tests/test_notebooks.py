"""What every chapter keeps to, read off the stored file; nothing is executed here."""

import re

import nbformat
import pytest

from ttslib.tools import sync
from ttslib.tools.chapters import ROOT, chapters, parameters, tagged

FOLDER = ROOT / "notebooks"
CHAPTERS = chapters(FOLDER)
LONGEST = 45  # lines of a code cell: one screen

pytestmark = pytest.mark.skipif(not CHAPTERS, reason="no chapter is written yet")


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, 4)


@pytest.fixture
def code(notebook):
    return [c for c in notebook.cells if c.cell_type == "code" and c.source.strip()]


def test_chapters_are_numbered_without_gaps():
    assert [int(p.name[:2]) for p in CHAPTERS] == list(range(len(CHAPTERS)))
    assert CHAPTERS == sorted(FOLDER.glob("*.ipynb")), "a notebook that no run executes"


def test_stored_as_a_fresh_kernel_left_it(code):
    assert [c.execution_count for c in code] == list(range(1, len(code) + 1))
    assert not [o for c in code for o in c.outputs if o.output_type == "error"]


def test_one_parameters_cell_with_scale_and_seed(path):
    found = parameters(path)
    assert found["scale"] == "tiny" and isinstance(found["seed"], int)


def test_at_least_one_cell_is_compared(notebook):
    compared = tagged(notebook, "nbval-check-output")
    assert any(cell.outputs for cell in compared)


def test_tied_cells_agree_with_the_library(path):
    assert sync.check(path) == []


def test_a_code_cell_fits_on_a_screen(code):
    long = [c.source for c in code if len(c.source.splitlines()) > LONGEST]
    assert not long, f"longer than {LONGEST} lines, begins: {long[0][:80]}"


def test_exercises_with_their_solutions_kept_apart(path, notebook):
    prose = [c.source for c in notebook.cells if c.cell_type == "markdown"]
    assert any(re.search(r"^## Exercises", source, re.M) for source in prose)
    assert not any(re.search(r"^#+ Solution", source, re.M) for source in prose)
    assert list((FOLDER / "solutions").glob(f"{path.name[:2]}*"))
