"""Verifiers of choice and countdown: honest answers, wrong ones, hostile ones."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib.problems import Problem
from ttslib.verify import verify

SCIENCE = Problem(
    "q", "science", "", "B", "choice",
    {"options": {"A": "12 m", "B": "2 m", "C": "2 m/s", "D": "the dog"}},
)  # fmt: skip


@pytest.mark.parametrize(
    "answer", ["B", "b", "(B)", "B)", "**B**", "B) 2 m", "2 m", "The answer is B."]
)
def test_choice_reads_letter_or_text(answer):
    assert verify(SCIENCE, answer)


@pytest.mark.parametrize(
    "answer",
    ["A", "12 m", "2 m/s", "(A) or (B)", "a bit", ""]
    + ["B) or A)", "option A or option B", "A or B", "A and B"],
)
def test_choice_refuses_the_rest(answer):
    assert verify(SCIENCE, answer).status == "failed"


COUNTDOWN = Problem(
    "c", "countdown", "", "", "countdown", {"numbers": [6, 2, 4, 9], "target": 25}
)


@pytest.mark.parametrize("answer", ["(6 - 2) * 4 + 9", "9 + 4 * (6 - 2) = 25"])
def test_countdown_passes(answer):
    assert verify(COUNTDOWN, answer)


@pytest.mark.parametrize(
    "answer",
    [
        "25",
        "9 + 4 * 4",
        "(6 - 2) * 4 + 9 + 0",
        "6 + 2 + 4 + 9",
        "9**9**9**9",
        "9 / (4 -",
    ]
    + [
        "__import__('os')",
        "(" * 150 + "6",
        "6 / (2 - 2) + 4 + 9",
        "-6 + 2 + 4 + 9",
        "x",
    ],
)
def test_countdown_fails(answer):
    assert verify(COUNTDOWN, answer).status == "failed"


@given(st.text(max_size=60))
@settings(deadline=None)
def test_no_answer_raises(text):
    for problem in (COUNTDOWN, SCIENCE):
        assert verify(problem, text).status in ("passed", "failed")
