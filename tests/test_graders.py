"""The table of graders: its counts, and that what is recorded adds up."""

import json

import pytest

from ttslib.tools.chapters import ROOT
from ttslib.tools.records import graders

PAIRS = [("1", "1", True), ("1", "2", False), ("2", "3", True), ("5", "x", False)]


def test_agreements_and_errors_are_counted():
    def grade(gold, answer):
        if answer == "x":
            raise ArithmeticError
        return answer in ("1", "2")

    found = graders.table(grade, PAIRS)
    assert (found["pairs"], found["unequal"], found["raised"]) == (4, 2, 1)
    assert (found["agree"], found["false accepts"], found["false rejects"]) == (2, 1, 1)


def test_the_record_adds_up():
    found = json.loads((ROOT / "data" / "runs" / "graders.json").read_text())
    assert set(found["sets"]) == set(graders.GRADERS)
    for row in found["sets"].values():
        assert set(row) == set(graders.SETS)
        for count in row.values():
            wrong = count.get("false accepts", 0) + count.get("false rejects", 0)
            assert count["agree"] + wrong == count["pairs"]
    assert graders.markdown(found).count("\n") == len(graders.GRADERS) + 1


def test_ours_is_one_of_them():
    grade = graders.ours()
    assert grade(r"\frac{1}{2}", "0.5") and not grade("1", "2")


def test_a_set_needs_the_folder(monkeypatch):
    monkeypatch.delenv("TTS_DATA", raising=False)
    with pytest.raises(KeyError, match="TTS_DATA"):
        next(graders.math_500())
