"""Exercises of chapter 03: pass@k, a cheat, a checker, and two proofs."""

from fractions import Fraction
from math import isclose

ADD = [[[[1, 2]], 3], [[[4]], 4], [[[]], 0]]  # the three tests of the chapter's `add`
HELD_OUT = [[[[5, 6, 7]], 18], [[[9, 9]], 18], [[[30]], 30]]
# text, gold -> is it the number?
NUMBERS = [
    ("146", 146, True),
    (" $146$ ", 146, True),
    ("146.0", 146, True),
    ("1,460", 1460, True),
    ("292/2", 146, True),
    ("-146", -146, True),
    ("0", 0, True),
    ("1460", 146, False),
    ("146.5", 146, False),
    ("147", 146, False),
    ("-146", 146, False),
    ("It is not 146", 146, False),
    ("146 or 164", 146, False),
    ("1/0", 0, False),
    ("", 0, False),
    ("__import__('os').abort()", 146, False),
    ("9**9**9**9", 146, False),
    ("[146", 146, False),
]


def number(value) -> float:
    """A number as a reader may give it: 5/6, 0.833, Fraction(5, 6), "5/6"."""
    return float(Fraction(value.strip()) if isinstance(value, str) else value)


def one(value) -> str:
    value = number(value)
    if isclose(value, 5 / 6, abs_tol=5e-4):
        return ""
    if isclose(value, 1 - 0.7**4, abs_tol=2e-3):
        return "that is the plugged-in estimate: the draws are without replacement"
    if isclose(value, 1 / 6, abs_tol=2e-3):
        return "that is how often all four draws miss; pass@4 is the other case"
    return "count the ways to take four of the ten, and those that hold no right one"


def two(value) -> str:
    from ttslib.problems import Problem
    from ttslib.verify import verify

    def passes(tests):
        data = {"entry_point": "f", "tests": tests}
        return verify(Problem("add", "program", "", "", "program", data), value)

    if not isinstance(value, str):
        return "give the program's source, a text that begins with 'def f(xs):'"
    if not (said := passes(ADD)):
        return f"the verifier of the chapter says {said.status}: {said.reason}"
    if passes(HELD_OUT):
        return "it passes, but it also adds lists that the three tests do not have"
    return ""


def three(value) -> str:
    for answer, gold, right in NUMBERS:
        said = value(answer, gold)
        if bool(said) != right:
            what = "turned away" if right else "let through"
            return f"same_number({answer!r}, {gold}) gave {said!r}: {what} wrongly"
    return ""


def four(value) -> str:
    value = number(value)
    if isclose(value, 99):
        return ""
    if isclose(value, 100):
        return "close: look again at the power of 1 - p that is integrated, k or k - 1"
    if value < 10:
        return "average the unsolved share (1 - p)^k over all p, rather than p itself"
    return "what is the integral of (1 - p)^k over p from 0 to 1?"


def five(value) -> str:
    for p, e in ((0.01, 0.02), (0.5, 0.5), (0.2, 0.0), (0.01, 1.0)):
        found, exact = number(value(p, e)), p / (p + (1 - p) * e)
        if isclose(found, exact, rel_tol=1e-3):
            continue
        if isclose(found, 1 - e, rel_tol=1e-3):
            return "1 - e says how often a wrong answer fails, whatever the policy"
        if isclose(found, p / (p + e), rel_tol=1e-3):
            return "only wrong answers pass by mistake: what share of draws is wrong?"
        return (
            f"trust({p}, {e}) gave {found:.4g}: of what passes in one draw, "
            "what part is right? A draw that fails changes nothing for the next"
        )
    return ""


CHECKS = {"1": one, "2": two, "3": three, "4": four, "5": five}
