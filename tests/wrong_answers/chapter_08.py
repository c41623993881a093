"""What a reader may plausibly answer in chapter 08, and should not."""

import numpy as np

from ttslib.exercises.chapter_08 import systematic


def by_value(parents, values, width):
    return sorted(sorted(range(len(values)), key=lambda i: -values[i])[:width])


def out_of_order(parents, values, width):
    out = []
    for i in sorted(range(len(values)), key=lambda i: -values[i]):
        if sum(parents[i] == parents[j] for j in out) < -(-width // 2):
            out.append(i)
    return out[:width]


def rounded_down(parents, values, width):
    out = []
    for i in sorted(range(len(values)), key=lambda i: -values[i]):
        if sum(parents[i] == parents[j] for j in out) < width // 2:
            out.append(i)
    return sorted(out[:width])


def cut_first(parents, values, width):
    """The best, and then the cap: a refused child costs another its place."""
    best = sorted(range(len(values)), key=lambda i: -values[i])[:width]
    return sorted(
        i
        for k, i in enumerate(best)
        if sum(parents[i] == parents[j] for j in best[:k]) < -(-width // 2)
    )


def last_of_equals(parents, values, width):
    out = []
    for i in sorted(range(len(values)), key=lambda i: (-values[i], -i)):
        if sum(parents[i] == parents[j] for j in out) < -(-width // 2):
            out.append(i)
    return sorted(out[:width])


def keeps_the_weights(weights, scores, u):
    at, _ = systematic(weights, scores, u)
    return at, np.array(weights)[at]


def equal_weights(weights, scores, u):
    at, _ = systematic(weights, scores, u)
    return at, np.full(len(at), sum(weights) / len(at))


def ignores_weights(weights, scores, u):
    return systematic([1.0] * len(weights), scores, u)


def the_best(weights, scores, u):
    return [int(np.argmax(scores))] * len(scores), weights


def too_few(weights, scores, u):
    at, new = systematic(weights, scores, u)
    return at[:-1], new[:-1]


def dearest(tokens, accuracy, budget):
    """Looks at the dearest point of each strategy that can be paid, takes the least."""
    paid = {k: [i for i, t in enumerate(v) if t <= budget] for k, v in tokens.items()}
    paid = {k: accuracy[k][v[-1]] for k, v in paid.items() if v}
    return min(paid, key=paid.get) if paid else None


def ignores_budget(tokens, accuracy, budget):
    return max(accuracy, key=lambda k: max(accuracy[k]))


def below_budget(tokens, accuracy, budget):
    points = [
        (a, k) for k in tokens for t, a in zip(tokens[k], accuracy[k]) if t < budget
    ]
    return max(points)[1] if points else None


WRONG = {
    "08.1": [(384, 16), (24, 4), (96, 96), (64, 16)],
    "08.2": [by_value, out_of_order, rounded_down, cut_first, last_of_equals],
    "08.3": [keeps_the_weights, equal_weights, ignores_weights, the_best, too_few],
    "08.4": [0.3125, 0.5, 0.25, 0.2],
    "08.5": [7, 5, 0.9, 10],
    "08.6": [dearest, ignores_budget, below_budget],
}
