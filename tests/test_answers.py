"""Answers as models and data sets write them: right ones pass, wrong ones fail.

A row is a kind that was once misjudged; its answers were found in public bug reports,
MATH and ARC-Challenge, or go the same way.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ttslib.chain import Chain
from ttslib.problems import Problem, load
from ttslib.verify import judge, named_answer, read_answer
from ttslib.verify.answers import simple
from ttslib.verify.mathematics import equal


def passes(problem, text) -> bool:
    """The verdict on a chain that says ``text``."""
    return bool(judge([problem], [[Chain("x", text=text)]])[0, 0])


# --- mathematics ---------------------------------------------------------------------
# gold, answers that are right, answers that are wrong
MATHEMATICS = {
    "a power in braces is no unit's": [
        ("106", [], [r"\boxed{10^{6}}", "Answer: 10^{6}"]),
        ("34", [], ["Answer: 3^{4}", r"\boxed{3^4}"]),
        (r"1{,}000{,}000", [r"\boxed{10^{6}}", "Answer: 10^6"], ["Answer: 10^{5}"]),
        ("3^{4}", ["Answer: 81"], ["Answer: 34"]),
        ("81", ["Answer: 3^{4}", r"$3^4$"], []),
        ("5", ["Answer: 5 cm^{2}", r"\boxed{5\,\mathrm{m}^2}"], ["Answer: 5^{2}"]),
    ],
    "a numeral in another base keeps its base": [
        ("4210_5", [r"\boxed{4210_5}", r"\boxed{4210_{5}}"], [r"\boxed{4210_7}"]),
        ("4210_{5}", ["Answer: 4210_5", r"Answer: $4210_{\text{five}}$"], []),
        ("1A_{16}", [r"\boxed{1A_{16}}"], [r"\boxed{1A_{12}}", r"\boxed{1B_{16}}"]),
    ],
    "a mixed number is a sum": [
        (r"\frac{3}{2}", [], ["Answer: 2 1/2", r"\boxed{2\frac{1}{2}}"]),
        (r"\frac{5}{2}", ["Answer: 2 1/2", r"\boxed{2\frac12}", "Answer: 2.5"], []),
        (r"2\frac{1}{2}", [r"\boxed{\frac{5}{2}}", "Answer: 2.5"], ["Answer: 1"]),
        (r"-\frac{5}{2}", ["Answer: -2 1/2"], ["Answer: -1 1/2"]),
    ],
    "thousands are joined within a formula": [
        ("x^2", [], [r"\boxed{x^2+1\,000}"]),
        ("x^2+1000", [r"\boxed{x^2+1\,000}"], []),
        ("0", [], [r"Answer: 5\,000\pi", r"\boxed{5\,000\pi}"]),
        (r"1000\pi", [r"\boxed{1,000\pi}", r"\boxed{1{,}000\pi}"], [r"\boxed{\pi}"]),
        (r"\frac{2469}{20000}", [r"\boxed{\dfrac{2469}{20,\!000}}"], []),
        (r"\frac{2469}{20000}", [r"\boxed{\frac{2469}{20,000}}"], []),
        ("(1,200)", [r"\boxed{(1, 200)}"], [r"\boxed{1200}"]),
    ],
    "a factorial is no exclamation": [
        ("6", [], ["Answer: 6! = 720", r"\boxed{6!}"]),
        ("720", ["Answer: 6! = 720", r"\boxed{6!}"], []),
        ("3", [], [r"\boxed{3! \cdot 4}"]),
        ("24", [r"\boxed{3! \cdot 4}"], []),
        ("5", ["Answer: **5!**", "The answer is 5!"], []),
    ],
    "what is left out is not the answer": [
        ("2", [], ["Answer: all primes except 2", "Answer: every number but 2"]),
        ("7", [], ["Answer: all digits besides 7", "Answer: any, excluding 7"]),
    ],
    "assignments have names": [
        ("x=1, y=2", [r"\boxed{(1,2)}", r"\boxed{y=2, x=1}"], [r"\boxed{(2,1)}"]),
        ("x=1, y=2", ["Answer: x = 1 and y = 2"], [r"\boxed{x=2, y=1}"]),
    ],
    "letters in a row are a word": [
        ("LQSX", [r"\boxed{\text{LQSX}}"], [r"\boxed{XSQL}", "Answer: XSQL"]),
        (r"\text{even}", ["Answer: Even"], ["Answer: neve"]),
        ("xy", ["Answer: yx"], ["Answer: xz"]),
        (r"\text{(II)}", [r"\boxed{II}", r"\boxed{\text{II}}"], [r"\boxed{III}"]),
    ],
    "a labelled equation ends in its result": [
        (
            "40",
            [
                r"\[ \text{Number of apples} = 5 \times 8 = 40 \]",
                r"\boxed{\text{Cost} = 10 \times 4 = 40 \text{ dollars}}",
                r"\boxed{5 \times 8 = 40}",
                r"\[ \text{Tim's locker} = 20 \times 2 = 40 \text{ cubic inches} \]",
            ],
            [r"\boxed{\text{Cost} = 40 + 2 = 42}"],
        ),
        ("5", [], [r"\[ \text{Number of apples} = 5 \times 8 = 40 \]"]),
        ("7 = 11a+c", ["Answer: $11a+c = 7$"], ["Answer: $11a+c$"]),
    ],
    "an answer may stand below": [
        ("18", ["Final Answer: The final answer is\n\n$$18$$"], []),
        ("18", ["The final answer is:\n\\[\n18\n\\]"], []),
        ("43", ["Pink candies: 232 - 189 = 43\nA: 43"], []),
        ("17", ["\\boxed{17}. We may check our answer: $17 \\cdot 4 = 68$"], []),
    ],
    "repeating decimals and percentages are fractions": [
        (r"\frac13", [r"0.\overline{3}", r"\boxed{33\frac13\%}"], [r"0.\overline{4}"]),
        (r"0.\overline{3}", [r"\frac{1}{3}"], [r"\frac{1}{4}"]),
        (r"\frac{1}{6}", [r"0.1\overline{6}"], [r"0.\overline{16}"]),
        (r"\frac{3}{11}", [r"0.\overline{27}", r"$0.\overline{27}$"], []),
        (r"\frac{4}{3}", [r"1.\bar{3}", r"1.\overline 3"], []),
    ],
    "inequalities are intervals": [
        (r"[2,\infty)", [r"\boxed{x \ge 2}", "Answer: x >= 2"], [r"\boxed{x > 2}"]),
        (r"x \ge 2", [r"\boxed{[2,\infty)}"], [r"\boxed{(2,\infty)}"]),
        ("(2,5]", [r"\boxed{2 < x \le 5}", r"5 \ge x > 2"], [r"\boxed{2 < x < 5}"]),
        (r"(-\infty,3)", [r"\boxed{x<3}", r"\boxed{3 > x}"], [r"\boxed{x>3}"]),
        (
            r"(-\infty,1)\cup(2,\infty)",
            [r"\boxed{x < 1 \text{ or } x > 2}"],
            [r"\boxed{x < 2 \text{ or } x > 1}"],
        ),
    ],
    "an angle is in degrees": [
        (r"\frac12", [r"\boxed{\sin 30^\circ}", r"\boxed{\cos(60^{\circ})}"], []),
        (r"\frac12", [], [r"\boxed{\sin 60^\circ}", r"\boxed{\sin 30}"]),
    ],
    "signs of Unicode are LaTeX's": [
        (r"\sqrt{51}", ["Answer: √51"], ["Answer: √52"]),
        (r"2\sqrt{3}", ["Answer: 2√3"], []),
        (r"\sqrt{x+1}", ["√(x+1)"], []),
        (r"\sqrt[3]{4}", ["∛4"], []),
        ("x^2+1", ["Answer: x² + 1"], ["Answer: x³ + 1"]),
        ("2^{-10}", ["Answer: 2⁻¹⁰"], ["Answer: 2¹⁰"]),
        (r"\infty", ["Answer: ∞"], ["Answer: -∞"]),
        ("-7", ["Answer: –7"], ["Answer: 7"]),
        (r"(-\infty, 3]", ["Answer: (-∞, 3]", "Answer: (–∞, 3]", "x ≤ 3"], []),
        (r"2\pi", ["Answer: 2π"], ["Answer: 3π"]),
    ],
}


@pytest.mark.parametrize("kind", MATHEMATICS)
def test_mathematics(kind):
    for gold, right, wrong in MATHEMATICS[kind]:
        problem = Problem("m", "mathematics", "x", gold, "mathematics")
        assert [a for a in right if not passes(problem, a)] == [], gold
        assert [a for a in wrong if passes(problem, a)] == [], gold


OSS = "analysisPerhaps Answer: 13? No, one more.assistantfinal"
DRAFTS = [
    OSS + "{}",
    "<think>Answer: 13</think>{}",
    "<thought>Answer: 13</thought>{}",
    "<seed:think>Answer: 13</seed:think>{}",
    "◁think▷Answer: 13◁/think▷{}",
    "[THINK]Answer: 13[/THINK]{}",
    "<|begin_of_thought|>Answer: 13<|end_of_thought|><|begin_of_solution|>{}",
]


@pytest.mark.parametrize("draft", DRAFTS)
@pytest.mark.parametrize("said", ["Answer: 12", "The answer is 12.", "So it is 12."])
def test_a_draft_is_not_the_answer(draft, said):
    assert read_answer(draft.format(said), "mathematics") == "12"
    cut = draft.partition("13")[0] + "13"  # it was still thinking
    assert read_answer(cut, "mathematics") == ""


def test_a_text_about_an_analysis_is_no_draft():
    text = "analysis of the table: 3 rows of 4\nAnswer: 12"
    assert read_answer(text, "mathematics") == "12"


# --- the same both ways --------------------------------------------------------------
WHOLE = st.integers(-9, 9).map(str)
NUMBERS = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.integers(1000, 10**7).map("{:,}".format),
    st.decimals(-100, 100, places=2).map(str),
    st.tuples(st.integers(-99, 99), st.integers(1, 99)).map(
        lambda p: f"\\frac{{{p[0]}}}{{{p[1]}}}"
    ),
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(2, 10)).map(
        lambda p: f"{p[0]} {p[1]}/{p[2]}"
    ),
    st.integers(1, 400).map("{}\\%".format),
    st.integers(1, 99).map("0.\\overline{{{}}}".format),
    st.tuples(st.integers(2, 12), st.integers(2, 6)).map(
        lambda p: f"{p[0]}^{{{p[1]}}}"
    ),
    st.integers(1, 99).map("{} apples".format),
)
SETS = st.lists(WHOLE, min_size=2, max_size=3).map(
    lambda items: f"\\{{{', '.join(items)}\\}}"
)
INTERVALS = st.one_of(
    st.tuples(WHOLE, WHOLE).map(lambda p: f"({p[0]}, {p[1]}]"),
    st.tuples(WHOLE, WHOLE).map(lambda p: f"({p[0]}, {p[1]})"),
    WHOLE.map("[{}, \\infty)".format),
    WHOLE.map("x \\ge {}".format),
    st.tuples(WHOLE, WHOLE).map(lambda p: f"{p[0]} < x \\le {p[1]}"),
)
VALUES = st.one_of(NUMBERS, SETS, INTERVALS)


@given(st.one_of(st.tuples(NUMBERS, NUMBERS), st.tuples(VALUES, VALUES)))
@settings(max_examples=300, deadline=None)
def test_gold_and_answer_may_change_places(pair):
    a, b = pair
    assert equal(a, b).status == equal(b, a).status
    assert equal(a, a)


# --- choice --------------------------------------------------------------------------
def chosen(options, text) -> list[str]:
    """The labels for which ``text`` would be right."""
    return [
        label
        for label in options
        if passes(Problem("q", "", "x", label, "choice", {"options": options}), text)
    ]


CASE = {"A": "CC or cc", "B": "CC or Cc", "C": "Cc", "D": "cc"}
TREND = {"A": "increase", "B": "decrease", "C": "stay the same", "D": "double"}


@pytest.mark.parametrize(
    "options, text, label",
    [(CASE, f"Answer: {option}", label) for label, option in CASE.items()]
    + [
        (TREND, text, "B")
        for text in (
            "Option B is correct.",
            "B is the correct answer.",
            "B, because A is wrong",
            "Answer: B, not A",
            "Option B is correct, A is not.",
            "The correct answer is B.",
            "B is correct because A is wrong.",
            "(B) is correct",
        )
    ]
    + [(TREND, f"Answer: {text}", "A") for text in ("It will increase.", "increase")]
    + [(TREND, "Answer: It will stay the same, not increase.", "")]
    + [
        (TREND, f"Answer: {text}", "")
        for text in (
            "It will not increase.",
            "It won't increase",
            "never increase",
            "A or B",
            "A is wrong",
            "not A",
        )
    ],
)
def test_choice(options, text, label):
    assert "".join(chosen(options, text)) == label


@pytest.mark.parametrize(
    "options",
    [
        {"A": "O", "B": "A", "C": "AB", "D": "B"},
        {"1": "2", "2": "4", "3": "1", "4": "3"},
    ],
)
@pytest.mark.parametrize(
    "form",
    ["Answer: {}", "Answer: ({})", "The answer is {}.", "\\boxed{{{}}}"]
    + ["Answer: {}) {}"],
)
def test_a_label_comes_before_an_option_that_reads_like_one(options, form):
    for label, option in options.items():
        assert chosen(options, form.format(label, option)) == [label]


# --- countdown -----------------------------------------------------------------------
@pytest.mark.parametrize(
    "text",
    [
        r"Answer: \dfrac{8}{2} \times 3",
        r"\boxed{\tfrac{8}{2} \times 3 = 12}",
        r"Answer: \frac82 \cdot 3",
        "Answer: $8 ÷ 2 × 3$",
    ],
)
def test_countdown_in_latex(text):
    data = {"numbers": [8, 2, 3], "target": 12}
    assert passes(Problem("c", "countdown", "x", "", "countdown", data), text)
    wrong = {"numbers": [8, 2, 3], "target": 13}
    assert not passes(Problem("c", "countdown", "x", "", "countdown", wrong), text)


# --- one reading ---------------------------------------------------------------------
PIECES = ["Answer: ", "12", "3 * (4 + 5)", "B", "\n", " ", "x", "**", "Left: 3 - 1 = 2"]
PIECES += [
    "answer",
    "Go back.",
    "$",
    "6 kg",
    "1,200",
    "</think>",
    "The answer is 4.",
    ".",
]


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
@settings(max_examples=500, deadline=None)
def test_the_short_way_reads_what_the_reader_reads(text):
    for kind in ("", "mathematics", "choice", "countdown"):
        if quick := simple(text, kind):
            assert quick == named_answer(text, kind)


def test_the_short_way_serves_our_own_chains():
    for name in ("story-hard", "countdown", "science"):
        for x in load(name, "test", 50):
            quick = simple(x.chain, x.verifier)
            assert quick and quick == named_answer(x.chain, x.verifier)


def test_rows_may_be_of_unlike_length():
    problem = Problem("m", "mathematics", "x", "12", "mathematics")
    rows = [[Chain("x", text="Answer: 12")], [], [Chain("x", text="Answer: 1")] * 2]
    ragged = judge([problem] * 3, rows)
    assert [row.tolist() for row in ragged] == [[True], [], [False, False]]
    assert all(row.dtype == bool for row in ragged)
    assert np.array_equal(judge([problem], rows[:1]), [[True]])
