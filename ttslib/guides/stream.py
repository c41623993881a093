"""Guides that a policy's own stream carries: its log p, and values that it writes.

No torch.
"""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np

# Signs that every model has met: a word that the base never saw (its embedding is also
# its head) no adapter brought it to write.
WRITTEN = re.compile(r" \[(\d)\]$", re.M)
TOP = 9  # a value is written as one digit, 0 to TOP


def least(policy, chain) -> list[float]:
    """The smallest log p of a token in each of the chain's steps: [steps]."""
    ends = [-1, *policy.ends(chain)]
    return [min(chain.logprobs[a + 1 : b + 1]) for a, b in zip(ends, ends[1:])]


def min_token_prob(policy) -> Callable:
    """The guide that costs nothing: the least likely token of the newest step, as p.

    A policy that errs is often in doubt at that very token.
    """

    def guide(problems, chains):
        newest = [(least(policy, chain) or [0.0])[-1] for chain in chains]
        return np.exp(newest), np.zeros(len(chains), int)

    return guide


def with_values(chain, values) -> str:
    """``chain`` as text, each line but the last with its value behind it, slide 48."""
    lines = chain.full_text.split("\n")
    written = [round(TOP * float(v)) for v in values]
    noted = [f"{line} [{d}]" for line, d in zip(lines[:-1], written)]
    return "\n".join([*noted, lines[-1]])


def learn_values(
    policy, problems, chains, values, *, weight: float = 10.0, **training
) -> list[float]:
    """Teach the active adapter to write a value behind each step; loss per step.

    ``values`` [chains] of [steps], within 0 to 1. The digit's token counts ``weight``
    times, as there is one in a line. Options as :meth:`ttslib.policy.Policy.fit`.
    """
    examples = []
    for x, chain, value in zip(problems, chains, values, strict=True):
        text = with_values(replace(chain, prefix=""), value)
        ids, tail = policy.row(x, text)
        weights = np.ones(len(tail))
        weights[digits(policy, tail)] = weight
        examples.append((x, text, weights))
    return policy.fit(examples, **training)


def digits(policy, tail) -> list[int]:
    """Which of the tokens ``tail`` are the digits of values."""
    texts = {t: policy.tokenizer.decode([t]) for t in set(tail)}
    before = [
        "".join(texts[t] for t in tail[max(0, i - 2) : i + 1]) for i in range(len(tail))
    ]
    return [i for i, text in enumerate(before) if re.search(r" \[\d$", text)]


def interleaved(problems, chains) -> tuple[np.ndarray, np.ndarray]:
    """The guide that the policy writes itself, slide 48: the newest value, at no cost.

    What it cost stands in the stream. A step without a value is worth 0; a finished
    chain what its last value says.
    """
    values = np.zeros(len(chains))
    for i, chain in enumerate(chains):
        text = chain.full_text.rstrip("\n")
        said = WRITTEN.findall(text if chain.finished else text.split("\n")[-1])
        values[i] = int(said[-1]) / TOP if said else 0.0
    return values, np.zeros(len(chains), int)
