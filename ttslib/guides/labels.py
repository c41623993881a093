"""Labels for the steps of a chain, by roll-outs. No torch."""

import numpy as np

from ..stats import pass_at_k
from ..verify import judge

# From the values of a chain's steps to one score of the chain.
AGGREGATE = {"min": np.min, "product": np.prod, "last": lambda values: values[-1]}


def step_labels(
    policy, problems, chains, n: int, *, seed: int = 0, **options
) -> tuple[list[np.ndarray], int]:
    """How many of ``n`` roll-outs from each step of each chain end right.

    Math-Shepherd (Wang 2023, section 3.3): c / n is the soft label, c > 0 the hard one.
    A chain's last step needs no roll-out: its count is n · Ver_x. A beginning that two
    chains of a problem share is rolled out once. Returns the counts [chains] of
    [steps], and the number of tokens drawn.
    """
    verdicts = judge(problems, [[chain] for chain in chains])
    counts, asked = [], {}
    for x, chain, good in zip(problems, chains, verdicts):
        counts.append(np.full(len(policy.ends(chain)), n * good[0]))
        for t in range(1, len(counts[-1])):
            begun = policy.head(chain, t)
            asked.setdefault((chain.prompt, begun.prefix, begun.tokens), (x, begun))
    xs, begun = zip(*asked.values()) if asked else ((), ())
    rows = policy.sample(xs, n, prefix=begun, seed=seed, **options)
    found = dict(zip(asked, judge(xs, rows).sum(-1))) if asked else {}
    for chain, count in zip(chains, counts):
        for t in range(1, len(count)):
            begun = policy.head(chain, t)
            count[t - 1] = found[chain.prompt, begun.prefix, begun.tokens]
    return counts, sum(len(chain.tokens) for row in rows for chain in row)


def only_last(labels) -> list[np.ndarray]:
    """Outcome labels from process labels: all but the last become NaN, not known.

    They train an outcome model (Cobbe 2021, Uesato 2022).
    """
    return [np.where(np.arange(len(v)) < len(v) - 1, np.nan, v) for v in labels]


def prover_labels(counts, n: int, k: int = 4) -> list[np.ndarray]:
    """Value of each step for a stronger prover: best of ``k`` of the policy's draws.

    A prover that is too weak or too strong sees no progress (Setlur 2024, section 3).
    The estimate from c of ``n`` roll-outs is pass@k of chapter 03, which has no bias.
    ``k`` is at most n.
    """
    return [pass_at_k(n, c, k) for c in counts]
