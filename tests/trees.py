"""Problems whose policy is a tree of known chances, and guides that are any table."""

import numpy as np

from ttslib.chain import key_of, uniforms
from ttslib.policy import Enumerable
from ttslib.problems import Problem


def random_tree(
    seed: int, depth: int = 3, width: int = 3, least: float = 0.15, path: str = ""
) -> dict:
    """A step has a chance of ``least`` or more; some chains end early; answers 0, 1."""
    rng = np.random.default_rng(key_of(seed, path) >> 65)
    if path and (depth == 0 or rng.random() < 0.15):
        return {f"Answer: {rng.integers(2)}": (1.0, {})}
    p = rng.dirichlet(np.ones(width)) * (1 - least * width) + least
    steps = [f"{path.count('/')}{'abc'[i]}\n" for i in range(width)]
    below = [
        random_tree(seed, depth - 1, width, least, f"{path}/{i}") for i in range(width)
    ]
    return {s: (q, b) for s, q, b in zip(steps, (p / p.sum()).tolist(), below)}


def world(*seeds: int, **shape) -> tuple[list[Problem], Enumerable]:
    trees = {f"x{s}\n": random_tree(s, **shape) for s in seeds}
    xs = [Problem(x.strip(), "test", x, "1", "mathematics") for x in trees]
    return xs, Enumerable(trees)


def table(seed: int, least: float = 0.0):
    """A guide that is any table over prefixes, in ``least`` to 1; each look costs 3."""

    def guide(xs, chains):
        keys = [key_of(seed, x.id, c.text) for x, c in zip(xs, chains)]
        values = [least + (1 - least) * uniforms(key, 0, 1)[0] for key in keys]
        return np.array(values), np.full(len(chains), 3)

    return guide
