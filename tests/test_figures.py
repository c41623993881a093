"""The pictures that code draws by hand: well formed, and they say what they show."""

import math
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from ttslib import figures
from ttslib.chain import Chain
from ttslib.problems import Problem
from ttslib.verify import verify

SVG = "{http://www.w3.org/2000/svg}"


def test_the_diagram_names_its_parts_for_every_reader():
    shown = figures.diagram()
    root = ElementTree.fromstring(shown.html)
    assert root.tag == SVG + "svg" and root.get("role") == "img"
    assert root.find(SVG + "title").text and "verifier" in root.find(SVG + "desc").text
    drawn = ["".join(text.itertext()) for text in root.iter(SVG + "text")]
    for symbol in ("x", "z1", "zT", "y", "Verx", "r", "p(y, z | x; θ)"):
        assert symbol in drawn
    words = "problem", "chain of thought", "answer", "verifier", "guide", "policy"
    for word in words:
        assert word in drawn and word in repr(shown)
    for colour in figures.COLOURS.values():
        assert colour in shown.html


def test_the_diagram_fits_a_phone():
    root = ElementTree.fromstring(figures.diagram().html)
    width = float(root.get("viewBox").split()[2])
    assert "max-width:100%" in root.get("style")
    # 390 points of a phone, less margins: what letters shrink to
    sizes = [float(text.get("font-size")) for text in root.iter(SVG + "text")]
    assert min(sizes) * 360 / width > 11


# --- a search tree -------------------------------------------------------------------
@dataclass
class Node:
    chain: Chain
    parent: int
    value: float
    kept: bool


@dataclass
class BeamResult:
    problem: Problem
    nodes: list


def node(text, parent, value, kept, finished=False):
    """A node whose chain has all of ``text``."""
    return Node(Chain("x", text=text, finished=finished), parent, value, kept)


def search(*nodes, prompt="How many < 3 & more?\n"):
    root = node("", -1, math.nan, True)
    problem = Problem("p", "story", prompt, "4", "mathematics")
    return BeamResult(problem, [root, *nodes])


SOME = (
    node("a = 1\n", 0, 0.25, True),
    node("b = 2\n", 0, 0.10, False),
    node("a = 1\nAnswer: 4", 1, 1.0, True, True),
    node("a = 1\nAnswer: 5", 1, 0.0, False, True),
)


def drawn(found, *options, **named):
    shown = figures.tree(found, *options, **named)
    return shown, ElementTree.fromstring(shown.html)


def texts(element):
    return [text.findtext(SVG + "title") or "" for text in element.iter(SVG + "text")]


def test_a_tree_has_each_node_once_with_its_parent_value_and_verdict():
    shown, root = drawn(search(*SOME), verify)
    groups = [g for g in root.iter(SVG + "g") if g.get("class") == "node"]
    parents = {int(g.get("data-node")): int(g.get("data-parent")) for g in groups}
    assert len(groups) == 4 and parents == {1: 0, 2: 0, 3: 1, 4: 1}
    said = {int(g.get("data-node")): "|".join(g.itertext()) for g in groups}
    assert "b = 2" in said[2] and "0.10" in said[2]
    assert "✓" in said[3] and "✗" in said[4] and "✓" not in said[1] + said[2]
    assert "a = 1" not in said[3], "a node shows its own step only"
    # dropped: hollow, and its edge is dashed
    edges = list(root.iter(SVG + "path"))
    assert len(edges) == 4
    assert sum(e.get("stroke-dasharray") is not None for e in edges) == 2
    shapes = {i: g[0] for i, g in zip(parents, groups)}
    assert shapes[2].get("fill") == "#fff" != shapes[1].get("fill")
    assert shapes[1].tag == SVG + "circle" and shapes[3].tag == SVG + "rect"
    lines = repr(shown).split("\n")
    assert lines[0].startswith("x  How many")
    assert lines[1].split() == ["0.10", "○", "b", "=", "2"]
    assert any("● Answer: 4 ✓" in line for line in lines)


def test_a_child_stands_below_and_right_of_its_parent():
    _, root = drawn(search(*SOME))
    groups = [g for g in root.iter(SVG + "g") if g.get("class") == "node"]

    def place(shape):
        x, y = (shape.get(k) or shape.get("c" + k) for k in "xy")
        return float(x), float(y)

    at = {int(g.get("data-node")): place(g[0]) for g in groups}
    for g in groups:
        i, parent = int(g.get("data-node")), int(g.get("data-parent"))
        if parent > 0:
            assert at[i][0] > at[parent][0] and at[i][1] > at[parent][1]
    assert len({y for _, y in at.values()}) == 4, "two nodes in a row"


def test_a_tree_says_what_it_shows_for_who_cannot_see_it():
    shown, root = drawn(search(*SOME), verify, caption="Two < four")
    svg = root.find(SVG + "svg")
    assert root.find("p").text == svg.find(SVG + "title").text == "Two < four"
    assert svg.get("role") == "img"
    said = svg.find(SVG + "desc").text
    assert said == "4 nodes, 2 of them kept, 2 finished, 1 of these right"
    assert said in repr(shown)


def test_text_of_a_model_is_text_and_is_cut_to_fit_a_phone():
    bad = '<script>alert("1")</script> & ' + "w" * 200
    deep, text = [], ""
    for i in range(40):
        text += f"{bad}{i}\n"
        deep.append(node(text, i, 0.5, True))
    _, root = drawn(search(*deep, prompt=bad + "\n"))
    assert not list(root.iter(SVG + "script")) and not list(root.iter("script"))
    width = float(root.get("viewBox").split()[2])
    assert "max-width:100%" in root.get("style")
    sizes, right = [], []
    for item in root.iter(SVG + "text"):
        size = float(item.get("font-size"))
        sizes.append(size)
        letters = len(item.text or item[0].tail)
        share = {"start": 1, "middle": 0.5, "end": 0}[item.get("text-anchor")]
        right.append(float(item.get("x")) + share * letters * 0.602 * size)
    assert max(right) <= width and min(sizes) * 350 / width > 11
    assert any(bad + "39" in full for full in texts(root)), "the title has all of it"


def test_equal_leaves_are_drawn_once_if_asked():
    twice = [node("b = 2\n", 0, 0.1, False) for _ in range(3)]
    found = search(twice[0], SOME[0], *twice[1:])
    _, root = drawn(found, fold=True)
    groups = [g for g in root.iter(SVG + "g") if g.get("class") == "node"]
    assert len(groups) == 2 and "×3" in "".join(groups[0].itertext())


def test_any_value_has_its_shade_and_what_is_no_number_has_none():
    nodes = [node(f"{v}\n", 0, v, True) for v in (-2.0, 3.0, math.nan)]
    _, root = drawn(search(*nodes))
    groups = [g for g in root.iter(SVG + "g") if g.get("class") == "node"]
    fills = [g[0].get("fill") for g in groups]
    assert fills[0] == fills[2] == "#ffffff"
    assert fills[1].upper() == figures.COLOURS["guide"]
    assert "–" in "".join(groups[2].itertext())


def test_a_parent_that_comes_later_is_refused_and_an_empty_tree_is_none():
    with pytest.raises(ValueError, match="node 1"):
        figures.tree(search(node("a\n", 2, 0, True), node("b\n", 0, 0, True)))
    assert "0 nodes" in repr(figures.tree(search()))


# --- a strip of frames ---------------------------------------------------------------
def grown(*visits, wins=(), nodes=SOME):
    """A snapshot of a tree: the visits of the root, then of as many of ``nodes``."""
    wins = wins or (0,) * len(visits)
    counts = [SimpleNamespace(visits=n, wins=w) for n, w in zip(visits, wins)]
    for count, of in zip(counts, (node("", -1, 0, True), *nodes)):
        count.chain, count.parent = of.chain, of.parent
    return SimpleNamespace(nodes=counts)


STRIP = (
    grown(1, 1, 0, wins=(1, 1, 0)),
    grown(2, 1, 1, wins=(1, 1, 0)),
    grown(3, 2, 1, 1, 0, wins=(1.5, 1.5, 0, 0.5, 0)),
)


def framed(found, *notes):
    shown = figures.frames(found, notes, "It <grows>")
    root = ElementTree.fromstring(shown.html)
    out = []
    for svg in root.iter(SVG + "svg"):
        groups = [g for g in svg.iter(SVG + "g") if "node" in g.get("class")]
        out.append((svg, groups))
    return shown, root, out


def test_a_frame_shows_each_count_the_path_and_what_is_new():
    shown, root, strip = framed(STRIP, "up < 1")
    assert len(strip) == 3 and root.find("p").text == "It <grows>"
    walked = [[g.get("class") == "node walked" for g in groups] for _, groups in strip]
    assert walked == [
        [True, True, False],
        [True, False, True],
        [True, True, True, False, False],  # root, a, its child; then the rest
    ]
    said = [["".join(g.itertext()) for g in groups] for _, groups in strip]
    assert [s.count("new") for s in said[0]] == [0, 1, 1]
    assert [s.count("new") for s in said[1]] == [0, 0, 0]
    assert [s.count("new") for s in said[2]] == [0, 0, 1, 1, 0]
    assert "1.5 / 3" in said[2][0] and "a = 1" in said[2][1] and "1.5 / 2" in said[2][1]
    assert "Answer: 4" in said[2][2] and "0.5 / 1" in said[2][2]
    assert "a = 1" not in said[2][2], "a node shows its own step only"
    assert "–" in said[2][3] and "b = 2" in said[2][4] and "0 / 1" in said[2][4]
    heads = [svg.findtext(SVG + "title") for svg, _ in strip]
    assert heads == [
        f"simulation {k}: worth {v}" for k, v in ((1, 1), (2, 0), (3, 0.5))
    ]
    assert "up < 1" in strip[0][0].findtext(SVG + "desc")
    lines = repr(shown).split("\n")
    assert lines[:3] == ["It <grows>", "simulation 1: worth 1  up < 1",
                         "    1 / 1  ● the problem"]  # fmt: skip
    assert "        –    ○+b = 2" in lines


def test_what_is_walked_is_told_without_colour():
    """Thick edges and bold letters for the path; dashed circles for the unvisited."""
    _, _, strip = framed(STRIP)
    svg, groups = strip[2]
    thick = [p for p in svg.iter(SVG + "path") if p.get("stroke-width") == "2.6"]
    assert len(thick) == 2 and len(list(svg.iter(SVG + "path"))) == 4
    for g in groups:
        bold = {t.get("font-weight") for t in g.iter(SVG + "text")} - {"normal"}
        assert bool(bold) == (g.get("class") == "node walked")
    dashed = [g[0].get("stroke-dasharray") is not None for g in groups]
    assert dashed == [False, False, False, True, False]


def test_frames_wrap_and_fit_a_phone():
    bad = '<script>alert("1")</script> & ' + "w" * 200
    deep, text = [], ""
    for i in range(6):
        text += f"{bad}{i}\n"
        deep.append(node(text, i, 0.5, True))
    found = grown(*range(9, 2, -1), wins=(0.125,) * 7, nodes=deep)
    _, root, ((svg, groups),) = framed([found], bad)
    assert "flex-wrap:wrap" in root.find("div").get("style")
    assert not list(root.iter(SVG + "script")) and "width:100%" in svg.get("style")
    width = float(svg.get("viewBox").split()[2])
    for g in groups:
        ends = []
        for item in g.iter(SVG + "text"):
            size, x = float(item.get("font-size")), float(item.get("x"))
            letters = len(item.text or item[0].tail) * 0.602 * size
            ends.append((x - letters, x) if item.get("text-anchor") == "end"
                        else (x, x + letters))  # fmt: skip
            assert size * 350 / width > 11
        ends.sort()
        assert all(a[1] <= b[0] + 1 for a, b in zip(ends, ends[1:])), "they overlap"
        assert ends[-1][1] <= width
    assert bad.split()[0] in "".join(groups[-1].itertext())


def test_a_tree_that_shrinks_is_refused_and_no_frame_is_none():
    with pytest.raises(ValueError, match="frame 1"):
        figures.frames([STRIP[2], STRIP[0]])
    assert repr(figures.frames([])) == ""
