"""Guides from a policy's own stream: its log p, and the values that it writes.

No torch.
"""

import re
from collections.abc import Callable

import numpy as np

from ..chain import lines

# Every base knows these signs. No adapter taught the base to write a word that it had
# never seen, as its embedding is also its head.
WRITTEN = re.compile(r" \[(\d)\]$", re.M)
TOP_DIGIT = 9  # a value is written as one digit, 0 to 9


def least(policy, chain) -> list[float]:
    """The smallest log p of a token in each of the chain's steps: [steps]."""
    if len(chain.logprobs) != len(chain.tokens):
        raise ValueError(f"a chain of {chain.prompt!r} has no log p of its tokens")
    ends = [-1, *policy.ends(chain)]
    return [min(chain.logprobs[a + 1 : b + 1]) for a, b in zip(ends, ends[1:])]


def min_token_prob(policy) -> Callable:
    """A guide without cost: the p of the least likely token of the newest step.

    A policy that errs is often in doubt at that very token.
    """

    def guide(problems, chains):
        newest = [(least(policy, chain) or [0.0])[-1] for chain in chains]
        return np.exp(newest), np.zeros(len(chains), int)

    return guide


def with_values(chain, values, policy=None) -> str:
    """``chain`` as text, with the value of each step behind its line, slide 48.

    ``values`` [steps], within 0 to 1, may leave out the last step: where no line feed
    ends it, its value is not written. ``policy`` says where steps end. Without one it
    is at each line feed or, if there are only so many values, at each blank line.
    ValueError where the values fit neither, or are no such numbers.
    """
    if policy:
        ways = [policy.step_texts(chain)]
    else:
        eos = [""] * (chain.finished and chain.text.endswith("\n"))  # a step by itself
        blocks = re.findall(r"\s*[^\n]+(?:\n\s*)?", chain.text)
        ways = [lines(chain.text) + eos, blocks + eos]
    fits = [way for less in (0, 1) for way in ways if len(way) - less == len(values)]
    if not fits:
        raise ValueError(
            f"{len(values)} values for a chain of {len(ways[0])} steps: give one for "
            "each, or for each but the last"
        )
    if not all(0 <= v <= 1 for v in values):
        raise ValueError(f"values {list(values)} do not lie within 0 to 1")
    said = [round(TOP_DIGIT * float(v)) for v in values]
    written = [noted(s, d) if "\n" in s else s for s, d in zip(fits[0], said)]
    return chain.prefix + "".join(written + fits[0][len(said) :])


def noted(step: str, digit: int) -> str:
    """``step`` with `` [digit]`` behind its line: before the line feeds that end it."""
    at = [m.start() for m in re.finditer(r"\n\s*", step)] or [len(step)]
    return f"{step[: at[-1]]} [{digit}]{step[at[-1] :]}"


def learn_values(
    policy, problems, chains, values, *, weight: float = 10.0, **training
) -> list[float]:
    """Teach the active adapter to write a value behind each step; loss per step.

    ``values`` [chains] of [steps], within 0 to 1. A digit's token counts ``weight``
    times, as a line has only one. Options as :meth:`ttslib.policy.Policy.fit`.
    """
    examples = []
    for x, chain, value in zip(problems, chains, values, strict=True):
        text = with_values(chain, value, policy).removeprefix(chain.prefix)
        _, tail = policy.row(x, text, any_length=True)
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
    """The values that the policy writes itself, slide 48: the newest one, at no cost.

    Its cost is part of the stream. A step without a value is worth 0, and a finished
    chain as much as its last value says.
    """
    values = np.zeros(len(chains))
    for i, chain in enumerate(chains):
        text = re.sub(r"\n\s*\Z", "", chain.full_text)
        said = WRITTEN.findall(text if chain.finished else text.split("\n")[-1])
        values[i] = int(said[-1]) / TOP_DIGIT if said else 0.0
    return values, np.zeros(len(chains), int)
