"""Choosing among chains: majority vote, rejection sampling, best-of-N. No torch."""

from collections import Counter
from collections.abc import Callable

from ..chain import Chain
from ..verify.mathematics import number


def ballot(answer: str) -> str:
    """What an answer votes for: plain numbers by value, all else as written."""
    value = number(answer)
    return " ".join(answer.split()) if value is None else str(value)


def majority_vote(chains: list[Chain]) -> Chain | None:
    """The first chain with the most frequent answer; None if none has an answer.

    Self-consistency (Wang et al. 2022, section 2). A chain without answer abstains; of
    answers with as many votes the one seen first wins.
    """
    votes = Counter(ballot(chain.answer) for chain in chains if chain.answer)
    if not votes:
        return None
    winner = max(votes, key=votes.get)
    return next(chain for chain in chains if ballot(chain.answer) == winner)


def rejection_sample(problem, chains: list[Chain], verify: Callable) -> list[Chain]:
    """The verified set {y^n : Ver_x(y^n) = 1}."""
    return [chain for chain in chains if verify(problem, chain.answer)]


def best_of_n(chains: list[Chain], score: Callable[[Chain], float]) -> Chain:
    """The chain with the highest ``score``, the first of equals.

    With the verifier as score it is right whenever one of the chains is.
    """
    return max(chains, key=score)
