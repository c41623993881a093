"""What a reader may plausibly answer in chapter 09, and should not."""

from math import inf, log, sqrt

import numpy as np

from ttslib.exercises.chapter_09 import chosen, started, told


def leaf_only(parents, wins, visits, leaf, worth):
    wins, visits = list(wins), list(visits)
    wins[leaf] += worth
    visits[leaf] += 1
    return wins, visits


def without_root(parents, wins, visits, leaf, worth):
    wins, visits, i = list(wins), list(visits), leaf
    while i > 0:
        wins[i], visits[i] = wins[i] + worth, visits[i] + 1
        i = parents[i]
    return wins, visits


def in_place(parents, wins, visits, leaf, worth):
    new = told(parents, wins, visits, leaf, worth)
    wins[:], visits[:] = new
    return wins, visits


def counts_wins_only(parents, wins, visits, leaf, worth):
    return told(parents, wins, visits, leaf, worth > 0)


def by_ucb(wins, visits, priors, alpha):
    return started(wins, visits, alpha, 1)[0]


def no_prior(wins, visits, priors, alpha):
    return chosen(wins, visits, [1 / len(priors)] * len(priors), alpha)


def untried_first(wins, visits, priors, alpha):
    if 0 in visits:
        return visits.index(0)
    return chosen(wins, visits, priors, alpha)


def last_of_equals(wins, visits, priors, alpha):
    above = sum(visits)
    scores = [
        (w / n if n else 0.0) + alpha * p * sqrt(above) / (1 + n)
        for w, n, p in zip(wins, visits, priors)
    ]
    return max(range(len(scores)), key=lambda i: (scores[i], i))


def all_the_same(wins, visits, alpha, flights):
    return started(wins, visits, alpha, 1) * flights


def counts_as_won(wins, visits, alpha, flights):
    wins, visits, out = list(wins), list(visits), []
    for _ in range(flights):
        (i,) = started(wins, visits, alpha, 1)
        out.append(i)
        wins[i], visits[i] = wins[i] + 1, visits[i] + 1
    return out


def fixed_above(wins, visits, alpha, flights):
    visits, out, above = list(visits), [], max(1, sum(visits))
    for _ in range(flights):
        scores = [
            w / n + alpha * sqrt(log(above) / n) if n else inf
            for w, n in zip(wins, visits)
        ]
        out.append(int(np.argmax(scores)))
        visits[out[-1]] += 1
    return out


def one_too_few(wins, visits, alpha, flights):
    return started(wins, visits, alpha, flights)[:-1]


WRONG = {
    "09.1": [0.4167, 1.0, 1.444, 0.25],
    "09.2": [leaf_only, without_root, in_place, counts_wins_only],
    "09.3": [by_ucb, no_prior, untried_first, last_of_equals],
    "09.4": [1.7 / 3, 0.9, 0.5],
    "09.5": [all_the_same, counts_as_won, fixed_above, one_too_few],
    "09.6": [(2, 30), (25, 30), (3, 10), (3, 4)],
}
