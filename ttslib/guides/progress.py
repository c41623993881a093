"""Process advantage (Setlur 2024): not how good a state is, but how a step helps."""

from collections.abc import Callable

import numpy as np


def process_advantage(value, prover, weight: float = 1.0) -> Callable:
    """The guide V + ``weight`` · A, Setlur 2024 (eq. 4): worth and progress.

    ``value`` and ``prover`` are reward models with ``steps``; A is the change of the
    prover's value over the newest step. At a first step A is the prover's value itself,
    less what its problem was worth before: the same for all its siblings, so left out.
    Costs what both read. May lie outside 0 to 1.
    """

    def guide(problems, chains):
        own, tokens = value(problems, chains)
        path = prover.steps(problems, chains)
        gained = [np.diff(v, prepend=0.0)[-1] if len(v) else np.nan for v in path]
        return own + weight * np.array(gained), 2 * tokens

    return guide
