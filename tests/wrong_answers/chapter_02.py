"""Plausible wrong answers to the exercises of chapter 02."""

import math
from collections import Counter


def first_wins(ballots):
    """A tie goes to who was seen first; silence is a candidate."""
    votes = Counter(ballots)
    return {max(votes, key=votes.get): 1.0} if votes else {}


def shares(ballots):
    """Shares of the votes, not chances to win."""
    votes = Counter(b for b in ballots if b)
    return {b: n / sum(votes.values()) for b, n in votes.items()}


def underflows(ballots, logps):
    weight = Counter()
    for b, logp in zip(ballots, logps):
        if b:
            weight[b] += math.exp(logp)
    return max(weight, key=weight.get)


def sums_logs(ballots, logps):
    weight = Counter()
    for b, logp in zip(ballots, logps):
        if b:
            weight[b] += logp
    return max(weight, key=weight.get)


def silence_votes(ballots, logps):
    weight = Counter()
    for b, logp in zip(ballots, logps):
        weight[b] += math.exp(logp - max(logps))
    return max(weight, key=weight.get)


WRONG = {
    "02.1": [0.5, 0.6, 1.2],
    "02.2": [[0.5, 0.5, 0.5], [0.4, 0.4, 0.5], [0.4, 0.5]],
    "02.3": [first_wins, shares, lambda ballots: None],
    "02.4": [underflows, sums_logs, silence_votes],
    "02.5": [2.007, 0.01, 0.6**2 - 0.4**2, -0.020066],
}
