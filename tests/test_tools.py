"""The chapters' machinery, on chapters made here."""

import ast
import base64
import io
import re

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from ttslib import figures
from ttslib.tools import audit, chapters, pages, run, sync

CLAIM = """import json, os, pathlib
claim = dict(claim="1 < 2", measured=1, interval=[1, 1], verdict="holds")
folder = pathlib.Path(os.environ["TTS_CLAIMS"])
(folder / "00_demo.json").write_text(json.dumps([claim, claim | {"verdict": "no"}]))"""
LIBRARY = """import math


def half(x):
    \"\"\"Half of x.\"\"\"
    return x / 2  # why: because


@property
def area(r):
    return math.pi * r**2


LIMIT = 3


def relative():
    from . import x

    return x
"""


def code(source, *tags):
    return new_code_cell(source, metadata={"tags": list(tags)} if tags else {})


def write(path, *cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    python = {"language_info": {"name": "python"}}
    nbformat.write(new_notebook(cells=list(cells), metadata=python), path)
    return path


PARAMETERS = 'scale = "tiny"\nseed = 0'


@pytest.fixture
def library(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "__init__.py").write_text("")
    (tmp_path / "lib" / "numbers.py").write_text(LIBRARY)
    return tmp_path


def test_run_executes_counts_claims_and_builds_pages(tmp_path, capsys):
    write(
        tmp_path / "in" / "00_demo.ipynb",
        new_markdown_cell("# Demo\n\n$$p(y \\mid x)$$\n\n[solution](solutions/00.md)"),
        code(PARAMETERS, "parameters"),
        code("import sys\nprint(scale, seed)\nprint('bar', file=sys.stderr)"),
        code(CLAIM),
    )
    (tmp_path / "in" / "solutions").mkdir()
    (tmp_path / "in" / "solutions" / "00.md").write_text("# Solution\n\n42\n")
    out = tmp_path / "out"
    # a stand-in for MathJax keeps the test off the network
    (out / "mathjax").mkdir(parents=True)
    (out / "mathjax" / pages.SCRIPT).write_text("")

    arguments = ["--notebooks", str(tmp_path / "in"), "--out", str(out)]
    assert run.main([*arguments, "--seed", "7"]) == 0
    assert re.search(r"\| 00_demo \| 0\.\d +\| 1 of 2 +\|", capsys.readouterr().out)
    done = nbformat.read(out / "notebooks" / "00_demo.ipynb", 4)
    assert "tiny 7" in str(done.cells)
    page = (out / "pages" / "00_demo.html").read_text()
    assert "tiny 7" in page and "bar" not in re.findall(r"<pre>(.*?)</pre>", page, re.S)
    scripts = re.findall(r'(?:src|rel="stylesheet" href)="([^"]+)"', page)
    assert scripts and not [s for s in scripts if s.startswith(("http", "//"))]


def plot(columns, alt):
    """A cell as it is stored that draws ``columns`` panels."""
    figure, axes = figures.axes(columns, width=4, height=2)
    for ax in np.atleast_1d(axes):
        ax.set(xlabel="x", ylabel="a long label, %", title="title", ylim=(0, 1000))
    png = io.BytesIO()
    figure.savefig(png, format="png")
    plt.close(figure)
    cell = code(f"fig, ax = figures.axes({columns}, width=4, height=2)")
    cell.metadata["mystnb"] = {"image": {"alt": alt}}
    text = base64.b64encode(png.getvalue()).decode()
    cell.outputs = [new_output("display_data", {"image/png": text})]
    return cell


def pixels(text):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("RGB"))


def test_a_figure_is_cut_between_its_panels():
    whole = plot(3, 'rises, then "falls"')
    before = pixels(whole.outputs[0].data["image/png"])
    pages.panels(new_notebook(cells=[whole]))
    shown = whole.outputs[0].data["text/html"]
    for k in (1, 2, 3):
        assert f'alt="rises, then &quot;falls&quot; (panel {k} of 3)"' in shown
    pieces = [pixels(t) for t in re.findall(r"base64,([^\"]+)", shown)]
    assert (np.hstack(pieces) == before).all()
    widths = [piece.shape[1] for piece in pieces]
    assert max(widths) - min(widths) < 0.05 * before.shape[1]
    for piece in pieces:  # the same ink in each: label, numbers, axis
        assert (piece[:, [0, -1]] > 250).all()
        ink = (piece < 250).any(2).sum()
        assert abs(ink / (pieces[0] < 250).any(2).sum() - 1) < 0.02


@pytest.mark.parametrize("columns", ["1", "n"])
def test_any_other_figure_stays_whole(columns):
    cell = plot(2, "two")
    cell.source = f"axes({columns})"
    before = dict(cell.outputs[0].data)
    pages.panels(new_notebook(cells=[cell]))
    assert cell.outputs[0].data == before
    assert pages.cuts(np.zeros((9, 90, 3), np.uint8), 2) == []  # no white column


def test_pages_of_figures_and_of_paragraphs_that_a_cell_says(tmp_path):
    says = code('figures.say(f"...")', "prose", "hide-input")
    text = "Of $p(y)$ we know **42**, see [above](#top)."
    says.outputs = [new_output("display_data", {"text/markdown": text})]
    head = new_markdown_cell("# Top\n\n## A part\n\n## Another")
    path = write(
        tmp_path / "in" / "00_demo.ipynb", head, plot(1, "one line"), plot(2, "b"), says
    )
    for name in ("slides", "glossary"):
        (path.parent / f"{name}.md").write_text(f"# The {name}\n")
    (tmp_path / "mathjax").mkdir()
    (tmp_path / "mathjax" / pages.SCRIPT).write_text("")
    index = pages.build(
        [path], path.parent, tmp_path, "| a |\n| - |\n| b |"
    ).read_text()
    assert "The slides" in index and "The glossary" in index
    page = (tmp_path / "pages" / "00_demo.html").read_text()
    assert 'alt="one line"' in page and 'alt="b (panel 2 of 2)"' in page
    assert '<span class="math' in page and "<strong>42</strong>" in page
    assert '<details class="admonition hide above-input">' in page
    assert "pages.css" in page and (tmp_path / "pages/_static/pages.css").exists()


def test_run_names_chapter_cell_and_error_and_goes_on(tmp_path, capsys):
    head = code(PARAMETERS, "parameters")
    write(tmp_path / "00_wrong.ipynb", head, code("# why\nx = 1 / 0"), code("2"))
    write(tmp_path / "01_exits.ipynb", head, code("import sys\nsys.exit(0)"), code("2"))
    write(tmp_path / "02_dies.ipynb", head, code("import os\nos._exit(1)"), code("2"))
    write(tmp_path / "04_misses.ipynb", code('scale = "tiny"', "parameters"))
    write(tmp_path / "05_bare.ipynb", code("1"))
    write(tmp_path / "06_derives.ipynb", code("seed = 0\nk = 2 * seed", "parameters"))
    out = tmp_path / "out"
    assert run.main(["--notebooks", str(tmp_path), "--out", str(out)]) == 1
    said = capsys.readouterr().out
    for pattern in (
        r"00_wrong.ipynb: in cell \[3\] # why\n  ZeroDivisionError: division",
        r"01_exits.ipynb: in cell \[3\] import sys\n  .*never ran",
        r"02_dies.ipynb: in cell \[3\] import os\n  the kernel died",
        r"04_misses.ipynb: no 'seed' in the parameters cell \(it sets scale\)",
        r"05_bare.ipynb: 0 cells tagged 'parameters'",
        r"06_derives.ipynb: in the parameters cell, 'k = 2 \* seed' is not",
    ):
        assert re.search(pattern, said), f"{pattern}\nnot in\n{said}"
    assert said.count("| failed") == 6
    assert not (out / "pages").exists()


def executed(way, path, timeout=60):
    """A chapter's notebook after ``make run`` or ``--store``, and its error or None."""
    out = path.with_name("out.ipynb") if way == "run" else path
    try:
        if way == "run":
            run.execute(path, out, {"scale": "tiny", "seed": 0}, timeout)
        else:
            run.store(path, timeout)
        error = None
    except RuntimeError as failure:
        error = str(failure)
    return nbformat.read(out, 4), error


@pytest.mark.parametrize("way", ["run", "store"])
def test_a_cell_without_end_is_stopped_and_named(tmp_path, way):
    endless = code("while True: pass")  # the first cell: none before it is stopped
    path = write(tmp_path / "00_x.ipynb", endless, code(PARAMETERS, "parameters"))
    error = executed(way, path, timeout=1)[1]
    assert error == "in cell [1] while True: pass\n  no end after 1 s"


MEANT, SKIPPED = "raises-exception", "skip-execution"
TAGGED = {
    "meant": ([code("1 / 0", MEANT), code("2")], None, ["error", "execute_result"]),
    "meant, to leave": ([code("import sys; sys.exit(3)", MEANT)], None, ["error"]),
    "meant, and none": ([code("1", MEANT)], None, ["execute_result"]),
    "last": ([code("1"), code("1 / 0", "x", MEANT)], None, ["execute_result", "error"]),
    "skipped": ([code("1 / 0", SKIPPED), code("2")], None, ["execute_result"]),
    "both": ([code("1 / 0", MEANT, SKIPPED), code("2")], None, ["execute_result"]),
    "after one meant": (
        [code("1 / 0", MEANT), code("2"), code("# why\nint('x')"), code("3")],
        (3, "# why\n  ValueError: invalid literal for int() with base 10: 'x'"),
        ["error", "execute_result", "error"],
    ),
    "before one meant": (
        [code("2"), code("\n\nlist[0]()[1]"), code("1 / 0", MEANT)],
        (2, "list[0]()[1]\n  IndexError: list index out of range"),
        ["execute_result", "error"],
    ),
    "after one skipped": (
        [code("x = 1", SKIPPED), new_markdown_cell("a"), code(" "), code("x")],
        (1, "x\n  NameError: name 'x' is not defined"),
        ["error"],
    ),
    "of another tag": (
        [code("1 / 0", "raises", "allow_errors")],
        (1, "1 / 0\n  ZeroDivisionError: division by zero"),
        ["error"],
    ),
}


@pytest.mark.parametrize("name", TAGGED)
def test_run_and_store_accept_the_same_errors_and_name_the_same_cell(tmp_path, name):
    cells, error, kinds = TAGGED[name]
    cells = [code(PARAMETERS, "parameters"), *cells]
    for way, before in (("store", 1), ("run", 2)):  # run adds the parameters' values
        path = write(tmp_path / "00_x.ipynb", *cells)
        notebook, said = executed(way, path)
        if error:
            number, rest = error
            assert said == f"in cell [{number + before}] {rest}"
        else:
            assert said is None
        if not error or way == "run":  # a failure is not stored
            shown = chapters.clean(notebook).cells  # leaving also warns on stderr
            outputs = [o for c in shown for o in c.get("outputs", [])]
            assert [o.output_type for o in outputs] == kinds


@pytest.mark.parametrize("way", ["run", "store"])
def test_a_skipped_cell_keeps_its_outputs_and_a_notebook_cannot_allow_errors(
    tmp_path, way
):
    kept = code("1 / 0", SKIPPED)
    kept.outputs = [new_output("stream", text="recorded")]
    cells = [code(PARAMETERS, "parameters"), kept, code("1 / 0")]
    path = write(tmp_path / "00_x.ipynb", *cells[:2])
    notebook, error = executed(way, path)
    assert error is None
    assert notebook.cells[-1].outputs[0].text == "recorded"
    assert notebook.cells[-1].execution_count is None

    path = write(tmp_path / "00_x.ipynb", *cells)
    notebook = nbformat.read(path, 4)
    notebook.metadata["allow_errors"] = True
    notebook.metadata["execution"] = {"allow_errors": True}
    nbformat.write(notebook, path)
    assert "] 1 / 0\n  ZeroDivisionError" in executed(way, path)[1]


def test_a_folder_with_braces_and_spaces_and_an_out_among_the_notebooks(tmp_path):
    folder = tmp_path / "my {course} 1"
    write(
        folder / "00_demo.ipynb",
        new_markdown_cell("# A"),
        code(PARAMETERS, "parameters"),
    )
    out = folder / "out {x}"
    (out / "mathjax").mkdir(parents=True)
    (out / "mathjax" / pages.SCRIPT).write_text("")
    for _ in range(2):  # the second time there is something to be copied into itself
        assert run.main(["--notebooks", str(folder), "--out", str(out)]) == 0
    assert (out / "pages" / "00_demo.html").exists()
    assert not (out / "pages-source" / out.name).exists()


def test_an_out_that_would_write_over_the_notebooks_is_refused(tmp_path, capsys):
    path = write(
        tmp_path / "notebooks" / "00_demo.ipynb", code(PARAMETERS, "parameters")
    )
    before = path.read_text()
    for out in (tmp_path, tmp_path / "notebooks"):
        assert run.main(["--notebooks", str(path.parent), "--out", str(out)]) == 1
        assert "name another folder" in capsys.readouterr().out
    assert path.read_text() == before


def test_run_without_chapters(tmp_path):
    arguments = ["--notebooks", str(tmp_path), "--out", str(tmp_path / "out")]
    assert run.main(arguments) == 0
    assert run.main([*arguments, "--only", "03"]) == 1


def test_store_twice_is_the_same_file_and_a_failure_leaves_it_alone(tmp_path):
    path = write(
        tmp_path / "00_demo.ipynb",
        code(PARAMETERS, "parameters"),
        code("from tqdm.auto import tqdm\nsum(tqdm(range(3)))"),
        code("scale"),
        code("scale"),
    )
    alt = {"mystnb": {"image": {"alt": "nothing is drawn"}}}
    notebook = nbformat.read(path, 4)
    notebook.cells[2].metadata = alt | {"collapsed": True}
    nbformat.write(notebook, path)
    run.store(path, 60)
    once = path.read_text()
    run.store(path, 60)
    assert path.read_text() == once
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    assert [c.execution_count for c in notebook.cells] == [1, 2, 3, 4]
    assert [o.output_type for o in notebook.cells[1].outputs] == ["execute_result"]
    assert chapters.tagged(notebook, "parameters") == notebook.cells[:1]
    assert notebook.cells[2].metadata == alt and notebook.cells[3].metadata == {}

    bad = write(tmp_path / "01_bad.ipynb", code(PARAMETERS, "parameters"), code("1/0"))
    before = bad.read_text()
    with pytest.raises(Exception, match="ZeroDivisionError"):
        run.store(bad, 60)
    assert bad.read_text() == before
    bad = write(tmp_path / "02_bad.ipynb", code("a, b = 1, 2", "parameters"))
    with pytest.raises(ValueError, match="is not 'name = literal'"):
        run.store(bad, 60)


def test_audit_counts_what_a_chapter_holds(tmp_path):
    assert audit.words("Two words, $x$ and ```no code``` <b>3.5</b>") == 8
    reading = code("figures.say(...)", "prose", "hide-input")
    text = {"text/markdown": "word " * 40}
    reading.outputs = [new_output("display_data", text)]
    claims = code("claims")
    table = {"text/plain": "holds: a\ndoes not hold: b\ncode check: holds: c"}
    claims.outputs = [new_output("display_data", table)]
    exercise = code('one = None\ncheck("00.1", one)\ncheck("00.2", one)')
    cells = [plot(1, ""), reading, claims, exercise, plot(2, "")]
    path = write(tmp_path / "00_demo.ipynb", *cells)
    assert audit.row(path) == ("00_demo", "40", "1 of 2", "2", "0", "1 of 2")
    (tmp_path / "solutions").mkdir()
    page = '```python\ncheck("00.1", 1)\ncheck("00.1", 1.0)\n```'
    (tmp_path / "solutions" / "00_demo.md").write_text(page)
    assert audit.row(path)[4] == "1"


def test_sync_makes_check_content_and_goes_one_way(library):
    path = write(
        library / "00_demo.ipynb",
        code("import math\n\n\ndef old(): ...", "lib:lib.numbers.area", "x"),
        code("", "lib:lib.numbers.half", "lib:lib.numbers.LIMIT"),
        code("untouched  = 1"),
    )
    assert len(sync.check(path, library)) == 2
    assert sync.sync(path, library) == 2
    assert sync.check(path, library) == []
    before = path.read_text()
    assert sync.sync(path, library) == 0 and path.read_text() == before
    area, half, last = nbformat.read(path, 4).cells
    assert area.source.startswith("import math\n\n\n@property\ndef area(r):")
    assert half.source.endswith("# why: because\n\n\nLIMIT = 3")
    assert last.source == "untouched  = 1"
    assert (library / "lib" / "numbers.py").read_text() == LIBRARY


@pytest.mark.parametrize(
    "old, new, differs",
    [
        ("x / 2", "x / 3", True),
        ("Half of x", "Half of it", True),
        ("# why: because", "# another comment", False),
        ("def half", "print(1)\n\n\ndef half", True),
        ("def half", "import math\n\n\ndef half", False),
        ("def half(x):", "def half(x:", True),
    ],
)
def test_check_sees_syntax_and_docstrings_but_not_comments(library, old, new, differs):
    source = sync.definition("lib.numbers.half", library)[0]
    cell = code(source.replace(old, new), "lib:lib.numbers.half")
    assert bool(sync.check(write(library / "00_x.ipynb", cell), library)) == differs


@pytest.mark.parametrize(
    "name, message",
    [
        ("lib.numbers.absent", "lib.numbers defines no 'absent'"),
        ("lib.absent.half", "there is no module lib.absent"),
        ("lib.numbers.relative", "a relative import fails"),
    ],
)
def test_a_tag_that_cannot_be_tied_is_named(library, name, message):
    path = write(library / "00_x.ipynb", code("", f"lib:{name}"))
    assert message in sync.check(path, library)[0]
    with pytest.raises((LookupError, ValueError), match=message):
        sync.sync(path, library)


def test_every_definition_of_the_library_parses_as_itself():
    for path in (chapters.ROOT / "ttslib" / "tools").glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef):
                name = f"ttslib.tools.{path.stem}.{node.name}"
                text, _ = sync.definition(name)
                assert ast.dump(ast.parse(text).body[0]) == ast.dump(node)
