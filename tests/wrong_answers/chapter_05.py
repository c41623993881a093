"""Likely wrong answers to chapter 05's exercises."""

import numpy as np


def unshared(right):
    return [[float(w) for w in row] for row in right]


def over_all(right):
    total = sum(map(sum, right))
    return [[w / max(1, total) for w in row] for row in right]


def by_draws(right):
    return [[w / max(1, len(row)) for w in row] for row in right]


def overflows(right, now, then):
    w = [np.exp(np.array(a)) / np.exp(np.array(b)) for a, b in zip(now, then)]
    w = [v * np.array(good) for v, good in zip(w, right)]
    return [v / v.sum() if v.sum() else v for v in w]


def not_normalised(right, now, then):
    rows = zip(right, now, then)
    return [np.exp(np.subtract(a, b)) * np.array(g) for g, a, b in rows]


def upside_down(right, now, then):
    out = []
    for good, a, b in zip(right, now, then):
        w = np.array(good) * np.exp(np.subtract(b, a) - np.max(np.subtract(b, a)))
        out.append(w / w.sum() if w.sum() else w)
    return out


def shortest_of_all(chains, right):
    return sorted(chains, key=lambda c: len(c.tokens))[:1]


def last_of_equals(chains, right):
    passed = [c for c, good in zip(chains, right) if good]
    return sorted(passed[::-1], key=lambda c: len(c.tokens))[:1]


def not_a_list(chains, right):
    return min(chains, key=lambda c: len(c.tokens))


WRONG = {
    "05.1": [2 / 3, 1.0, 0.5],
    "05.2": [unshared, over_all, by_draws],
    "05.3": [overflows, not_normalised, upside_down],
    "05.4": [shortest_of_all, last_of_equals, not_a_list],
    "05.5": [-0.1438, 0.1308, 0.2075, 1.0],
}
