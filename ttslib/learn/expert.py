"""Expert iteration (Anthony 2017): the policy proposes, a search improves on it, both
policy and value learn from the outcome. No torch before it learns a value.
"""

from collections.abc import Callable

import numpy as np

from .. import guides
from ..search import mcts
from ..verify import judge
from .guess_and_check import different, e_step, m_step, verified, warn_if_idle


def expert_iteration(
    policy,
    problems,
    guide: Callable | None = None,
    *,
    iterations: int = 3,
    keep: Callable = verified,
    tokens: float | None = None,
    search: dict | None = None,
    teach: dict | None = None,
    seed: int = 0,
    **training,
):
    """AlphaZero's loop on chains, slide 55; yields a ledger after each iteration.

    An iteration searches every problem with the current policy and value (``search``:
    settings of :func:`ttslib.search.mcts`). The verifier labels the finished chains. A
    new adapter is trained on those that ``keep`` chooses (:func:`m_step`), and a new
    value on all outcomes so far (``teach``: settings of :meth:`RewardModel.fit`). The
    first search judges by roll-outs, later ones by the learned value, the ledger's
    "guide"; a given ``guide`` stays. Ends where nothing is kept.
    """
    fixed, told = guide, []
    policy.switch(None)
    for i in range(iterations):
        trees = mcts(policy, problems, guide, seed=seed + i, **(search or {}))
        rows = [different(tree.finished) for tree in trees]
        right = judge(problems, rows)
        q = e_step(problems, rows, right, keep)
        warn_if_idle(i, rows, 1, q)
        if not q:
            return
        policy.attach(seed=seed)
        ledger = m_step(policy, q, tokens=tokens, seed=seed + i, **training)
        ledger["solved"] = float(np.mean([any(good) for good in right]))
        ledger["drawn"] = sum(tree.tokens for tree in trees)
        ledger["guided"] = sum(tree.guided for tree in trees)
        if fixed is None:
            told += outcomes(policy, problems, rows, right)
            lessons = {"epochs": 2, "seed": seed + i} | (teach or {})
            value = guides.RewardModel(policy, seed=seed).fit(*zip(*told), **lessons)
            guide = guides.CachedRewardModel(value)
            read = sum(policy.length(x, chain) for x, chain, _ in told)
            ledger["trained"] += round(read * lessons["epochs"])
        yield ledger | {"guide": guide}


def outcomes(policy, problems, rows, right) -> list[tuple]:
    """(problem, chain, labels [steps]): the label of every step is the chain's verdict.

    AlphaZero's value learns the like: z of the game for every position (Silver 2017).
    """
    return [
        (x, chain, np.full(len(policy.ends(chain)), float(good)))
        for x, chains, verdicts in zip(problems, rows, right)
        for chain, good in zip(chains, verdicts)
    ]
