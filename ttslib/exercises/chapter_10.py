"""Chapter 10, V-STaR: what a right solution does."""

from math import exp, inf, isclose, isfinite, log, log1p


def beta_half(value) -> str:
    if isclose(float(value), log(exp(-0.5) / (1 - exp(-0.5))) / 0.8, abs_tol=2e-3):
        return ""
    if isclose(float(value), 0.433, abs_tol=2e-3):
        return "that is the gap that is needed; how far apart are the two log ratios?"
    if float(value) < 0.54:
        return "the loss is still above 0.5 there: which gap has σ(gap) = exp(-0.5)?"
    return "the loss is below 0.5 there: the two log ratios are 0.8 apart, not 0.2"


# chosen, rejected, ref_chosen, ref_rejected, beta
LOG_P = (
    (-20.0, -20.0, -20.0, -20.0, 0.1),
    (-20.0, -30.0, -25.0, -22.0, 0.5),
    (-30.0, -20.0, -22.0, -25.0, 0.1),
    (-21.0, -26.0, -21.0, -26.0, 1.0),
    (-900.0, -10.0, -10.0, -900.0, 1.0),
    (-10.0, -900.0, -900.0, -10.0, 1.0),
)


def preference_loss(function) -> str:
    for chosen, rejected, ref_chosen, ref_rejected, beta in LOG_P:
        gap = beta * ((chosen - ref_chosen) - (rejected - ref_rejected))
        want = log1p(exp(-gap)) if gap > -30 else -gap
        try:
            found = float(function(chosen, rejected, ref_chosen, ref_rejected, beta))
        except (OverflowError, ValueError, ZeroDivisionError):
            found = inf
        if isclose(found, want, rel_tol=1e-5, abs_tol=1e-6):
            continue
        if not isfinite(found):
            return "a gap of -1780 has a loss of 1780: e^1780 is too large for a float"
        if ref_chosen - ref_rejected == chosen - rejected != 0:
            return "the policy is the reference there, so the loss is log 2"
        return f"with a gap of {gap:g} it gives {found:.4f}: -log σ(gap) is asked for"
    return ""


# texts, verdicts, most, pairs
DRAWS = (
    ("abcd", [1, 0, 1, 0], 3, {(0, 1), (0, 3), (2, 1), (2, 3)}),
    ("aabb", [1, 1, 0, 0], 3, {(0, 2)}),
    ("abcdef", [1, 1, 1, 0, 0, 0], 2, {(0, 3), (0, 4), (1, 3), (1, 4)}),
    ("aabcd", [1, 1, 1, 0, 1], 2, {(0, 3), (2, 3)}),
    ("ab", [1, 1], 3, set()),
    ("abb", [0, 0, 0], 3, set()),
)


def pair_up(function) -> str:
    for texts, right, most, want in DRAWS:
        given = list(texts), [bool(v) for v in right], most
        found = [tuple(map(int, pair)) for pair in function(*given)]
        if set(found) == want and len(found) == len(want):
            continue
        if not want:
            return "a problem without a right or without a wrong chain has no pair"
        if {(j, i) for i, j in found} == want:
            return "the right chain comes first in a pair, the wrong one second"
        if len(found) > len(want):
            return (
                f"too many pairs of {texts!r}: mind equal texts, and `most` of a kind"
            )
        return f"of texts {texts!r}, verdicts {right}, most {most} it gives {found}"
    return ""


OWN = [[-1.0, -2.0, -3.0], [-1.0, -4.0], [-2.0, -2.5], [-1.0, -9.0]]
SCORE = [[-1.0, 1.0, 0.0], [0.0, 1.0], [0.5, 0.0], [1.0, 1.5]]
GOOD = [[False, True, False], [True, False], [True, False], [True, False]]


def hits(own, score, right, value) -> int:
    """Problems whose chain of the highest own + value · score is right."""
    sums = [
        [a + value * b for a, b in zip(x, y, strict=True)]
        for x, y in zip(own, score, strict=True)
    ]
    chosen = [each.index(max(each)) for each in sums]
    return sum(good[i] for good, i in zip(right, chosen, strict=True))


def tune(function) -> str:
    lists = (
        (OWN, SCORE, GOOD, [0.0, 0.1, 1.0, 10.0], 1.0),
        (OWN, SCORE, GOOD, [10.0, 2.0, 1.0, 0.0], 1.0),
        (OWN[1:], SCORE[1:], GOOD[1:], [10.0, 0.3, 0.0], 0.0),
        (OWN[:1], SCORE[:1], GOOD[:1], [0.0, 30.0, 3.0], 3.0),
    )
    for own, score, right, lambdas, want in lists:
        found = float(function(own, score, right, list(lambdas)))
        if found == want:
            continue
        if found not in lambdas:
            return "one of the given lambdas is asked for"
        if hits(own, score, right, found) == hits(own, score, right, want):
            return "of those that are right equally often the smallest λ is asked for"
        if want == 0:
            return "λ = 0, own log p alone, is a candidate, and the best one there"
        return f"of {lambdas} it gives {found:g}; count problems whose choice is right"
    return ""


def share(value) -> str:
    best = 0.2 * exp(2)
    if isclose(float(value), best / (best + 0.8), abs_tol=1e-3):
        return ""
    if isclose(float(value), best, abs_tol=1e-2):
        return "that is a weight, above 1: divide by the sum over right and wrong"
    return "weigh the right 20 % by e^(1/β) and the wrong 80 % by e^0, then normalise"


def gap_tenth(value) -> str:
    if isclose(float(value), log(19), abs_tol=5e-3):
        return ""
    if isclose(float(value), log(9), abs_tol=5e-3):
        return "there σ(-gap) is 0.1; but before training it is not 1"
    return "before training the gap is 0: what is σ(0), and a tenth of it?"


CHECKS = {
    "1": beta_half,
    "2": preference_loss,
    "3": pair_up,
    "4": tune,
    "5": share,
    "6": gap_tenth,
}
