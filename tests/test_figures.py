"""The one picture that code draws by hand: well formed, and it says what it shows."""

import xml.etree.ElementTree as ElementTree

from ttslib import figures

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
