"""Verdicts follow from the interval alone, and the run's table can read them."""

import json

import pytest

from ttslib.claims import FAILS, HOLDS, UNSURE, Claims, verdict
from ttslib.figures import show
from ttslib.problems import load
from ttslib.tools.run import read_claims
from ttslib.verify import verify


@pytest.mark.parametrize(
    "interval, bounds, said",
    [
        ((0.1, 0.2), (0, 1), HOLDS),
        ((-0.2, -0.1), (0, 1), FAILS),
        ((-0.1, 0.1), (0, 1), UNSURE),
        ((0.9, 1.2), (0, 1), UNSURE),
        ((1.1, 1.2), (0, 1), FAILS),
        ((float("nan"), 0.2), (0, 1), UNSURE),
        ((0, 0), (0, 1), UNSURE),
    ],
)
def test_verdict(interval, bounds, said):
    assert verdict(*interval, *bounds) == said


def test_a_chapters_claims_reach_the_run(tmp_path, monkeypatch):
    monkeypatch.setenv("TTS_CLAIMS", str(tmp_path))
    claims = Claims("07_x")
    claims.add("a < b", "slide 1", (0.25, 0.2, 0.3), over="9 problems", unit="points")
    bounds = dict(least=-0.2, most=0.2, key="b")
    claims.add("b = 0", "slide 2", (0.1, -0.5, 0.7), over="9 problems", **bounds)
    claims.check("c = c", True)
    rows = read_claims(tmp_path / "07_x.json")
    assert [r["verdict"] for r in rows] == [HOLDS, UNSURE]
    assert rows[0]["interval"] == [0.2, 0.3]
    assert json.dumps(rows)
    shown = claims._repr_html_()
    assert "25.0 points" in shown and "a &lt; b" in shown and "9 problems" in shown
    assert repr(claims) == f"{HOLDS}: a < b\n{UNSURE}: b = 0\ncode check: c = c"
    # prose points at a row of the table
    assert claims.link("b") == f'<a href="#claim-07-b">{UNSURE}</a>'
    assert '<tr id="claim-07-b">' in shown and claims["b"]["measured"] == 0.1
    with pytest.raises(KeyError, match="'z'"):
        claims["z"]


def test_two_routes_that_disagree_stop_the_chapter():
    with pytest.raises(AssertionError, match="c = d"):
        Claims("07_x").check("c = d", False)


def test_a_chain_is_shown_with_its_parts_apart():
    from ttslib.chain import Chain

    problem = load("story-easy", "test", 1)[0]
    shown = show(problem, Chain(problem.prompt, problem.chain), verify=verify)
    assert repr(shown).count("✓") == 1 and problem.gold in repr(shown)
    assert "#257180" in shown.html and "<script" not in shown.html
    hostile = show(problem, Chain(problem.prompt, "<script>alert(1)</script>"))
    assert "<script>" not in hostile.html
