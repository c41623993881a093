"""What every chapter keeps to, read off the stored file; nothing is executed here."""

import re

import nbformat
import pytest

from ttslib.tools import sync
from ttslib.tools.audit import CHECK, PROSE, READ, figures_of, said, words
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


WORDS = range(1_350, 2_201)  # of prose in a chapter: a class' reading


def test_enough_prose_and_no_more(notebook):
    assert sum(words(said(c)) for c in notebook.cells) in WORDS


def test_a_figure_is_read_right_after_it(notebook):
    for i, cell in figures_of(notebook):
        after = said(notebook.cells[i + 1])
        assert words(after) >= READ, f"nobody reads the figure of: {cell.source[-80:]}"


def test_a_figure_says_what_it_shows_to_who_cannot_see_it(notebook):
    for _, cell in figures_of(notebook):
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        assert words(alt) >= 8, f"no alt text: {cell.source[-80:]}"


def test_prose_cells_say_something_and_draw_nothing(notebook):
    for cell in tagged(notebook, PROSE):
        assert "hide-input" in cell.metadata.tags
        assert words(said(cell)) >= 10


def test_a_chapter_ends_with_what_to_take_away(notebook):
    prose = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    order = [
        prose.find(f"\n## {head}") + prose.startswith(f"## {head}")
        for head in ("What the chapter found", "Three take-aways", "Exercises")
    ]
    assert -1 not in order and order == sorted(order)
    for mark in ("**New terms**", "**Read next**"):
        assert mark in prose


def test_four_exercises_or_more_that_check_themselves(path, notebook):
    prose = [c.source for c in notebook.cells if c.cell_type == "markdown"]
    assert any(re.search(r"^## Exercises", source, re.M) for source in prose)
    assert not any(re.search(r"^#+ Solution", source, re.M) for source in prose)
    code = "\n".join(c.source for c in notebook.cells if c.cell_type == "code")
    asked = CHECK.findall(code)
    number = path.name[:2]
    assert asked == [f"{number}.{i + 1}" for i in range(max(4, len(asked)))]
