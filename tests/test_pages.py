"""The pages in a browser, made from the stored chapters: at a desk and on a phone."""

import re
import shutil
from pathlib import Path
from runpy import run_path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest

from ttslib.tools import pages
from ttslib.tools.chapters import ROOT, chapters

_browser = run_path(str(Path(__file__).with_name("browser.py")))

FOLDER = ROOT / "notebooks"
CHAPTERS = {path.stem: path for path in chapters(FOLDER)}
PROSE = sorted(p.relative_to(FOLDER).with_suffix("") for p in FOLDER.rglob("*.md"))
PAGES = ["index", *CHAPTERS, *map(str, PROSE)]
DESK, PHONE = 1280, 390  # pixels
COLUMNS = 88  # of code

pytestmark = [
    pytest.mark.skipif(not CHAPTERS, reason="no chapter is written yet"),
    pytest.mark.skipif(not _browser["program"](), reason="no Chromium to read with"),
]

READY = """(async () => {
  if (window.MathJax?.startup) await MathJax.startup.promise;
  await document.fonts.ready;
  for (const image of document.images) image.loading = "eager";
  await Promise.all([...document.images].map(i => i.decode().catch(() => null)));
  await Promise.all(document.getAnimations().map(a => a.finished.catch(() => null)));
})()"""
# what reaches beyond the window and lies in nothing that scrolls inside the article
WIDE = """[...document.querySelectorAll("body *")].filter(e => {
  const box = e.getBoundingClientRect();
  if (!box.width || !box.height || box.right <= innerWidth + 1) return false;
  if (!e.checkVisibility({visibilityProperty: true})) return false;
  if (e.closest("mjx-assistive-mml")) return false;  // for the ear: cut to nothing
  for (let up = e.parentElement; up?.closest("article"); up = up.parentElement)
    if (/auto|scroll/.test(getComputedStyle(up).overflowX)) return false;
  return true;
}).map(e => e.outerHTML.slice(0, 120))"""
CODE = """(columns => {
  const all = [...document.querySelectorAll("article .highlight pre")];
  const short = pre => pre.innerText.split("\\n").every(l => l.length <= columns);
  const cut = pre => pre.checkVisibility() && pre.scrollWidth > pre.clientWidth;
  const found = all.filter(pre => short(pre) && cut(pre)).map(pre => pre.innerText);
  if (all.length) {
    const first = all.find(pre => pre.checkVisibility()), text = first.innerHTML;
    first.textContent = "m".repeat(columns);
    if (cut(first)) found.push(first.textContent);
    first.innerHTML = text;
  }
  return found;
})"""
FORMULAS = """(() => {
  const article = document.querySelector("article").cloneNode(true);
  const all = [...article.querySelectorAll(".math")];
  const bad = all.filter(
    e => !e.querySelector("mjx-container") || e.querySelector("[data-mml-node=merror]")
  ).map(e => e.textContent);
  for (const e of article.querySelectorAll("pre, code, script, mjx-container"))
    e.remove();
  const raw = /\\$\\$|\\\\\\(|\\\\\\[|\\\\begin/.exec(article.textContent);
  return raw ? [...bad, article.textContent.substr(raw.index, 80)] : bad;
})()"""
IMAGES = """[...document.querySelectorAll("article img")].map(e => ({
  alt: e.alt, broken: !e.naturalWidth, start: e.src.slice(0, 80)}))"""
PANELS = """[...document.querySelectorAll("article .panels")].map(e =>
  [...e.querySelectorAll("img")].map(i => i.getBoundingClientRect()).map(
    ({left, right, top, bottom}) => ({left, right, top, bottom})))"""
LINKS = """[...document.querySelectorAll("a[href]")].map(e => e.href)"""
HIDDEN = """[...document.querySelectorAll(".cell.tag_hide-input")].map(cell => ({
  code: [...cell.querySelectorAll(".cell_input")].some(e => e.checkVisibility()),
  words: cell.querySelector(".cell_output")?.innerText.length ?? 0}))"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The pages' folder."""
    out = tmp_path_factory.mktemp("pages")
    if (script := ROOT / "build" / "mathjax" / pages.SCRIPT).exists():
        (out / "mathjax").mkdir()
        shutil.copy(script, out / "mathjax")
    table = "| chapter |\n| ------- |\n| none executed |"
    return pages.build(list(CHAPTERS.values()), FOLDER, out, table).parent


@pytest.fixture(scope="module")
def tab(tmp_path_factory):
    with _browser["tab"](tmp_path_factory.mktemp("browser")) as tab:
        yield tab


@pytest.fixture(scope="module", params=PAGES)
def page(request, built, tab):
    """A tab that shows one page; ``name`` and ``file`` say which."""
    tab.name = request.param
    tab.file = built / f"{request.param}.html"
    tab.width(DESK)
    tab.open(tab.file.as_uri())
    tab.run(READY)
    return tab


def resize(page, width: int):
    """Another width, once the sidebars have slid to their places."""
    page.width(width)
    page.run(READY)


@pytest.fixture
def formulas(built):
    if not (built.parent / "mathjax" / pages.SCRIPT).exists():
        pytest.skip("no MathJax from npm")


def drawn(name: str):
    """(cell, panels) of a chapter's cells with a figure."""
    for cell in nbformat.read(CHAPTERS[name], 4).cells if name in CHAPTERS else []:
        if any("image/png" in o.get("data", {}) for o in cell.get("outputs", [])):
            yield cell, int((pages.AXES.findall(cell.source) or [1])[0])


def test_nothing_fails_and_nothing_asks_the_network(page, built):
    local = (built.parent / "mathjax" / pages.SCRIPT).exists()
    assert [f for f in page.faults() if local or "mathjax" not in f] == []


def test_every_link_leads_somewhere(page, built):
    anchors = {}
    for link in page.run(LINKS):
        url = urlsplit(link)
        if url.scheme in ("http", "https", "mailto"):
            continue
        file = Path(unquote(url.path))
        assert url.scheme == "file" and file.is_relative_to(built), link
        assert file.is_file(), link
        if url.fragment:
            if file not in anchors:
                anchors[file] = set(re.findall(r'\bid="([^"]+)"', file.read_text()))
            assert unquote(url.fragment) in anchors[file], link


def test_code_of_88_columns_fits_at_a_desk(page):
    resize(page, DESK)
    assert page.run(f"{CODE}({COLUMNS})") == []
    assert page.run(WIDE) == []


def test_a_phone_shows_all_of_its_width(page):
    resize(page, PHONE)
    assert page.run(WIDE) == []
    assert page.run("document.documentElement.scrollWidth") <= PHONE


def test_formulas_are_drawn(page, formulas):
    assert page.run(FORMULAS) == []


def test_pictures_are_there_and_say_what_they_show(page):
    images = page.run(IMAGES)
    assert [image for image in images if image["broken"]] == []
    panels = sum(panels for _, panels in drawn(page.name))
    assert len(images) == panels, "no white column between the panels of a figure?"
    shown = [" ".join(image["alt"].split()) for image in images]
    for cell, panels in drawn(page.name):
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        alt = " ".join(alt.split())
        for k in range(1, panels + 1) if alt else ():
            assert (f"{alt} (panel {k} of {panels})" if panels > 1 else alt) in shown


def test_panels_lie_in_a_row_at_a_desk_and_in_a_column_on_a_phone(page):
    resize(page, DESK)
    for row in page.run(PANELS):
        for a, b in zip(row, row[1:]):
            assert abs(a["right"] - b["left"]) < 1.5
            assert abs(a["top"] - b["top"]) < 1.5
            assert abs(a["bottom"] - b["bottom"]) < 1.5  # of one scale
    resize(page, PHONE)
    for column in page.run(PANELS):
        for a, b in zip(column, column[1:]):
            assert abs(a["left"] - b["left"]) < 1.5 and a["bottom"] <= b["top"] + 1.5


def test_a_cell_that_says_a_paragraph_shows_the_paragraph_only(page):
    for cell in page.run(HIDDEN):
        assert not cell["code"] and cell["words"] > 0
