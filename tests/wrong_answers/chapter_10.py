"""What a reader may plausibly answer in chapter 10, and should not."""

from itertools import product
from math import exp, log


def without_reference(chosen, rejected, ref_chosen, ref_rejected, beta):
    return log(1 + exp(min(700, -beta * (chosen - rejected))))


def overflows(chosen, rejected, ref_chosen, ref_rejected, beta):
    gap = beta * (chosen - ref_chosen - rejected + ref_rejected)
    return -log(1 / (1 + exp(-gap)))


def upside_down(chosen, rejected, ref_chosen, ref_rejected, beta):
    gap = beta * (chosen - ref_chosen - rejected + ref_rejected)
    return log(1 + exp(min(700, gap)))


def sides(right):
    better = [i for i, good in enumerate(right) if good]
    return better, [i for i, good in enumerate(right) if not good]


def all_of_them(texts, right, most):
    return list(product(*sides(right)))


def with_copies(texts, right, most):
    better, worse = sides(right)
    return list(product(better[:most], worse[:most]))


def wrong_first(texts, right, most):
    return [(j, i) for i, j in by_the_book(texts, right, most)]


def zipped(texts, right, most):
    return list(zip(*sides(right), strict=False))[:most]


def by_the_book(texts, right, most):
    first = [i for i, text in enumerate(texts) if texts.index(text) == i]
    better = [i for i in first if right[i]][:most]
    return list(product(better, [i for i in first if not right[i]][:most]))


def hits(own, score, right, value):
    found = 0
    for a, b, good in zip(own, score, right, strict=True):
        total = [x + value * y for x, y in zip(a, b, strict=True)]
        found += good[total.index(max(total))]
    return found


def first_of_equals(own, score, right, lambdas):
    return max(lambdas, key=lambda v: hits(own, score, right, v))


def largest(own, score, right, lambdas):
    return max(lambdas, key=lambda v: (hits(own, score, right, v), v))


def without_zero(own, score, right, lambdas):
    some = sorted(v for v in lambdas if v)
    return max(some, key=lambda v: hits(own, score, right, v))


WRONG = {
    "10.1": [0.433, 0.5, 2.16],
    "10.2": [without_reference, overflows, upside_down],
    "10.3": [all_of_them, with_copies, wrong_first, zipped],
    "10.4": [first_of_equals, largest, without_zero],
    "10.5": [0.2, 1.478, 0.297, 0.881],
    "10.6": [2.197, 10, -2.944],
}
