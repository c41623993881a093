"""r: S^t → R, what a partial chain is worth. No torch."""

from collections.abc import Callable

import numpy as np


def rollout_value(
    policy, problems: list, prefixes: list[str], n: int, verify: Callable, **options
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Monte-Carlo value of each prefix: r_MC(z_1:t) = 1/n Σ Ver(y^i), slide 29.

    The y^i are the answers of ``n`` chains that ``policy`` draws from the prefix on;
    ``options`` go to its ``sample``. Returns (mean, its standard error, tokens drawn),
    each [prefixes]. The standard error is that of a Bernoulli mean, √(p(1 - p)/n).
    """
    rows = policy.sample(problems, n, prefix=prefixes, **options)
    right = np.array(
        [
            [bool(verify(problem, chain.answer)) for chain in row]
            for problem, row in zip(problems, rows)
        ],
        float,
    )
    value = right.mean(1)
    cost = np.array([sum(len(chain.tokens) for chain in row) for row in rows])
    return value, np.sqrt(value * (1 - value) / n), cost
