"""Chapter 08, guided search: what a right solution does."""

from math import isclose

import numpy as np


def knob(value) -> str:
    children, chains = (float(v) for v in value)
    if (children, chains) == (96, 16):
        return ""
    if children in (24, 64, 384):
        return "N counts all children of a step together, whatever the beam's width"
    return "N children a step and T steps make how many; a plain chain has T of them"


def survivors(function) -> str:
    """Against the rule, applied one place after the other, on drawn cases."""
    cases = [
        ([0, 0, 0, 1], [0.9, 0.8, 0.7, 0.1], 2, [0, 3]),
        ([0, 0, 0, 1], [0.1, 0.8, 0.8, 0.1], 1, [1]),
        ([0, 0, 1, 1, 1], [0.5, 0.5, 0.5, 0.5, 0.5], 3, [0, 1, 2]),
        ([5, 5, 5, 2, 2, 9], [0.1, 0.2, 0.3, 0.9, 0.8, 0.7], 4, [2, 3, 4, 5]),
        ([0, 0, 0], [0.3, 0.2, 0.1], 2, [0]),
    ]
    for parents, values, width, right in cases:
        found = list(map(int, function(list(parents), list(values), width)))
        if found == right:
            continue
        if sorted(found) == right:
            return f"for values {values}: right ones, but not in their original order"
        if any(sum(parents[i] == p for i in found) > -(-width // 2) for p in parents):
            return f"of parents {parents}: one has more than half of {width} places"
        if len(found) < len(right):
            return f"parents {parents}: a child refused must not cost another its place"
        return f"values {values}, width {width}: the best, and of equals the first"
    return ""


def systematic(weights, scores, u):
    mass = np.array(weights, float) * np.array(scores, float)
    n, total = len(mass), np.cumsum(mass)
    strides = (u + np.arange(n)) / n * total[-1]
    at = np.searchsorted(total, strides, side="right")
    return at, np.array(weights, float)[at] * total[-1] / (n * mass[at])


def resampled(function) -> str:
    rng = np.random.default_rng(0)
    for case in range(20):
        n = int(rng.integers(1, 7))
        weights, scores = rng.random(n) + 0.05, rng.random(n) + 0.05
        if case % 4 == 1 and n > 1:
            scores[0] = 0.0
        u = float(rng.random())
        at, new = systematic(weights, scores, u)
        places, told = function(list(weights), list(scores), u)
        places = list(map(int, places))
        if len(places) != n:
            return f"{n} particles went in, {len(places)} came out: as many are asked"
        if 0.0 in scores and 0 in places:
            return "a particle whose score is 0 must not survive"
        if places != at.tolist():
            return (
                "n equal strides over the sums of weight · score, u decides the first"
            )
        if not np.allclose(np.array(told, float), new):
            return (
                "the places are right, the weights are not: divide by how often each "
                "is expected to survive"
            )
    return ""


def weight(value) -> str:
    if isclose(float(value), 1.25, rel_tol=1e-3):
        return ""
    if isclose(float(value), 0.3125, rel_tol=1e-3):
        return "that is the first kind's, which is expected more often than once"
    return "how often does it survive on average? That, times its weight, must be 0.5"


def t_half(value) -> str:
    if float(value) == 6:
        return ""
    if float(value) == 7:
        return "one too many: the chance is below a half there"
    return "every step must go well: multiply, and count until it falls below a half"


def best_plan(function) -> str:
    tokens = {"vote": [10, 20, 40], "beam": [15, 60], "best": [5, 50]}
    accuracy = {"vote": [0.3, 0.4, 0.45], "beam": [0.42, 0.7], "best": [0.2, 0.1]}
    cases = [(4, None), (5, "best"), (12, "vote"), (15, "beam"), (40, "vote")]
    for budget, right in [*cases, (59, "vote"), (60, "beam"), (1e9, "beam")]:
        found = function(tokens, accuracy, budget)
        if found == right:
            continue
        if right is None:
            return "nothing costs so little: return None"
        return (
            f"with {budget:g} tokens {found!r} is not the best that can be paid: look "
            "at every point, not at the dearest one of a strategy"
        )
    return ""


CHECKS = {
    "1": knob,
    "2": survivors,
    "3": resampled,
    "4": weight,
    "5": t_half,
    "6": best_plan,
}
