"""Chapter 02: voting."""

import math
import random
from collections import Counter

import numpy as np

TURNS = 14 / 31  # where 0.6885 s + 0.1215 (1 - s) = 0.6885 (1 - s)


def one(value) -> str:
    """The skill at which the pupil's two likeliest answers change places."""
    value = float(value)
    if abs(value - TURNS) <= 0.005:
        return ""
    if abs(value - 0.5) <= 0.01:
        return (
            "at one half the two readings are equally likely, but not the two answers: "
            "look at every chain that ends in 146, as in chapter 01"
        )
    if not 0 < value < 1:
        return "a skill is a probability: between 0 and 1"
    return (
        "there one answer is still ahead: print the first two of "
        "pupil.answers(problem) for several skills and close in on the change"
    )


def two(value) -> str:
    """majority@1, @2, @5 of the ballots 7, 7, 8, 8 and none, where 7 is right."""
    value = np.array([float(v) for v in value])
    if value.shape != (3,):
        return "three numbers are asked for: majority@1, majority@2 and majority@5"
    wrong = [
        f"majority@{n}"
        for n, found, right in zip((1, 2, 5), value, (0.4, 0.5, 0.5))
        if not math.isclose(found, right, abs_tol=1e-6)
    ]
    if not wrong:
        return ""
    return (
        f"not {' nor '.join(wrong)}: list the subsets of that size; the silent "
        "chain counts for nobody, and a tie is shared"
    )


def elections():
    """Lists of ballots: corner cases, then random ones."""
    yield from (["7"], ["7", "8"], ["7", "8", "7"], ["", "7", ""], ["a", "b", "c", "a"])
    yield from ([], ["", ""], ["", "", "7", "8"])
    rng = random.Random(2)
    for _ in range(50):
        yield [rng.choice(["", "1", "2", "3"]) for _ in range(rng.randint(1, 9))]


def three(elect) -> str:
    """Chance to win of each answer, ties shared."""
    for ballots in elections():
        votes = Counter(b for b in ballots if b)
        top = [b for b in votes if votes[b] == max(votes.values())]
        given = list(ballots)
        said = elect(given)
        if given != ballots:
            return "your function changes the list that it is given"
        if not isinstance(said, dict):
            return f"for {ballots} it returns {said!r}, which is no dictionary"
        said = {b: float(p) for b, p in said.items() if p}
        if set(said) != set(top):
            hint = "who has most votes, once the silent ones are left out?"
            return f"for {ballots} it lets {sorted(said)} win: {hint}"
        if any(not math.isclose(p, 1 / len(top), abs_tol=1e-9) for p in said.values()):
            return f"for {ballots} the chances are {said}: how does a fair draw share?"
    return ""


def weights():
    """(ballots, log p) of elections by weight, none of them tied."""
    yield ["7", "7", "8"], [-1.0, -1.0, -0.2]
    yield ["7", "7", "8"], [-1.0, -1.0, -0.4]
    yield ["", "7", "", "8"], [0.0, -3.0, 0.0, -2.0]
    yield ["8", "7", "7"], [-1999.5, -2000.0, -2000.0]
    yield ["8", "7", "7"], [-1999.2, -2000.0, -2000.0]
    rng = random.Random(4)
    for _ in range(30):
        n = rng.randint(1, 9)
        yield (
            [rng.choice("1234") for _ in range(n)],
            [rng.gauss(-30, 2) for _ in range(n)],
        )


def four(weighted_vote) -> str:
    """The ballot with the largest sum of exp(log p)."""
    for ballots, logps in weights():
        total = Counter()
        for b, logp in zip(ballots, logps):
            if b:
                total[b] += math.exp(logp - max(logps))
        right = max(total, key=total.get)
        said = weighted_vote(list(ballots), list(logps))
        if said == right:
            continue
        if said == "":
            return f"for {ballots} the empty ballot is elected, but it abstains"
        if min(logps) < -700:
            return (
                "exp(-2000) is 0 in floating point: what may be added to every log p "
                "without changing who wins?"
            )
        return f"for {ballots} with log p {logps} it elects {said!r}: sum p, not log p"
    return ""


def five(value) -> str:
    """(2p - 1) C(9, 5) (p (1 - p))^5 at p = 0.6."""
    value, right = float(value), 0.2 * math.comb(9, 5) * 0.24**5
    if math.isclose(value, right, rel_tol=5e-3):
        return ""
    if math.isclose(value, 100 * right, rel_tol=5e-3):
        return "that is in points: give the difference of the two probabilities"
    if math.isclose(value, -right, rel_tol=5e-3):
        return "the sign is wrong: what is majority@11 less majority@9?"
    return (
        "two more voters turn an election only if its margin was one vote: in which "
        "cases do they turn it to the right, in which to the wrong side?"
    )


CHECKS = {"1": one, "2": two, "3": three, "4": four, "5": five}
