"""Plausible wrong answers to chapter 01's exercises."""

from bisect import bisect_left, bisect_right
from itertools import accumulate


def without_stretching(weights, u):
    return bisect_right(list(accumulate(weights)), u)


def closed_on_the_wrong_side(weights, u):
    sums = list(accumulate(weights))
    return bisect_left(sums, u * sums[-1])


def likeliest(weights, u):
    return weights.index(max(weights))


def without_the_one_that_crosses(p, mass):
    order = sorted(range(len(p)), key=lambda i: -p[i])
    sums = accumulate(p[i] for i in order)
    return {i for i, total in zip(order, sums) if total <= mass}


def without_sorting(p, mass):
    return {i for i, total in enumerate(accumulate(p)) if total - p[i] < mass}


def at_least_the_mass(p, mass):
    order = sorted(range(len(p)), key=lambda i: -p[i])
    sums = accumulate(p[i] for i in order)
    return {i for i, total in zip(order, sums) if total - p[i] <= mass}


WRONG = {
    "01.1": [0.4617, 0.81, 0.85 * 0.9],
    "01.2": [without_stretching, closed_on_the_wrong_side, likeliest, 0.5],
    "01.3": [without_the_one_that_crosses, without_sorting, at_least_the_mass],
    "01.4": [2483, 50, 25, 2483.5],
    "01.5": [1.2282, 0.9023, 0.4617, 1.0],
}
