"""Reading: what a chain says is its answer, whatever dress it stands in."""

import json
import os
import random
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib.chain import Chain
from ttslib.problems import Problem, load
from ttslib.problems.public import numbered
from ttslib.search import ballot, majority_vote
from ttslib.verify import judge, mathematics, named_answer, number, read_answer, verify
from ttslib.verify.mathematics import equal
from ttslib.verify.sandbox import math_host

DATA = Path(os.environ.get("TTS_DATA") or Path(__file__).parents[2] / "shared" / "data")
PAIRS = DATA / "answer-equivalence" / "pairs.jsonl"
EXTRACT = DATA / "answer-equivalence" / "extract.jsonl"
TRAIN = DATA / "math-train-answers" / "train.jsonl.gz"

OPTIONS = {"A": "iron", "B": "copper", "C": "zinc"}
CHOICE = Problem("b", "science", "", "B", "choice", {"options": OPTIONS})
MAKE = {"numbers": [1, 2, 3], "target": 9}
COUNTDOWN = Problem("c", "countdown", "", "", "countdown", MAKE)
SUM = "def f(xs):\n    return sum(xs)"
CASES = {"entry_point": "f", "tests": [[[[1, 2]], 3], [[[4]], 4], [[[]], 0]]}
PROGRAM = Problem("p", "program", "", SUM, "program", CASES)


def math(gold: str) -> Problem:
    return Problem("m", "story", "", gold, "mathematics")


def passes(problem: Problem, text: str) -> bool:
    """Through judge, as every chapter does it; the chain knows no verifier."""
    return bool(judge([problem], [[Chain("x", text=text)]])[0, 0])


# --- dress ---------------------------------------------------------------------------
DRESSES = (
    "{}",
    "Answer: {}",
    "Answer: **{}**",
    "**Answer: {}**",
    "**Answer:** {}.",
    "### Answer\n{}",
    "Answer: `{}`",
    "Answer: ${}$",
    "Answer: \\({}\\)",
    "\\[\n\\boxed{{{}}}\n\\]",
    "So the answer is \\boxed{{{}}}.",
    "The final answer is {}.",
    "Therefore, there are **{}** of them.",
    "<answer>{}</answer>",
    "so it is\n#### {}",
    "Answer: {} apples",
    "Answer: {} miles per hour.",
    "Answer: about {} km",
    "Answer: x = {}",
    "Answer: She has {} apples left.",
    "Answer: {}\n\nI hope this helps!",
    "Answer: {}\n\n**Check:** all 3 conditions hold.",
    "Answer: {}\n\nQuestion: Tom has 5 apples and eats 2.\nAnswer: 3",
    "Answer: {}\nTom has 5 apples. How many are left if he eats 2?\nAnswer: 3",
    "<think>Answer: 3</think>\nAnswer: {}<|im_end|>",
    "Answer: 3\nWait, no.\nAnswer: {}",
)
NUMBERS = st.one_of(
    st.integers(-(10**7), 10**7).map(lambda n: (str(n), f"{n:,}")),
    st.decimals(-(10**4), 10**4, places=2).map(lambda d: (str(d), f"{d:,}")),
    st.tuples(st.integers(1, 999), st.integers(1, 99)).map(
        lambda f: (f"{f[0]}/{f[1]}", f"{f[0]}/{f[1]}")
    ),
)


@given(NUMBERS, st.sampled_from(DRESSES))
@settings(max_examples=400, deadline=None)
def test_a_number_is_read_in_any_dress(gold, dress):
    gold, said = gold
    text = dress.format(said)
    answer = read_answer(text, "mathematics")
    assert ballot(answer) == str(number(gold)), text
    assert verify(math(gold), answer) and passes(math(gold), text)
    assert read_answer(answer, "mathematics") == answer
    assert not passes(math(str(number(gold) + 1)), text)


@pytest.mark.parametrize(
    "text, value",
    [
        ("29.50 dollars", "29.5"),
        ("$29.00", "29"),
        ("€5", "5"),
        ("18 eggs per day", "18"),
        ("540 meters.", "540"),
        ("3/4 cup", "3/4"),
        ("3 1/2 hours", "7/2"),
        ("2½", "5/2"),
        ("$1\\frac{1}{2}$ cups", "3/2"),
        ("12 cm^2", "12"),
        ("865 \\text{ inches}^2", "865"),
        ("15km/h", "15"),
        ("45^\\circ", "45"),
        ("1 000 000", "1000000"),
        ("14{,}916", "14916"),
        ("12\\,345", "12345"),
        ("1.5 million", "1500000"),
        ("5 %", "5"),
        ("28 + 32 = 60", "60"),
        ("−5", "-5"),
    ],
)
def test_a_number_is_read_as_people_mean_it(text, value):
    assert number(text) == number(value)
    assert equal(value, text) and equal(text, value)


@pytest.mark.parametrize(
    "gold, answer",
    [
        ("5", "5 hours and 30 minutes"),
        ("30", "5 hours and 30 minutes"),
        ("29", "29 dollars and 50 cents"),
        ("7", "5 of the 7 apples"),
        ("5", "5 of the 7 apples"),
        ("5", "at least 5"),
        ("5", "5x"),
        ("5", "half of 5"),
        ("5", "5 million"),
        ("5 meters", "5 feet"),
        ("5 cm", "5 cm^2"),
        ("10%", "0.1%"),
        ("12", "1,2"),
        ("2/3", "0.67"),
    ],
)
def test_what_only_holds_the_number_is_not_it(gold, answer):
    assert not equal(gold, answer)


HEDGES = ("{} or {}", "**{}** or **{}**", "between {} and {}", "{} to {}")
HEDGES += ("either {} or {}", "\\boxed{{{}}} or \\boxed{{{}}}", "{}?? or {}", "{}–{}")


@given(st.integers(0, 99), st.integers(1, 99), st.sampled_from(HEDGES))
@settings(deadline=None)
def test_a_hedge_neither_passes_nor_votes(n, more, hedge):
    both = hedge.format(n, n + more)
    for text in (both, f"Answer: {both}", f"Answer: {both} apples", f"It is {both}."):
        answer = read_answer(text, "mathematics")
        assert ballot(answer) == "", text
        for gold in (str(n), str(n + more)):
            assert not passes(math(gold), text) and not verify(math(gold), both), text


def test_a_vote_does_not_split_over_dress():
    said = ["Answer: 7", "Answer: 7", "Answer: **8**", "Answer: 8 eggs", "\\boxed{8.0}"]
    chains = [Chain("x", text=text, verifier="mathematics") for text in said]
    assert majority_vote(chains).text == "Answer: **8**"
    assert majority_vote([Chain("x", text="Answer: 4 or 5"), Chain("x")]) is None
    same = ("\\frac{1}{2}", "$\\dfrac{1}{2}$", "1/2", "0.5", "½", "\\frac12", "50/100")
    assert len({ballot(a) for a in same}) == 1
    same = (
        "x^2+1",
        "$x^2 + 1$",
        "\\boxed{x^2+1}",
        "\\left.x^2 + 1\\right."[6:15] + "1",
    )
    assert len({ballot(a) for a in same[:3]}) == 1
    assert len({ballot(a) for a in ("B", "(B)", "B)", "**B**", "b", "B.")}) == 1
    assert ballot("Even") == ballot("\\text{even}") != ballot("odd")


# --- which answer --------------------------------------------------------------------
@pytest.mark.parametrize(
    "begin",
    [
        "\n\nQuestion: Tom has 3.",
        "\n\nQ: Tom has 3.",
        "\nProblem: Tom has 3.",
        "\n\n### Question\nTom has 3.",
        "\n\n**Problem 2**\nTom has 3.",
        "\nExercise 2\nTom has 3.",
        "\nUser: Tom has 3.",
        "\n\nHuman: Tom has 3.",
        "<|im_end|>\n<|im_start|>user\nTom has 3.",
        "<|endoftext|>Tom has 3.",
        "\n\n\nTom has 3.",
        "\nTom has 3 and buys 4. How many does he have?",
    ],
)
@pytest.mark.parametrize("first", ["Answer: 42", "The answer is 42.", "\\boxed{42}"])
def test_where_a_model_runs_on_its_first_answer_counts(begin, first):
    assert read_answer(f"{first}{begin}\nAnswer: 7", "mathematics") == "42"
    assert read_answer(f"6 * 7 it is.\n{first}{begin}\n\\boxed{{7}}") == "42"


@pytest.mark.parametrize(
    "between",
    ["\n", " was a wrong guess.\n", "\n\nWait, no. How many were there?\n\n", "\n\n\n"],
)
def test_where_a_chain_corrects_itself_its_last_answer_counts(between):
    text = f"Answer: 41{between}Answer: 42"
    assert read_answer(text, "mathematics") == read_answer(text) == "42"


@pytest.mark.parametrize(
    "text, answer",
    [
        ("<think>\\boxed{8}</think>that is \\boxed{7}", "7"),
        ("<think>Answer: 8</think> I am not sure.", ""),
        ("<think>Answer: 8, or so", ""),
        ("3 * 4 = 12 <answer>12.5</answer>", "12.5"),
        ("at first \\boxed{4}, but actually \\boxed{5}", "5"),
        ("thus $\\boxed{4}$ and $\\boxed{5}$.", "4, 5"),
        ("Answer:\n\\[\n0.5\n\\]\nas was asked for", "0.5"),
        ("Final Answer: The largest $n$ is 34.", "34"),
        ("Answer: 42 because 6 * 7 is 42", "42"),
        ("Answer:", ""),
        ("", ""),
        ("x" * 10**6 + "\nAnswer: 1", "1"),
    ],
)
def test_what_is_named(text, answer):
    assert read_answer(text, "mathematics") == answer == read_answer(text)
    assert named_answer(text, "mathematics") == answer


@pytest.mark.parametrize(
    "text, answer",
    [
        ("So Tom has 42 apples left.", "42"),
        ("We get 10 + 32 = 42", "42"),
        ("This gives $1+x^2$.", "1+x^2"),
        ("28 + 32 = 60\nThis solves the problem.", "60"),
        ("so I am done <|im_start|>user 7", ""),
        ("It is 42 or 43.", ""),
        ("I do not know.", ""),
        ("no idea", ""),
    ],
)
def test_only_mathematics_has_a_last_resort(text, answer):
    assert read_answer(text, "mathematics") == answer
    assert read_answer(text) == named_answer(text, "mathematics") == ""
    assert read_answer(text, "program") == ""


@given(st.integers(0, 10**6), st.integers(0, 200))
@settings(deadline=None)
def test_a_chain_cut_off_names_no_answer(seed, at):
    for name in ("story-hard", "countdown", "science", "program-hard"):
        (x,) = load(name, "train", 1, seed=seed % 50)
        cut = x.chain[: at % x.chain.index("Answer")]
        if "\n" in cut:
            assert read_answer(cut, x.verifier) == read_answer(cut) == "", cut


@pytest.mark.parametrize(
    "text",
    ["B", "b", "(B)", "**B**", "B) copper", "copper", "The answer is B.", "\\boxed{B}"]
    + ["Answer: B\n\nBecause copper conducts, not (C).", "Answer: (B) copper"]
    + ["**Answer: B**", "Answer: A\nNo.\nAnswer: B", "Answer: B, since A is wrong"]
    + ["B\n\nIt conducts.", "Answer: B\n\nQuestion: why?\nAnswer: C"],
)
def test_a_choice_in_any_dress(text):
    assert passes(CHOICE, text)
    if "opper" not in text:
        assert ballot(read_answer(text, "choice")) == "B"


@pytest.mark.parametrize(
    "text", ["Answer: A or B", "Answer: (A) or (B)", "Answer: B or C", "I do not know"]
)
def test_no_choice_or_two_fail(text):
    assert not passes(CHOICE, text)


@pytest.mark.parametrize(
    "text",
    ["Answer: `{}`", "**Answer: {}**", "Answer: {} = 9", "Answer: 9 = {}", "{}"]
    + ["\\boxed{{{}}}", "Answer: ${}$", "The answer is {}.", "Answer: {}, which is 9."]
    + ["Answer: {}\n\nMake 5 from 2 3.\nAnswer: 2 + 3", "Answer: {} because it is 9"],
)
@pytest.mark.parametrize(
    "sum_",
    ["(1 + 2) * 3", "(1+2)×3", "(1+2) \\times 3", "(1+2)\\cdot 3", "[1 + 2] * 3"],
)
def test_a_countdown_in_any_dress(text, sum_):
    answer = read_answer(text.format(sum_), "countdown")
    assert passes(COUNTDOWN, text.format(sum_))
    assert ballot(answer) == "(1+2)*3"
    assert read_answer(answer, "countdown") == answer


@pytest.mark.parametrize(
    "text",
    [
        "(1 + 2) * 3 = 9\n",
        "Answer: (1 + 2) * 3 + x",
        "Answer: (1 + 2) * 3 or 3 * (1 + 2)",
    ]
    + ["Answer: 9", "Answer: (1 + 2) ** 3", "Answer: (1 + 2) * 3 + 0"],
)
def test_no_countdown(text):
    assert not passes(COUNTDOWN, text)


# --- programs ------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    ["{}", "Answer: {}", "Answer:\n{}", "```python\n{}\n```", "```\n{}", "~~~\n{}\n~~~"]
    + ["Here is the code:\n```python\n{}\n```\nThis works because of sum."]
    + ["```python\n{}\n```\nUsage:\n```python\nprint(f([1]))\n```"]
    + ["```python\n{}\n```\nRun it:\n```\n$ python f.py\n3\n```"]
    + ["```python\ndef f(xs):\n    return 1\n```\nWait, no.\n```python\n{}\n```"]
    + ["<think>```\ndef f(xs):\n    return 1\n```</think>\n```\n{}\n```"]
    + ["Answer:\n{}\n\nI hope this helps!", "Answer:\n{}\n\n**Explanation**: sum."]
    + ["Answer:\n{}\n\nQuestion: another\nAnswer:\ndef f(xs):\n    return 1"]
    + ["{}<|endoftext|>", "<answer>\n{}\n</answer>", "add 3: [1, 2]\nAnswer:\n{}"]
    + ["{}" + stop for stop in ("\ndef", "\nclass", "\nif", "\n#", "\n```", "\n@")],
)
def test_a_program_in_any_dress(text):
    text = text.format(SUM)
    assert passes(PROGRAM, text)
    answer = read_answer(text, "program")
    assert read_answer(answer, "program") == answer
    assert answer.startswith(SUM)


@pytest.mark.parametrize(
    "text",
    ["Answer:\n{}", "```python\n{}```", "{}\ndef", "{}\nclass", "{}\n\nIt works."],
)
def test_a_body_keeps_its_indentation(text):
    for x in load("humaneval", "test", 164):
        read = read_answer(text.format(x.gold), "program")
        assert read.strip() == x.gold.strip() and read[0].isspace(), x.id


def test_prose_is_no_program():
    for text in ("The sum.", "min: 2\n", "add 4: [9]\n", "", "I cannot do that."):
        assert read_answer(text, "program") == ""


# --- any text ------------------------------------------------------------------------
KINDS = ("", "mathematics", "choice", "countdown", "program")
PIECES = [
    "Answer:",
    "\\boxed{",
    "}",
    "$",
    "**",
    "`",
    "\n",
    "42",
    " or ",
    "B",
    "<think>",
]
PIECES += [
    "</think>",
    "the answer is ",
    "```",
    "def f():",
    "=",
    "(",
    "####",
    "<answer>",
]


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join)))
@settings(max_examples=300, deadline=None)
def test_no_text_makes_the_reader_raise(text):
    for kind in KINDS:
        ballot(read_answer(text, kind))
    for problem in (CHOICE, COUNTDOWN):
        assert verify(problem, text).status in ("passed", "failed")


@pytest.mark.parametrize(
    "piece", ["$", "\\boxed{", "`", "**a ", "\\(", "(", "1 ", "\n"]
)
def test_repetitive_text_is_read(piece):  # in quadratic time it would not come back
    for kind in KINDS:
        ballot(read_answer(piece * 10_000, kind))


# --- mathematics ---------------------------------------------------------------------
@pytest.mark.parametrize(
    "gold, answer, status",
    [
        ("1234", "1,234", "passed"),
        ("0.5", "1/2", "passed"),
        ("18", "$18.00", "passed"),
        ("18", "**18**", "passed"),
        ("18", "19", "failed"),
        ("-3", "3", "failed"),
        ("18", "eighteen and a bit", "failed"),
        ("18", "", "failed"),
        ("\\frac{1}{2}", "0.5", "passed"),
        ("\\frac{1}{2}", "0.5 cups", "passed"),
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
    assert verify(math(gold), answer).status == status


@given(st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9))
def test_plain_numbers_are_compared_exactly(a, b):
    assert bool(equal(str(a), f"{b:,}")) == (a == b)


@pytest.mark.skipif(not PAIRS.exists(), reason="needs the shared answer pairs")
def test_mathematics_on_other_projects_cases():
    rows = [json.loads(line) for line in PAIRS.read_text().splitlines()]
    said = [(r["equal"], bool(equal(r["gold"], r["answer"]))) for r in rows]
    assert said.count((True, True)) >= 345
    assert said.count((False, True)) <= 1


@pytest.mark.skipif(not EXTRACT.exists(), reason="needs the shared responses")
def test_judge_on_other_projects_responses():
    rows = [json.loads(line) for line in EXTRACT.read_text().splitlines()]
    said = [(r["equal"], passes(math(r["gold"]), r["response"])) for r in rows]
    assert said.count((True, True)) >= 245
    assert said.count((False, True)) == 0


@pytest.mark.skipif(not TRAIN.exists(), reason="needs the shared MATH answers")
def test_answers_of_math_equal_themselves_in_dollars_or_a_box():
    answers = {row["answer"] for _, row in numbered(TRAIN)} - {""}
    assert len(answers) > 2_900 and all(equal(a, a) for a in answers)
    for a in sorted(answers)[::10]:
        for other in (f"${a}$", f"\\boxed{{{a}}}"):
            assert equal(a, other) and equal(other, a), a


def test_mathematics_works_from_any_thread():
    said = []
    thread = threading.Thread(target=lambda: said.append(equal("2x", "x+x").status))
    thread.start()
    thread.join()
    assert said == ["passed"]


def test_plain_numbers_do_without_the_process(monkeypatch):
    monkeypatch.setattr(mathematics, "ask", None)
    problem = math("1234")
    said = [bool(verify(problem, f"{n:,}")) for n in range(1000, 2000)]
    assert said.index(True) == 234 and sum(said) == 1


# --- the process behind it -----------------------------------------------------------
def test_an_interrupted_question_leaves_the_next_verdicts_right(monkeypatch):
    half, rng = "\\frac{1}{2}", random.Random(0)
    answers = {"0.5 + 0": True, "0.7 + 0": False, "\\frac{2}{4}": True, "x/2": False}
    plain = math_host.Queue.get

    def stopped(queue, *args, **options):
        if rng.random() < 0.5:
            raise KeyboardInterrupt
        return plain(queue, *args, **options)

    for answer in list(answers) * 3:
        with monkeypatch.context() as context:
            context.setattr(math_host.Queue, "get", stopped)
            try:
                equal(half, answer)
            except KeyboardInterrupt:
                pass
        other = rng.choice(list(answers))
        assert bool(equal(half, other)) == answers[other]


def test_a_reply_to_another_question_is_not_taken():
    equal("2x", "x+x")
    worker = mathematics._worker
    worker.replies.put([-1, True])  # of a question that nobody waits for any more
    assert not equal("2x", "x+1") and equal("2x", "x+x")
    assert mathematics._worker is worker


def test_a_worker_that_was_killed_is_replaced():
    equal("2x", "x+x")
    mathematics._worker.process.kill()
    assert equal("2x", "x + x") and not equal("2x", "3x")


def test_a_verifier_that_cannot_start_raises_the_cause(tmp_path, monkeypatch):
    (tmp_path / "math_verify.py").write_text("raise ImportError('antlr4 is too old')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path) + os.pathsep + os.getcwd())
    mathematics.stop()
    for _ in range(2):
        with pytest.raises(RuntimeError, match="math_verify .*antlr4 is too old"):
            equal("\\frac{1}{2}", "\\frac{2}{4}")
    monkeypatch.undo()
    assert equal("\\frac{1}{2}", "\\frac{2}{4}")


def test_judge_reads_with_the_verifier_of_the_problem():
    texts = ["Answer: B) copper", "Answer: (1 + 2) × 3", "So it is 7.", "```\n" + SUM]
    problems = [CHOICE, COUNTDOWN, math("7"), PROGRAM]
    rows = [[Chain("x", prefix=t[:4], text=t[4:])] for t in texts]
    assert np.array_equal(judge(problems, rows), [[True]] * 4)
