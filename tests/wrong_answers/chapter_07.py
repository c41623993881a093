"""What a reader may plausibly answer in chapter 07, and should not."""

import numpy as np


def lowest(values, threshold):
    return int(np.argmin(values)) if len(values) and min(values) < threshold else -1


def or_equal(values, threshold):
    return next((t for t, v in enumerate(values) if v <= threshold), -1)


def from_one(values, threshold):
    return next((t + 1 for t, v in enumerate(values) if v < threshold), -1)


def none_is_length(values, threshold):
    return next((t for t, v in enumerate(values) if v < threshold), len(values))


def of_all(scores, right, k):
    return float(right[int(np.argmax(scores))])


def in_order(scores, right, k):
    """Ignores that equal scores share."""
    order = np.argsort(-np.array(scores), kind="stable")
    n, found = len(scores), 0.0
    from math import comb

    for place, i in enumerate(order):
        found += right[i] * comb(n - place - 1, k - 1) / comb(n, k)
    return found


def any_right(scores, right, k):
    from ttslib.stats import pass_at_k

    return float(pass_at_k(len(right), sum(right), k))


def own_progress(values, k, alpha):
    return np.array(values[1:]) + alpha * np.diff(values)


def strong_value(values, k, alpha):
    strong = 1 - (1 - np.array(values)) ** k
    return strong[1:] + alpha * np.diff(strong)


def advantage_only(values, k, alpha):
    return np.diff(1 - (1 - np.array(values)) ** k)


def one_too_many(values, k, alpha):
    strong = 1 - (1 - np.array(values)) ** k
    return np.array(values) + alpha * np.diff(strong, prepend=0)


WRONG = {
    "07.1": [10, 13, 15, 20],
    "07.2": [lowest, or_equal, from_one, none_is_length],
    "07.3": [of_all, in_order, any_right],
    "07.4": [own_progress, strong_value, advantage_only, one_too_many],
    "07.5": [0.2, 0.168, 1.6],
    "07.6": [3, 8, 10],
}
