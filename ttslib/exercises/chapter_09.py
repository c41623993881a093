"""Chapter 09, MCTS and expert iteration: what a right solution does."""

from math import inf, isclose, log, sqrt

import numpy as np


def alpha_star(value) -> str:
    right = (9 / 12 - 1 / 3) / (sqrt(log(15) / 3) - sqrt(log(15) / 12))
    if isclose(float(value), right, rel_tol=0.01):
        return ""
    if isclose(float(value), right * sqrt(log(15)), rel_tol=0.01):
        return "the bonus has the logarithm of the parent's count in it"
    return (
        "set both bounds equal and solve for α: the child with fewer visits gains more"
    )


def told(parents, wins, visits, leaf, worth):
    wins, visits, i = list(wins), list(visits), leaf
    while i >= 0:
        wins[i], visits[i] = wins[i] + worth, visits[i] + 1
        i = parents[i]
    return wins, visits


def backed_up(function) -> str:
    rng = np.random.default_rng(0)
    for case in range(20):
        n = int(rng.integers(1, 9))
        parents = [-1, *(int(rng.integers(0, i)) for i in range(1, n))]
        visits = [int(v) for v in rng.integers(0, 5, n)]
        wins = [float(v) for v in rng.integers(0, 3, n)]
        leaf, worth = int(rng.integers(0, n)), (1.0, 0.0, 0.25)[case % 3]
        before = list(wins), list(visits)
        given = function(parents, wins, visits, leaf, worth)
        found = [list(map(float, part)) for part in given]
        right = [list(map(float, part)) for part in told(parents, *before, leaf, worth)]
        if (wins, visits) != before:
            return "give new lists: the old ones must stay as they were"
        if np.allclose(found[0], right[0]) and found[1] == right[1]:
            continue
        if not np.isclose(found[1][0], right[1][0]):
            return "the root, too, was on the way: its count rises with each simulation"
        if found[1] != right[1]:
            return "only who is on the way from the leaf to the root counts one more"
        return "w grows by what the simulation was worth, which need not be 0 or 1"
    return ""


def chosen(wins, visits, priors, alpha):
    above = sum(visits)
    scores = [
        (w / n if n else 0.0) + alpha * p * sqrt(above) / (1 + n)
        for w, n, p in zip(wins, visits, priors)
    ]
    return int(np.argmax(scores))


def select(function) -> str:
    rng = np.random.default_rng(1)
    cases = [([0, 0], [0, 0], [0.2, 0.8], 1.0), ([0, 0], [1, 0], [0.6, 0.4], 0.5)]
    for _ in range(40):
        n = int(rng.integers(1, 6))
        visits = [int(v) for v in rng.integers(0, 6, n)]
        wins = [float(rng.integers(0, v + 1)) for v in visits]
        priors = [float(v) for v in rng.dirichlet(np.ones(n))]
        cases.append((wins, visits, priors, float(rng.choice([0.0, 0.3, 1.0, 4.0]))))
    for wins, visits, priors, alpha in cases:
        found = int(function(list(wins), list(visits), list(priors), alpha))
        if found != chosen(wins, visits, priors, alpha):
            about = (
                f"w {wins}, N {visits}, P {[round(p, 2) for p in priors]}, α {alpha}"
            )
            return (
                f"{about}: not child {found}. A child without visits has a mean of 0; "
                "the bonus is α P √(sum of N) / (1 + N); of equals the first"
            )
    return ""


def value(number) -> str:
    if isclose(float(number), 0.46, abs_tol=5e-3):
        return ""
    if isclose(float(number), 1.7 / 3, abs_tol=5e-3):
        return "that weighs the children alike: the bonus does not"
    if isclose(float(number), 0.9, abs_tol=5e-3):
        return "with a huge α the means have no say: the best child is not favoured"
    return "which shares of the visits make P / (1 + N) equal for all children?"


def started(wins, visits, alpha, flights):
    visits, out = list(visits), []
    for _ in range(flights):
        above = max(1, sum(visits))
        scores = [
            w / n + alpha * sqrt(log(above) / n) if n else inf
            for w, n in zip(wins, visits)
        ]
        out.append(int(np.argmax(scores)))
        visits[out[-1]] += 1
    return out


def launched(function) -> str:
    rng = np.random.default_rng(2)
    cases = [([0, 0, 0], [0, 0, 0], 1.0, 3), ([9, 1], [10, 10], 0.1, 6)]
    for _ in range(20):
        n = int(rng.integers(2, 5))
        visits = [int(v) for v in rng.integers(0, 8, n)]
        wins = [float(rng.integers(0, v + 1)) for v in visits]
        cases.append((wins, visits, float(rng.choice([0.1, 0.5, 1.4])), 5))
    for wins, visits, alpha, flights in cases:
        given = list(wins), list(visits)
        found = [int(i) for i in function(*given, alpha, flights)]
        right = started(wins, visits, alpha, flights)
        if found == right:
            continue
        if len(found) != flights:
            return f"{flights} simulations start, {len(found)} were named"
        if len(set(found)) == 1 < len(set(right)):
            return "all go the same way: count each start as a visit before the next"
        return (
            f"w {wins}, N {visits}, α {alpha}: a start counts in N, of a child and in "
            "the sum above, and adds nothing to w; N = 0 is first, of equals the first"
        )
    return ""


def widths(numbers) -> str:
    first, hundred = (float(v) for v in numbers)
    if (first, hundred) == (3, 30):
        return ""
    if hundred != 30:
        return "c √N draws at N = 100, and not fewer than branch"
    return "the least whole N at which 3 √N, rounded down, is above 4"


CHECKS = {
    "1": alpha_star,
    "2": backed_up,
    "3": select,
    "4": value,
    "5": launched,
    "6": widths,
}
