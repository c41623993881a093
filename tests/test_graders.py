"""The table of graders: its counts, and that what is recorded adds up."""

import json
import logging

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
    solutions = set(graders.SETS) - {"answer-equivalence"}
    for key, sets in ("sets", set(graders.SETS)), ("solutions", solutions):
        assert set(found[key]) == set(graders.GRADERS)
        for row in found[key].values():
            assert set(row) == sets
            for count in row.values():
                wrong = count["false accepts"] + count["false rejects"]
                assert count["agree"] + wrong == count["pairs"]
        lines = graders.markdown(found, key).count("\n")
        assert lines == len(graders.GRADERS) + 1


def test_ours_is_one_of_them():
    grade, whole = graders.ours()
    assert grade(r"\frac{1}{2}", "0.5") and not grade("1", "2")
    assert whole("6", r"Two rows of $3$ are $\boxed{6}$ tiles.")


def test_a_grader_that_is_late_has_not_accepted():
    def grade(gold, answer):
        if answer == "raise":
            raise TimeoutError
        logging.getLogger("math_verify.grader").warning("Timeout during comparison")
        return False

    found = graders.table(grade, [("1", "raise", True), ("1", "log", True)])
    assert found["late"] == found["false rejects"] == 2 and "raised" not in found


def test_own_readers_are_given_whole_solutions():
    text = r"There are $2$ rows of $3$ tiles, so $2 \cdot 3 = \boxed{6}$ tiles."
    _, whole = graders.math_verify("${}$")
    assert whole("6", text) and not whole("5", text)


def test_a_set_needs_the_folder(monkeypatch):
    monkeypatch.delenv("TTS_DATA", raising=False)
    with pytest.raises(KeyError, match="TTS_DATA"):
        next(graders.math_500())
