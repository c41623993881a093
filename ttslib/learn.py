"""Guess and check: E-step, M-step, and one loop for every variant. No torch.

The objective is Σ_x log E_{z, y ~ p(· | x; θ)} Ver_x(y), slide 30. A policy is whatever
has ``sample``, ``attach`` (back to the base) and ``fit``; a weighted chain is a tuple
(problem, chain, weight).
"""

from collections import Counter
from collections.abc import Callable

import numpy as np

from .search import ballot
from .verify import judge, verify


# --- the two steps -------------------------------------------------------------------
def posterior(policy, problems) -> list[tuple]:
    """q(z, y | x) = p(z, y | x; θ) Ver_x(y) / p(Ver | x; θ): the E-step, exactly.

    For a policy whose ``chains`` can be listed; a problem's weights sum to 1.
    """
    out = []
    for problem in problems:
        chains = policy.chains(problem)
        passed = [(z, p) for z, p in chains if verify(problem, z.answer)]
        total = sum(p for _, p in passed)
        out += [(problem, z, p / total) for z, p in passed]
    return out


def e_step(problems, rows, keep: Callable, *, read=lambda chain: chain.answer):
    """Weighted chains that stand for q, from draws of p: rejection sampling, slide 35.

    ``rows`` holds the draws of each problem, ``keep(chains, right)`` chooses among them
    given Ver_x of each; a problem's kept chains share a weight of 1. A problem of which
    none is kept has no say.
    """
    right = judge(problems, rows, read)
    kept = [keep(chains, good) for chains, good in zip(rows, right)]
    return [(x, z, 1 / len(zs)) for x, zs in zip(problems, kept) for z in zs]


def m_step(policy, examples, **training):
    """θ' = argmax_θ Σ w log p(z, y | x; θ), slide 35: maximum likelihood on q."""
    return policy.fit(examples, **training)


def bound(policy, q) -> float:
    """Σ_z q(z) log (p(z, y | x; θ) / q(z)), mean over problems: below the objective.

    It touches the objective where q is the posterior of the same θ; elsewhere the gap
    is the divergence of q from it.
    """
    logp = policy.logprob(*zip(*[(x, z) for x, z, _ in q]))
    total = sum(w * (sum(p) - np.log(w)) for p, (*_, w) in zip(logp, q))
    return float(total / len({x.id for x, *_ in q}))


# --- what is kept --------------------------------------------------------------------
def verified(chains, right, most: int | None = None) -> list:
    """The first ``most`` different chains that pass (ReST-EM, Singh et al. 2023)."""
    passed = {c.text: c for c, good in reversed(list(zip(chains, right))) if good}
    return list(reversed(passed.values()))[:most]


def likeliest(chains, right, most: int = 1) -> list:
    """The ``most`` that pass with the highest log p(z, y | x) a token."""
    passed = verified(chains, right)
    return sorted(passed, key=confidence, reverse=True)[:most]


def above(threshold: float) -> Callable:
    """Keeps what passes with a reward of at least ``threshold`` (ReST).

    The reward is Ver_x times the geometric mean of the chain's token probabilities.
    """

    def keep(chains, right):
        passed = verified(chains, right)
        return [c for c in passed if np.exp(confidence(c)) >= threshold]

    return keep


def confident(chains, right, share: float = 0.25) -> list:
    """The likeliest ``share`` of the different chains, right or not (Yarowsky 1995)."""
    different = list({c.text: c for c in chains if c.answer}.values())
    different.sort(key=confidence, reverse=True)
    return different[: max(1, round(share * len(chains)))] if different else []


def voted(chains, right) -> list:
    """Different chains with the most frequent answer, right or not."""
    votes = Counter(ballot(c.answer) for c in chains if c.answer)
    if not votes:
        return []
    winner = max(votes, key=votes.get)
    return list({c.text: c for c in chains if ballot(c.answer) == winner}.values())


def confidence(chain) -> float:
    """Mean log p of a token."""
    return chain.logprob / max(1, len(chain.tokens))
