"""Chapter 07, process rewards: what a right solution does."""

from itertools import combinations
from math import isclose


def n_even(value) -> str:
    if float(value) == 14:
        return ""
    if float(value) > 14:
        return "that is enough, but fewer do: solve 1 - 0.95^n > 1/2 for the least n"
    return "too few: at that n all roll-outs still fail in more than half of all cases"


# values after each step, threshold, place of the first below it
WALKS = (
    ([0.9, 0.8, 0.2, 0.7, 0.1], 0.5, 2),
    ([0.9, 0.8, 0.7], 0.5, -1),
    ([0.5, 0.4], 0.5, 1),
    ([0.1], 0.5, 0),
    ([0.3, 0.2, 0.1], 0.15, 2),
    ([], 0.5, -1),
)


def first_wrong(function) -> str:
    for values, threshold, place in WALKS:
        found = function(list(values), threshold)
        if found == place and not isinstance(found, bool):
            continue
        if not values:
            return "a chain without steps has no wrong one: -1"
        if place == 1:
            return "a value that equals the threshold is not below it"
        if place == -1:
            return f"no value of {values} is below {threshold}: -1 is asked for then"
        lowest = min(range(len(values)), key=lambda t: values[t])
        if found == lowest:
            return "that is the lowest value; errors breed errors, so find the first"
        return f"of {values} at {threshold} it gives {found}: places count from 0"
    return ""


# scores, right
POOLS = (
    ([0.9, 0.5, 0.1, 0.3], [True, False, True, False]),
    ([0.1, 0.7, 0.7, 0.7], [True, True, False, False]),
    ([0.2, 0.2, 0.2], [False, True, True]),
    ([0.9, 0.8, 0.1, 0.4, 0.6], [False, False, True, True, True]),
)


def best_of_k(function) -> str:
    for scores, right in POOLS:
        for k in range(1, len(scores) + 1):
            each = []
            for subset in combinations(range(len(scores)), k):
                top = max(scores[i] for i in subset)
                equal = [right[i] for i in subset if scores[i] == top]
                each.append(sum(equal) / len(equal))
            found = float(function(list(scores), list(right), k))
            if not isclose(found, sum(each) / len(each), abs_tol=1e-6):
                if len(set(scores)) < len(scores):
                    return "mind equal scores: each of the equal ones wins as often"
                return f"for scores {scores} and k = {k} it gives {found:.3f}"
    return ""


def progress(function) -> str:
    lists = ([0.5, 0.6, 0.2, 1.0], [0.2, 0.1], [0.462, 0.486, 0.54, 0.0])
    for values in lists:
        for k, alpha in ((1, 1.0), (4, 0.5), (4, 0.0)):
            found = [float(v) for v in function(list(values), k, alpha)]
            if len(found) != len(values) - 1:
                return "one reward for each step; the first value is before any step"
            strong = [1 - (1 - v) ** k for v in values]
            want = [
                v + alpha * (b - a)
                for v, a, b in zip(values[1:], strong, strong[1:], strict=False)
            ]
            if all(isclose(a, b, abs_tol=1e-6) for a, b in zip(found, want)):
                continue
            if k == 1:
                return "best of 1 is the policy itself: start with V_t + (V_t - V_t-1)"
            if alpha == 0:
                return "with alpha = 0 the reward is the value after the step"
            return (
                "the prover misses only if all k draws miss; V in front is the policy's"
            )
    return ""


def learned(value) -> str:
    if isclose(float(value), 1 - 0.8**8, abs_tol=1e-3):
        return ""
    if isclose(float(value), 0.2, abs_tol=1e-3):
        return "that is what soft labels teach; a hard one is 1 if any roll-out passes"
    return "the model learns the mean label: how often is a hard label 1?"


def n_steps(value) -> str:
    if float(value) == 9:
        return ""
    if 0.9 ** float(value) > 0.75**3:
        return "at that length the product of the long chain is still above the short's"
    return "the short chain is preferred there, but already at a smaller length"


CHECKS = {
    "1": n_even,
    "2": first_wrong,
    "3": best_of_k,
    "4": progress,
    "5": learned,
    "6": n_steps,
}
