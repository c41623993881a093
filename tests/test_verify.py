"""Verifiers: honest answers, wrong ones, hostile ones."""

import json
import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib.problems import Problem
from ttslib.problems.public import read_jsonl
from ttslib.verify import verify
from ttslib.verify.mathematics import equal, found
from ttslib.verify.reading import last_number, read_answer

DATA = Path(os.environ.get("TTS_DATA") or Path(__file__).parents[2] / "shared" / "data")
PAIRS = DATA / "answer-equivalence" / "pairs.jsonl"
EXTRACT = DATA / "answer-equivalence" / "extract.jsonl"
TRAIN = DATA / "math-train-answers" / "train.jsonl.gz"


@pytest.mark.parametrize(
    "gold, answer, status",
    [
        ("1234", "1,234", "passed"),
        ("0.5", "1/2", "passed"),
        ("18", "$18.00", "passed"),
        ("18", "19", "failed"),
        ("-3", "3", "failed"),
        ("18", "eighteen and a bit", "failed"),
        ("18", "", "failed"),
        ("\\frac{1}{2}", "0.5", "passed"),
        ("x^2+1", "1+x^2", "passed"),
        ("x^2+1", "X^2+1", "failed"),
        ("\\frac{1}{2^{98}}", "\\frac{1}{2^{99}}", "failed"),
        ("\\frac{1}{2^{98}}", "2^{-98}", "passed"),
        ("10^{-8}", "0.0000001", "failed"),
        ("10^{-8}", "0.00000001", "passed"),
        ("\\frac{1}{90!}", "\\frac{1}{91!}", "failed"),
        ("0", "10^{-9}", "failed"),
        ("$\\frac{1}{3}$", "0.3333333333", "passed"),
        (
            "\\frac{1}{3 \\cdot 2^{206}}",
            "\\frac{2^{205} + 1}{3 \\cdot 2^{206}}",
            "failed",
        ),
    ],
)
def test_mathematics(gold, answer, status):
    assert equal(gold, answer).status == status


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_plain_numbers_are_compared_exactly(a, b):
    assert bool(equal(str(a), f"{b:,}")) == (a == b)


def test_mathematics_works_from_any_thread():
    said = []
    thread = threading.Thread(target=lambda: said.append(equal("2x", "x+x").status))
    thread.start()
    thread.join()
    assert said == ["passed"]


@pytest.mark.skipif(not PAIRS.exists(), reason="needs the shared answer pairs")
def test_mathematics_on_other_projects_cases():
    rows = [json.loads(line) for line in PAIRS.read_text().splitlines()]
    said = [(r["equal"], bool(equal(r["gold"], r["answer"]))) for r in rows]
    assert said.count((True, True)) >= 336
    assert said.count((False, True)) <= 2


@pytest.mark.skipif(not EXTRACT.exists(), reason="needs the shared responses")
def test_found_on_other_projects_cases():
    rows = [json.loads(line) for line in EXTRACT.read_text().splitlines()]
    said = [(r["equal"], bool(found(r["gold"], r["response"]))) for r in rows]
    assert said.count((True, True)) >= 230
    assert said.count((False, True)) <= 2


@pytest.mark.skipif(not TRAIN.exists(), reason="needs the shared MATH answers")
def test_answers_of_math_equal_themselves_in_dollars_or_a_box():
    answers = {row["answer"] for row in read_jsonl(TRAIN)} - {""}
    assert len(answers) > 2_900 and all(equal(a, a) for a in answers)
    for a in sorted(answers)[::10]:
        for other in (f"${a}$", f"\\boxed{{{a}}}"):
            assert equal(a, other) and equal(other, a), a


@pytest.mark.parametrize(
    "gold, response, status",
    [
        ("42", "so it is 41.\nAnswer: 42", "passed"),
        ("34", "Final Answer: The largest $n$ is 34.", "passed"),
        ("\\frac{1}{2}", "Answer:\n\\[\n0.5\n\\]\nas was asked for", "passed"),
        ("7", "<think>\\boxed{8}</think>that is \\boxed{7}", "passed"),
        ("8", "<think>\\boxed{8}</think>that is \\boxed{7}", "failed"),
        ("12", "3 * 4 = 12 <answer>12.5</answer>", "failed"),
        ("12.5", "3 * 4 = 12 <answer>12.5</answer>", "passed"),
        ("4,5", "at first \\boxed{4}, but actually \\boxed{5}", "failed"),
        ("5", "at first \\boxed{4}, but actually \\boxed{5}", "passed"),
        ("4,5", "thus $\\boxed{4} \\quad \\text{and} \\quad \\boxed{5}$.", "passed"),
        ("x^2+1", "This gives $X^2+1$.", "failed"),
        ("x^2+1", "This gives $1+x^2$.", "passed"),
        ("\\frac{1}{2^{98}}", "This gives $\\frac{1}{2^{99}}$.", "failed"),
        ("\\frac{1}{2^{98}}", "This gives $2^{-98}$.", "passed"),
        ("1", "", "failed"),
        ("1", "I do not know.", "failed"),
        ("1", "x" * 10**6 + "\nAnswer: 1", "passed"),
    ],
)
def test_found(gold, response, status):
    assert found(gold, response).status == status


@given(st.integers())
@settings(deadline=None)
def test_found_reads_any_integer(n):
    response = f"so it is\nAnswer: {n:,}"
    assert found(str(n), response).status == "passed"
    assert found(str(n + 1), response).status == "failed"


def test_plain_numbers_take_half_a_millisecond():
    problem = Problem("m", "story", "", "1234", "mathematics")
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        said = [bool(verify(problem, f"{n:,}")) for n in range(1000, 2000)]
        seconds.append(time.perf_counter() - start)
        assert said.index(True) == 234 and sum(said) == 1
    assert min(seconds) < 0.5


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
    assert equal("7", text[:3]).status in ("passed", "failed")
    read_answer(text)


def test_reading():
    assert read_answer("a\nAnswer: 3\nAnswer: 4") == "4"
    assert read_answer("Answer:\ndef f(xs):\n    return 1") == (
        "def f(xs):\n    return 1"
    )
    assert read_answer("so \\boxed{\\frac{1}{2}}.") == "\\frac{1}{2}"
    assert read_answer("a\n#### 42") == "42"
    assert read_answer("no idea") == ""
    assert last_number("it is 1,234.5 or so") == "1234.5"
