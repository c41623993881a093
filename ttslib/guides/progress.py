"""Process advantage (Setlur 2024): by how much a step helps."""

from collections.abc import Callable

import numpy as np


def process_advantage(value, prover, weight: float = 1.0) -> Callable:
    """The guide V + ``weight`` · A, Setlur 2024 (eq. 4): worth and progress.

    ``value`` and ``prover`` are reward models with ``steps``. A is the change of the
    prover's value over the newest step; NaN without a step. At a first step A is the
    prover's value: the value of the problem itself is the same for all siblings, and
    left out. The cost is that of both models. The sum may lie outside 0 to 1.
    """

    def guide(problems, chains):
        own, tokens = value(problems, chains)
        path = prover.steps(problems, chains)
        gained = [np.diff(v, prepend=0.0)[-1] if len(v) else np.nan for v in path]
        return own + weight * np.array(gained), 2 * tokens

    return guide
