"""r_MC: the value of a partial chain by roll-outs. No torch."""

from collections.abc import Callable

import numpy as np

from ..stats import wilson
from ..verify import verify as automatic


def rollout_value(
    policy, problems: list, prefixes: list, n: int, verify: Callable, **options
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Monte-Carlo value of each prefix: r_MC(z_1:t) = 1/n Σ Ver(y^i), slide 29.

    The y^i are the answers of ``n`` chains that ``policy`` draws from the prefix on;
    ``options`` go to its ``sample``. Returns the mean [prefixes], its 95 % interval
    [prefixes, 2], and the tokens drawn [prefixes]. The interval is Wilson's: n equal
    verdicts leave a doubt, but the standard error √(p(1 - p)/n) would be 0.
    """
    rows = policy.sample(problems, n, prefix=prefixes, **options)
    passed = [
        sum(bool(verify(problem, chain.answer)) for chain in row)
        for problem, row in zip(problems, rows)
    ]
    value, low, high = wilson(passed, n)
    cost = np.array([sum(len(chain.tokens) for chain in row) for row in rows])
    return value, np.stack([low, high], 1), cost


def rollouts(policy, n: int, *, verify: Callable = automatic, **options) -> Callable:
    """The guide r_MC, slide 44: a chain's value is the mean of ``n`` roll-outs.

    The value of a finished chain is its verdict. The guide needs the verifier wherever
    it is used, at test time too.
    """

    def guide(problems, chains):
        values, tokens = np.zeros(len(chains)), np.zeros(len(chains), int)
        for i, (x, chain) in enumerate(zip(problems, chains)):
            values[i] = chain.finished and bool(verify(x, chain.answer))
        at = [i for i, chain in enumerate(chains) if not chain.finished]
        if at:
            asked, begun = [problems[i] for i in at], [chains[i] for i in at]
            found = rollout_value(policy, asked, begun, n, verify, **options)
            values[at], tokens[at] = found[0], found[2]
        return values, tokens

    return guide
