"""Checks of chapter 01's exercises: ancestral sampling."""

from math import isclose

import numpy as np


def able(value):
    p = float(value)
    if isclose(p, 0.85 * 0.9 * 0.9, abs_tol=5e-4):
        return ""
    if isclose(p, 0.85 * 0.9 * 0.9 + 0.15 * 0.9 * 0.9, abs_tol=5e-4):
        return "the path of the two errors needs a branch that this pupil never takes"
    return "build baskets(skill=1.0), and read 146 off the pupil's answers(problem)"


# weights, u, the index drawn; what a wrong answer there means
PICKS = (
    ([0.5, 0.25, 0.25], 0.6, 1, "compare u with the running sums of the weights"),
    ([1.0], 0.0, 0, "with one branch there is nothing to choose"),
    (
        [0.5, 0.5],
        0.5,
        1,
        "branch 0 owns [0, 0.5): where a branch ends, the next begins",
    ),
    ([0, 0.5, 0.5], 0.0, 1, "u = 0 fell on a first branch that has weight 0"),
    ([0.5, 0, 0.5], 0.5, 2, "a branch of weight 0 in the middle was drawn"),
    ([2, 1, 1], 0.6, 1, "the weights need not sum to 1: stretch u to their sum"),
    ([0.25, 0.25], 0.75, 1, "weights that sum to less than 1 need u stretched too"),
    (
        [0.1] * 10 + [0],
        1 - 2**-53,
        9,
        "u next to 1 fell past the last branch with weight",
    ),
)


def pick(function):
    if not callable(function):
        return "give the function itself: pick, a function of weights and u"
    for weights, u, wanted, hint in PICKS:
        try:
            at = int(function(list(weights), u))
        except IndexError:
            at = None
        if at != wanted:
            return f"pick({weights}, {u!r}) gave {at}: {hint}"
    grid = (np.arange(1000) + 0.5) / 1000
    seen = [int(function([0.125, 0.5, 0.375], float(u))) for u in grid]
    if np.bincount(seen, minlength=3).tolist() != [125, 500, 375]:
        return "over evenly spread u each branch must come as often as its weight says"
    return ""


# probabilities, mass, the nucleus; what a wrong answer there means
KEPT = (
    ([0.5, 0.25, 0.125, 0.125], 0.7, {0, 1}, "the token that crosses the mass is kept"),
    ([0.125, 0.5, 0.25, 0.125], 0.7, {1, 2}, "p comes in any order: give old indices"),
    ([0.5, 0.25, 0.125, 0.125], 0.75, {0, 1}, "what holds exactly the mass is enough"),
    (
        [0.9, 0.0625, 0.0375],
        0.5,
        {0},
        "the likeliest stays, even if it exceeds the mass",
    ),
    ([0.5, 0.0, 0.5], 1.0, {0, 2}, "a token of probability 0 adds nothing"),
    ([0.25, 0.75], 1.0, {0, 1}, "a mass of 1 needs every token that has probability"),
    ([1.0], 0.01, {0}, "a nucleus is never empty"),
)


def keep(function):
    if not callable(function):
        return "give the function itself: keep, a function of p and mass"
    for p, mass, wanted, hint in KEPT:
        found = {int(i) for i in function(list(p), mass)}
        if found != wanted:
            return f"keep({p}, {mass}) gave {sorted(found)}: {hint}"
    return ""


def draws(value):
    n = float(value)
    if n != int(n):
        return "a number of draws is whole: round up"
    if n == 2484:
        return ""
    if n == 2483:
        return "2483 leaves the error just above one point"
    return "set √(p(1-p)/n) to one point, which is 0.01, and solve for n"


def ratio(value):
    found = float(value)
    kept = 0.85 * 0.9 * 0.6 + 0.15 * 0.9 * 0.4  # p(z) of the two z that lead to 146
    p = 0.9 * kept
    wanted = (0.81 * kept - p**2) / (p * (1 - p))
    if isclose(found, wanted, abs_tol=2e-3):
        return ""
    if isclose(found, 1 / wanted, abs_tol=2e-3):
        return "the other way round: the variance without drawing y comes on top"
    if isclose(found, np.sqrt(wanted), abs_tol=2e-3):
        return "that is the ratio of the standard errors: the variances are asked for"
    if found > 1:
        return "the variance without drawing y is the smaller one"
    return "the pupil's p(146 | x, z) takes two values: average its square over z"


CHECKS = {"1": able, "2": pick, "3": keep, "4": draws, "5": ratio}
