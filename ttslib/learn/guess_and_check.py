"""Guess and check: E-step, M-step, and one loop for every variant. No torch.

The objective is Σ_x log E_{z, y ~ p(· | x; θ)} Ver_x(y), slide 30. A policy needs
``sample``, ``attach`` (back to the base) and ``fit``. A weighted chain is a tuple
(problem, chain, weight).
"""

import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..search import ballot
from ..verify import judge, verify


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


def e_step(problems, rows, right, keep: Callable) -> list[tuple]:
    """Weighted chains that stand for q, from draws of p: rejection sampling, slide 35.

    ``rows`` holds the draws of each problem and ``right`` Ver_x of each draw.
    ``keep(chains, right)`` chooses among the draws of a problem; those that it keeps
    share a weight of 1. A problem without a kept chain has no weight.
    """
    q = []
    for problem, chains, good in zip(problems, rows, right):
        kept = keep(chains, good)
        q += [(problem, chain, 1 / len(kept)) for chain in kept]
    return q


def m_step(
    policy, q, *, tokens: float | None = None, epochs: float = 1, **training
) -> dict:
    """θ' = argmax_θ Σ w log p(z, y | x; θ), slide 35: maximum likelihood on q.

    Trains on ``tokens`` in all if given, else for ``epochs``. Returns a ledger: chains
    kept, problems taught, tokens trained on, the last loss.
    """
    length = sum(policy.length(x, z) for x, z, _ in q)
    epochs = tokens / max(1, length) if tokens else epochs
    losses = policy.fit(q, epochs=epochs, **training)
    ledger = {"kept": len(q), "taught": len({x.id for x, *_ in q})}
    return ledger | {"trained": round(length * epochs), "loss": losses[-1]}


def bound(policy, q) -> np.ndarray:
    """Σ_z q(z) log (p(z, y | x; θ) / q(z)), of each problem in q: below its objective.

    It touches log p(Ver | x; θ) where q is the posterior of the same θ. Elsewhere the
    gap is the divergence of q from the posterior. For a drawn q only differences
    count, as its entropy is not the posterior's.
    """
    logp = policy.logprob(*zip(*[(x, z) for x, z, _ in q]))
    total: dict = {}
    for (x, _, w), p in zip(q, logp):
        total[x.id] = total.get(x.id, 0.0) + w * (sum(p) - np.log(w))
    return np.array(list(total.values()))


# --- what is kept --------------------------------------------------------------------
def verified(chains, right) -> list:
    """All chains that pass: draws of the posterior, repetitions included."""
    return [chain for chain, good in zip(chains, right) if good]


def capped(most: int) -> Callable:
    """Keeps the first ``most`` different chains that pass (10 in ReST-EM's paper).

    In the paper every chain weighs the same, and the cap keeps easy problems from
    crowding out hard ones. Here a problem weighs 1 anyway; the cap saves training.
    """

    def keep(chains, right):
        return different(verified(chains, right))[:most]

    return keep


def likeliest(chains, right) -> list:
    """The chain that passes with the highest log p(z, y | x) per token."""
    return sorted(verified(chains, right), key=confidence, reverse=True)[:1]


def above(threshold: float) -> Callable:
    """Keeps chains with a reward of at least ``threshold`` (ReST learns its reward).

    The reward is Ver_x times the geometric mean of the chain's token probabilities.
    """

    def keep(chains, right):
        passed = different(verified(chains, right))
        return [c for c in passed if np.exp(confidence(c)) >= threshold]

    return keep


def confident(chains, right, share: float = 0.25) -> list:
    """The likeliest ``share`` of a problem's chains, right or not.

    Yarowsky 1995 has one threshold of confidence for all problems.
    """
    answered = sorted((c for c in chains if c.answer), key=confidence, reverse=True)
    return different(answered[: max(1, round(share * len(chains)))])


def voted(chains, right) -> list:
    """Different chains with the most frequent answer, right or not."""
    ballots = [ballot(c.answer) for c in chains]
    votes = Counter(filter(None, ballots))
    winner = max(votes, key=votes.get, default=None)
    return different(c for c, vote in zip(chains, ballots) if vote == winner)


def different(chains) -> list:
    """The first of each text."""
    return list({c.text: c for c in reversed(list(chains))}.values())[::-1]


def confidence(chain) -> float:
    """Mean log p of a token."""
    return chain.logprob / max(1, len(chain.tokens))


# --- the loop ------------------------------------------------------------------------
def guess_and_check(
    policy,
    problems,
    n: int,
    *,
    keep=verified,
    iterations: int = 2,
    restart: bool = True,
    hint=None,
    budget: int | None = None,
    sampling: dict | None = None,
    seed: int = 0,
    **training,
):
    """Rejection-sampling EM from the base on; yields a ledger after each M-step.

    An iteration draws ``n`` chains a problem from the current policy. It does an M-step
    on those that ``keep`` chooses: from the base again if ``restart``, else going on.
    In a list of ``keep`` each has an M-step on the same draws (ReST: grow, improve).
    ``hint``: see :func:`draw_and_verify`. ``budget`` is the tokens to train on in all,
    instead of epochs; every M-step has an equal share. Replaces the adapter "default".
    Ends where nothing is kept.
    """
    keeps = keep if isinstance(keep, (list, tuple)) else [keep]
    share = budget and budget / (iterations * len(keeps))
    policy.switch(None)
    for i in range(iterations):
        options = dict(hint=hint, seed=seed + i, **(sampling or {}))
        rows, right, ledger = draw_and_verify(policy, problems, n, **options)
        for j, chosen in enumerate(keeps):
            q = e_step(problems, rows, right, chosen)
            warn_if_idle(i, rows, n, q)
            if not q:
                return
            if restart or i == j == 0:
                policy.attach(seed=seed)
            done = m_step(policy, q, tokens=share, seed=seed + i, **training)
            done["trained"] += ledger["trained"]
            yield ledger | done | {"draws": i, "step": j}
            ledger |= {"drawn": 0, "trained": 0}  # the next M-step has the same draws


def draw_and_verify(policy, problems, n, *, hint=None, seed=0, **sampling):
    """(``n`` chains of each problem, Ver_x of each, a ledger).

    ``hint(policy, problems, rows, right, seed)`` may give more chains for each problem,
    and a ledger of the tokens that it drew and trained on. The shares of solved
    problems and of passing chains count only draws without a hint.
    """
    rows = policy.sample(problems, n, seed=seed, **sampling)
    right = judge(problems, rows)
    ledger = {"solved": float(right.any(1).mean()), "passed": float(right.mean())}
    ledger |= {"drawn": 0, "trained": 0}
    if hint:
        more, spent = hint(policy, problems, rows, right, seed)
        ledger |= spent
        hinted = judge(problems, more)
        right = [[*good, *also] for good, also in zip(right, hinted)]
        rows = [row + extra for row, extra in zip(rows, more)]
    ledger["drawn"] += sum(chain.cost for row in rows for chain in row)
    return rows, right, ledger


def warn_if_idle(iteration: int, rows, n: int, q):
    """Warn if an iteration of ``n`` draws a problem teaches nothing, or little."""
    why, alike = "", sum(len({chain.text for chain in row}) == 1 for row in rows)
    if n > 1 and 2 * alike > len(rows):
        why = (
            f"all chains of {alike} of {len(rows)} problems are the same, so drawing "
            "more adds nothing: raise the temperature"
        )
    if not q:
        why = (
            f"of {len(rows)} × {n} chains none is kept, so there is nothing to learn "
            "from: draw more, take easier problems, or give hints"
        )
    if why:
        warnings.warn(f"iteration {iteration + 1}: {why}", stacklevel=3)


def variants(n: int, corpus=()) -> dict[str, dict]:
    """The settings of :func:`guess_and_check` for each paper, by the paper's name.

    Each draws 2 ``n`` chains a problem in all (n a multiple of 4). The use of hints is
    learned on ``corpus``, at an extra cost; without one no row has hints.
    """
    star = dict(iterations=4, keep=capped(1))
    rest = [above(t) for t in (0, 0.87, 0.9)]
    rows = {
        "self-training": dict(keep=confident, restart=False, n=n),
        "self-training, vote": dict(keep=voted, restart=False, n=n),
        "best-of-N training": dict(keep=capped(1), iterations=1, n=2 * n),
        "STaR": star | dict(n=n // 2),
        "ReST": dict(keep=rest, iterations=1, restart=False, n=2 * n),
        "ReST-EM": dict(keep=capped(4), n=n),
        "ReST-EM, going on": dict(keep=capped(4), restart=False, n=n),
        "filtered sampling": dict(keep=likeliest, n=n),
    }
    if corpus:
        hint = rationalization(n // 4, corpus, lr=5e-3, epochs=2)
        rows["STaR + hints"] = star | dict(n=n // 4, hint=hint)
    return rows


def hinted(problem, answer: str):
    """``problem`` with an answer in sight, for a rationale (STaR, section 3.2)."""
    return replace(problem, prompt=f"{problem.prompt}Answer: {answer}\n")


def rationalization(n: int, corpus, *, draws: int = 8, **training) -> Callable:
    """A ``hint`` for a policy that can't use hints yet: it first learns how.

    Every chain, right or wrong, is a rationale of its own answer. So in the first
    iteration an adapter learns p(z | x, y) from the base's own ``draws`` of each
    problem of ``corpus`` (the sleep phase of wake-sleep). Then it draws ``n`` chains of
    each problem that the policy failed, with the reference answer in the prompt.
    Replaces the adapter "hinted".
    """

    def hint(policy, problems, rows, right, seed):
        active, spent = policy.adapter, {"drawn": 0, "trained": 0}
        if active is None:  # the base
            told = policy.sample(corpus, draws)
            pairs = [(x, c) for x, row in zip(corpus, told) for c in different(row)]
            own = [(hinted(x, c.answer), c) for x, c in pairs if c.answer]
            policy.attach(name="hinted")
            spent = m_step(policy, [(*e, 1.0) for e in own], **training)
            spent = {"trained": spent["trained"]}
            spent["drawn"] = sum(c.cost for row in told for c in row)
        policy.switch("hinted")
        failed = [j for j, good in enumerate(right) if not good.any()]
        asked = [hinted(problems[j], problems[j].gold) for j in failed]
        out = [[] for _ in problems]
        for j, row in zip(failed, policy.sample(asked, n, seed=seed)):
            out[j] = row
        policy.switch(active)
        return out, spent

    return hint
