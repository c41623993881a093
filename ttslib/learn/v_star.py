"""V-STaR: the generator learns from right chains, a verifier from wrong ones too."""

from .guess_and_check import capped, draw_and_verify, e_step, m_step
from .preference import dpo, pairs


def v_star(
    policy,
    problems,
    n: int,
    *,
    iterations: int = 3,
    most: int = 8,
    seed: int = 0,
    generator: dict | None = None,
    verifier: dict | None = None,
):
    """Generator and verifier, both from the base on (Hosseini 2024, Algorithm 1).

    An iteration draws ``n`` chains a problem from the current generator. Then it tunes
    a new generator, from the base, on the first ``most`` right chains of each problem
    *so far*. At the end DPO trains a verifier, from the base too, on pairs of all that
    was drawn, right and wrong. ``generator`` holds settings of :func:`m_step`,
    ``verifier`` of :func:`dpo`. The policy ends as the generator, its adapter
    "default". Returns (verifier, chains [problems], verdict of each, a ledger of each
    iteration).
    """
    policy.switch(None)
    rows, right, ledgers = [[] for _ in problems], [[] for _ in problems], []
    for i in range(iterations):
        new, good, ledger = draw_and_verify(policy, problems, n, seed=seed + i)
        rows = [[*old, *more] for old, more in zip(rows, new)]
        right = [[*old, *more] for old, more in zip(right, good)]
        policy.attach(seed=seed)
        q = e_step(problems, rows, right, capped(most))
        ledger |= m_step(policy, q, seed=seed + i, **(generator or {}))
        ledgers.append(ledger)
    policy.attach(name="verifier", seed=seed)
    dpo(policy, pairs(problems, rows, right), seed=seed, **(verifier or {}))
    judge = policy.merge()
    policy.switch("default")
    return judge, rows, right, ledgers
