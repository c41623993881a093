"""Preferences: direct preference optimisation, on verdicts or on a search tree.

The trained policy is a verifier too: it gives the better chain a higher probability.
"""

from itertools import accumulate, product

import numpy as np
import torch
import torch.nn.functional as F

from ..policy.training import train
from ..problems import Problem
from .guess_and_check import different


# --- pairs ---------------------------------------------------------------------------
def pairs(problems, rows, right, most: int = 3) -> list[tuple]:
    """(problem, chosen, rejected): each chain that passes against each that fails.

    ``rows`` holds draws of each problem, ``right`` their verdicts. Only the first
    ``most`` different chains of either kind are paired.
    """
    out = []
    for x, chains, good in zip(problems, rows, right, strict=True):
        told = list(zip(chains, good, strict=True))
        better = different(chain for chain, passed in told if passed)
        worse = different(chain for chain, passed in told if not passed)
        out += [(x, *pair) for pair in product(better[:most], worse[:most])]
    return out


def tree_pairs(trees, *, margin: float = 0.2, visits: int = 2) -> list[tuple]:
    """(problem, chosen, rejected): the best and the worst sibling in a search tree.

    Like Xie 2024, one pair for each parent: the children with the highest and the
    lowest w/N among those with at least ``visits``, if the two differ by ``margin`` or
    more. Both chains begin alike, which cancels in :func:`dpo_loss`: only the last step
    is learned.
    """
    out = []
    for tree in trees:
        for parent in tree.nodes:
            children = [tree.nodes[i] for i in parent.children]
            known = [node for node in children if node.visits >= max(1, visits)]
            known.sort(key=lambda node: node.value)
            if known and known[-1].value - known[0].value >= max(margin, 1e-9):
                out.append((tree.problem, known[-1].chain, known[0].chain))
    return out


# --- learning ------------------------------------------------------------------------
def dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta: float):
    """-log σ(β log(π/π_ref of the chosen) - β log(π/π_ref of the rejected)), a pair.

    The arguments [pairs] are log p of whole chains (Rafailov 2023, equation 7).
    """
    return -F.logsigmoid(beta * (chosen - ref_chosen - rejected + ref_rejected))


def dpo(
    policy,
    pairs,
    *,
    beta: float = 0.1,
    lr: float = 5e-4,
    epochs: float = 2,
    batch_tokens: int = 4096,
    seed: int = 0,
    fresh: bool = False,
    progress: bool = False,
) -> list[float]:
    """Train the active adapter on (problem, chosen, rejected); loss per step.

    The reference π_ref is the policy before training. The loss is the mean of
    :func:`dpo_loss` over a batch's pairs; those of one prompt share a batch, where a
    chain is read once for all its pairs. A chain may be a text. Trained without
    dropout, so that the two agree at the first step; else as :meth:`Policy.fit`.
    """
    trained, groups = policy.trained(), packed(policy, pairs)
    sizes = [len(rows) * max(len(a) + len(b) for a, b in rows) for rows, _ in groups]

    def logp(rows):
        return torch.stack([p.sum() for p in policy.token_logp(rows)])

    def loss(batch):
        now = logp([row for i in batch for row in groups[i][0]])
        ref = torch.cat([reference[i] for i in batch])
        starts = accumulate((len(groups[i][0]) for i in batch), initial=0)
        places = [
            [start + chosen, start + rejected]
            for start, i in zip(starts, batch)
            for chosen, rejected in groups[i][1]
        ]
        both = torch.tensor(places).T  # [2, pairs]: of the chosen, of the rejected
        return dpo_loss(*now[both], *ref[both], beta).mean()

    with policy.tuning():
        with torch.no_grad():  # before an earlier run's weights come back
            reference = [logp(rows) for rows, _ in groups]
        about = *policy.hashes(), "DPO", groups, beta
        settings = dict(lr=lr, epochs=epochs, batch_tokens=batch_tokens, seed=seed)
        settings |= dict(fresh=fresh, progress=progress)
        return train(trained, about, sizes, loss, **settings)


def packed(policy, pairs) -> list[tuple[list, list]]:
    """(rows, pairs) of each prompt, which every chain stands in once.

    A row is (ids of the prompt, ids of the chain), a pair the places of its chosen and
    its rejected chain among the rows. ValueError where a pair has unlike prefixes.
    """
    groups: dict = {}
    for x, *pair in pairs:
        (ids, chosen), (same, rejected) = (policy.row(x, chain) for chain in pair)
        if ids != same:
            raise ValueError(
                f"problem {Problem.of(x).id}: a pair's chains begin with unlike texts"
            )
        rows, places = groups.setdefault(ids, ({}, []))
        both = (ids, chosen), (ids, rejected)
        places.append([rows.setdefault(row, len(rows)) for row in both])
    return [(list(rows), places) for rows, places in groups.values()]


def loglikelihood(policy, problems, chains) -> np.ndarray:
    """log p(z, y | x) [chains] under ``policy``, of each chain for its problem.

    It is the score of V-STaR's verifier (Hosseini 2024, section 3.3). Minus the drawing
    policy's ``chain.logprob`` it is DPO's implicit reward over β.
    """
    return np.array([sum(p) for p in policy.logprob(problems, chains)])
