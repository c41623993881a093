"""References of chapter 00's exercises."""

from math import comb

from ..figures import paper


def one(factor):
    """Read a log axis: the factor of test-time compute that buys ten points."""
    import numpy as np

    dots = paper("o1_aime_compute", panel="test")
    slope = np.polyfit(dots["log10_compute_arbitrary"], dots["aime_pass_at_1_pct"], 1)
    right = 10 ** (10 / slope[0])
    factor = float(factor)
    if abs(factor / right - 1) < 0.05:
        return ""
    if abs(factor - 10 / slope[0]) < 0.03:
        return "that is the number of decades; a decade is a factor of ten"
    if factor <= 1:
        return "more points take more compute: the factor is above 1"
    return "ten points are a part of a decade: which, and what factor is that?"


def two(ver):
    """A verifier: whole numbers from 0 to 999 as they are typed; all else fails."""
    cases = {
        "245": True,
        " 245.\n": True,
        "$245$": True,
        "245.0": True,
        "1245": False,
        "24": False,
        "245 or 246": False,
        "-245": False,
        "245.5": False,
        "two hundred": False,
        "": False,
    }
    for answer, right in cases.items():
        said = ver(answer)
        if bool(said) != right:
            what = "is right" if right else "has to fail"
            return f"the answer {answer!r} {what}, yours gives {said!r}"
    return ""


def three(circles):
    """Lines of a chain that stood in it before."""
    cases = [
        ("A: 1 + 2 = 3\nB: 3 + 4 = 7\nAnswer: 7", 0, "no line here comes twice"),
        (
            "3 + 4 = 7\n3 + 4 = 7\nAnswer: 7",
            1,
            "a line that comes twice goes back once",
        ),
        ("a\nb\na\na", 2, "a line that comes three times counts twice"),
        (
            "Go back.\n  go back. \nx",
            1,
            "case and spaces at the ends make no other line",
        ),
        ("a\n\n\n\nb", 0, "empty lines are no steps"),
        ("7\n17\n77", 0, "a line inside a longer one is another line"),
        ("", 0, "of an empty chain there is nothing to count"),
    ]
    for text, right, why in cases:
        found = circles(text)
        if found != right:
            return f"of {text!r} yours counts {found!r}: {why}"
    return ""


def four(triple):
    """Σ |A ∩ B ∩ C| over triples of equally large subsets: n Σ C(n-1, j)³."""
    for n in (1, 2, 3, 4, 7):
        right = n * sum(comb(n - 1, j) ** 3 for j in range(n))
        found = triple(n)
        if found == right:
            continue
        if n == 1:
            return "for n = 1 only the triple of three sets {1} counts, and it counts 1"
        if found == n * comb(2 * n - 2, n - 1):
            return "that is S_n, of pairs: with three sets the binomials come as cubes"
        if found * n == right:
            return "so far for one element: how many are there?"
        return f"T_{n} of yours is wrong: fix an element that all three sets hold first"
    return ""


def five(limit):
    """S_{n+1} / S_n = 2 (2n - 1)(n + 1) / n², which tends to 4."""
    limit = float(limit)
    if abs(limit - 4) < 1e-9:
        return ""
    if 3.9 < limit < 4.1:
        return "that is a ratio at some n: let n grow without end in your fraction"
    return "write both with factorials and cancel: four factors with n are left"


CHECKS = {"1": one, "2": two, "3": three, "4": four, "5": five}
