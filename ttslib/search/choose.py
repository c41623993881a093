"""Choosing among chains: votes, rejection sampling, best-of-N. No torch."""

from collections import Counter
from collections.abc import Callable

from ..chain import Chain
from ..verify import normal, number


def ballot(answer: str) -> str:
    """What an answer votes for: plain numbers by value, all else in a normal form.

    Dress and units have no say. A hedge ("42 or 43") abstains: ``""``.
    """
    value = number(answer)
    return normal(answer) if value is None else str(value)


def majority_vote(chains: list[Chain]) -> Chain | None:
    """The first chain with the most frequent answer; None if none has an answer.

    Self-consistency (Wang et al. 2022, section 2). A chain without answer abstains; of
    answers with as many votes the one seen first wins.
    """
    ballots = [ballot(chain.answer) for chain in chains]
    votes = Counter(filter(None, ballots))
    if not votes:
        return None
    return chains[ballots.index(max(votes, key=votes.get))]


def weighted_vote(chains: list[Chain], weights) -> Chain | None:
    """The first chain with the answer whose ``weights`` [chains] sum highest.

    Each ballot counts for what a guide thinks of its chain: voting with a verifier (Li
    et al. 2023, section 3.2), best-of-N weighted (Snell et al. 2024). Equal weights are
    :func:`majority_vote`, and so are abstentions and equal sums: the one seen first.
    None if none has an answer. ValueError where a weight is no number of 0 or more.
    """
    sums = {}
    for chain, weight in zip(chains, weights, strict=True):
        if weight is None or not 0 <= weight < float("inf"):
            raise ValueError(
                f"a vote cannot weigh {weight}: must be a number, 0 or more"
            )
        sums[ballot(chain.answer)] = sums.get(ballot(chain.answer), 0.0) + weight
    sums.pop("", None)
    if not sums:
        return None
    winner = max(sums, key=sums.get)
    return next(chain for chain in chains if ballot(chain.answer) == winner)


def rejection_sample(problem, chains: list[Chain], verify: Callable) -> list[Chain]:
    """The verified set {y^n : Ver_x(y^n) = 1}."""
    return [chain for chain in chains if verify(problem, chain.answer)]


def best_of_n(chains: list[Chain], score: Callable[[Chain], float]) -> Chain:
    """The chain with the highest ``score``, the first of equals.

    With the verifier as score it is right whenever one of the chains is. ValueError
    where there is no chain, or a score is no number: no comparison with NaN holds.
    """
    scores = [score(chain) for chain in chains]
    if not scores or any(s is None or s != s for s in scores):
        raise ValueError(
            f"scores are {scores}: best_of_n needs a number for each chain"
        )
    return chains[scores.index(max(scores))]
