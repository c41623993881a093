"""An exact guide for countdown, whose states can be enumerated. No torch.

All other guides of the course estimate. With noise, this one shows how good a value
must be.
"""

from collections.abc import Callable

import numpy as np

from ..chain import Chain, key_of
from ..problems.countdown import chance, replay
from ..verify import verify


def reachable(noise: float = 0.0, graded: bool = False, seed: int = 0) -> Callable:
    """A guide that knows whether the target can still be reached: 1 or 0, no tokens.

    A chain with a wrong line has the value 0, and a finished chain its verdict.
    ``graded`` gives the chance that random moves reach the target instead
    (:func:`countdown.chance`). ``noise`` is the chance that the 0 or 1 of an unfinished
    chain is flipped; the same text and ``seed`` are always flipped alike. ValueError
    for noise on a graded value.
    """
    if graded and noise:
        raise ValueError("noise flips a 0 or 1: a graded value has neither")

    def value(x, chain: Chain) -> float:
        text = chain.full_text.replace("\r\n", "\n")
        if chain.finished:
            return float(bool(verify(x, chain.answer)))
        numbers, target = tuple(sorted(x.data["numbers"])), x.data["target"]
        rest = replay(numbers, text)
        worth = chance(rest, target) if rest else 0.0
        if graded:
            return worth
        flip = noise and key_of("noise", seed, x.prompt, text) < noise * 2**128
        return float((worth > 0) != bool(flip))

    def guide(problems, chains):
        values = [value(x, chain) for x, chain in zip(problems, chains, strict=True)]
        return np.array(values), np.zeros(len(values), int)

    return guide
