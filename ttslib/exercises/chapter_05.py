"""References of chapter 05: guess and check."""

import numpy as np

from ..chain import Chain

# passed or not: several problems, as many draws as you like, also none that passes
PASSED = (
    [[True, False, True, True], [False, True, False, False]],
    [[False, False], [True, True], [True]],
    [[True], []],
)


def one(value):
    """The best skill if one story of three wants the difference three times."""
    value = float(value)
    if np.isclose(value, 1 / 3, atol=5e-3):
        return ""
    if np.isclose(value, 2 / 3, atol=5e-3):
        return "that is the best skill of the chapter's stories, where two want it"
    if value in (0.0, 1.0):
        return "a skill of 0 or 1 fails a story for sure: what is the log of that?"
    return "maximise (log s + 2 log(1 - s)) / 3 in the skill s: set its slope to 0"


def unequal(got, wanted) -> bool:
    """Do two lists of rows of numbers differ, in shape or in value?"""
    got = [np.ravel(np.asarray(row, float)) for row in got]
    if [len(row) for row in got] != [len(row) for row in wanted]:
        return True
    return not all(np.allclose(a, b) for a, b in zip(got, wanted))


def two(function):
    """The E-step: 1 / (number that passed) where a draw passed."""
    for right in PASSED:
        wanted = [[w / max(1, sum(row)) for w in row] for row in right]
        got = list(function([list(row) for row in right]))
        if not unequal(got, wanted):
            continue
        total = sum(sum(row) for row in right)
        if not unequal(got, [[w / max(1, total) for w in row] for row in right]):
            return "each problem has a weight of 1 of its own, not all of them together"
        if not unequal(got, [[float(w) for w in row] for row in right]):
            return "what a problem keeps shares a weight of 1: divide by their number"
        if not unequal(got, [[w / max(1, len(row)) for w in row] for row in right]):
            return "divide by the draws that passed, not by all draws of the problem"
        return f"for {right} the weights are not those of e_step with verified"
    return ""


def three(function):
    """Self-normalised importance weights of the draws that passed."""
    cases = (
        ([[True, True, False]], [[-2.0, -3.0, -1.0]], [[-2.0, -3.0, -1.0]]),
        ([[True, True], [False, True]], [[-1.0, -4.0], [-1.0, -2.0]])
        + ([[-2.0, -3.0], [-9.0, -2.5]],),
        ([[True, False, True]], [[-1000.0, -1.0, -1001.0]], [[-1002.0, -9.0, -1001.0]]),
        ([[True, True]], [[-1.0, -900.0]], [[-1900.0, -1000.0]]),
        ([[False, False]], [[-1.0, -2.0]], [[-2.0, -1.0]]),
    )
    for right, now, then in cases:
        wanted = []
        for good, a, b in zip(right, now, then):
            ratio = np.where(good, np.subtract(a, b), -np.inf)
            top = ratio.max() if any(good) else 0.0
            w = np.exp(ratio - top)
            wanted.append(w / max(w.sum(), 1e-300))
        with np.errstate(all="ignore"):
            got = list(function(right, now, then))
        if not unequal(got, wanted):
            continue
        flat = np.concatenate([np.ravel(np.asarray(row, float)) for row in got])
        if not np.isfinite(flat).all():
            return "exp underflows or overflows: take out the largest log ratio first"
        if right == cases[0][0]:
            return "where p has not changed, it must give the weights of exercise 2"
        if not any(right[0]):
            return "a problem of which nothing passes has no say: all its weights are 0"
        return "weights are proportional to exp(now - then), among what passed"
    return ""


def four(function):
    """The shortest passing chain, the first of equals."""

    def chain(text, n):
        return Chain("x\n", text, (0,) * n, (-0.1,) * n, True)

    row = [chain("a", 5), chain("b", 3), chain("c", 2), chain("d", 3)]
    for right, wanted in (
        ([True, True, False, True], ["b"]),
        ([True, False, False, False], ["a"]),
        ([False] * 4, []),
    ):
        kept = function(list(row), list(right))
        if isinstance(kept, Chain):
            return "return a list, of one chain or none, as the other rules do"
        found = [c.text for c in kept]
        if found == wanted:
            continue
        if found == ["c"]:
            return "the shortest chain of all is no use if it does not pass"
        if found == ["d"]:
            return "of two that are equally short keep the first"
        return f"of lengths 5, 3, 2, 3 with {right} it keeps {len(found)} chains, wrong"
    kept = function([], [])
    return "" if not list(kept) else "of no chains nothing can be kept"


def five(value):
    """The divergence of the uniform q from the posterior (3/4, 1/4)."""
    value, gap = float(value), np.log(0.4) - 0.5 * np.log(0.3 * 0.1 / 0.25)
    if np.isclose(value, gap, atol=2e-4):
        return ""
    if np.isclose(value, -gap, atol=2e-4):
        return "the objective is never below the bound: mind the sign"
    other = 0.75 * np.log(1.5) + 0.25 * np.log(0.5)
    if np.isclose(value, other, atol=2e-3):
        return "that is KL(posterior ‖ q): the mean of the log ratio is to be over q"
    if np.isclose(value, gap / np.log(2), atol=2e-3):
        return "that is in bits: the chapter's logarithms are natural"
    return "the objective is log(0.3 + 0.1); in the bound each chain has q = 1/2"


CHECKS = {"1": one, "2": two, "3": three, "4": four, "5": five}
