"""Chain: z, y drawn from a policy, and the uniforms that drew it. No torch."""

import hashlib
import math
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Chain:
    """One chain of thought z with its answer y, as drawn for one prompt x.

    ``prefix`` was forced on it, ``text`` (without eos) was drawn after that; ``tokens``
    are the drawn ids, eos included, and ``logprobs`` their log p at temperature 1.
    ``finished`` tells eos or a stop string from an exhausted budget. ``cost`` counts
    the tokens drawn for it, by the call that returned it or when the store's was drawn,
    so that a ledger may add them up. ``verifier`` is the problem's, by which the answer
    is read. ``state`` is the kept KV, if it was asked for.
    """

    prompt: str
    text: str = ""
    tokens: tuple[int, ...] = ()
    logprobs: tuple[float, ...] = ()
    finished: bool = False
    seed: int = 0
    index: int = 0
    prefix: str = ""
    cost: int = 0
    verifier: str = ""
    state: Any = field(default=None, compare=False, repr=False)

    @property
    def full_text(self) -> str:
        """The chain as it reads: what was forced on it, then what was drawn."""
        return self.prefix + self.text

    @property
    def steps(self) -> list[str]:
        """z_1 … z_t: the lines, without their line ends."""
        text = self.full_text.replace("\r\n", "\n")
        return [line.removesuffix("\n") for line in lines(text)]

    @property
    def answer(self) -> str:
        """y: what the chain says the answer is, ``""`` if it says none."""
        from .verify.answers import read_answer

        return read_answer(self.full_text, self.verifier)

    @property
    def logprob(self) -> float:
        """log p(z, y | x) of the drawn tokens."""
        return float(sum(self.logprobs))


def lines(text: str) -> list[str]:
    """The steps of a text, each with its line end: it splits at line feeds only."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def key_of(*parts) -> int:
    """128 bits that stand for ``parts``; the same on every machine."""
    return int.from_bytes(
        hashlib.blake2b(repr(parts).encode(), digest_size=16).digest(), "little"
    )


def uniforms(key: int, start: int, stop: int) -> np.ndarray:
    """Draws ``start`` to ``stop`` of the stream of ``key``, in [0, 1).

    They have 23 bits, so that u times a float32 total never rounds up to the total.
    """
    stream = np.random.Generator(np.random.Philox(key=key)).random(stop)[start:]
    return np.floor(stream * 2**23) / 2**23


def fork_index(chain: Chain, fork: int, child: int) -> int:
    """A new sample index for a child of ``chain``: siblings draw different tokens."""
    return key_of(chain.index, fork, child, len(chain.tokens)) >> 65


def check_sampling(temperature=1.0, top_p=1.0, max_tokens=None, stop=(), n=1):
    """ValueError for sampling arguments that make no sense."""
    if not (temperature == 0 or 1e-3 <= temperature < math.inf):
        raise ValueError(
            f"temperature is {temperature}: must be 0 (the likeliest token) or at "
            "least 0.001"
        )
    if not 0 < top_p <= 1:
        raise ValueError(
            f"top_p is {top_p}: must be above 0 and at most 1 (all tokens); for the "
            "likeliest token set temperature=0"
        )
    if max_tokens is not None and max_tokens < 1:
        raise ValueError(f"max_tokens is {max_tokens}: must be at least 1")
    if n is not None and not (n >= 0 and n == int(n)):
        raise ValueError(f"n is {n}: must be a number of chains")
    if "" in stop:
        raise ValueError("a stop string is empty: it would end every chain at once")
