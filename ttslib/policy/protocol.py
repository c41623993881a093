"""What a search or a guide asks of a policy, whatever kind it is. No torch."""

from collections.abc import Collection
from typing import Protocol, runtime_checkable

import numpy as np

from ..chain import Chain
from ..problems import Problem


@runtime_checkable
class PolicyProtocol(Protocol):
    """p(y, z | x; θ) as a search or a guide sees it.

    A problem is a :class:`Problem` or a bare prompt. :class:`LanguageModel` and
    :class:`Enumerable` satisfy this; ``isinstance`` looks for the names only.
    """

    adapters: Collection[str]  # the names of its LoRA adapters
    chats: bool  # is it asked in turns of a user (by ``user_turn``)?

    def sample(self, problems, n: int, *, prefix="", seed=0, **sampling) -> list:
        """``n`` chains for each problem, behind its prefix: [problems][n]."""

    def start(self, problem, *, prefix="", seed: int = 0, index: int = 0) -> Chain:
        """The empty chain, where step-by-step search begins."""

    def extend(self, chains, n=None, *, fork=None, keep=True, **sampling) -> list:
        """Each chain one step further; with ``n``, a list of n children for each."""

    def logprob(self, problems, texts, *, prefix="") -> list[tuple[float, ...]]:
        """log p of each token of ``texts``, which are strings or chains."""

    def next_logprobs(self, problems, prefixes, texts) -> np.ndarray:
        """log p of each of ``texts`` behind each prefix: [prefixes, texts]."""

    def ends(self, chain: Chain) -> list[int]:
        """Where in ``chain.tokens`` each of its steps ends: [steps]."""

    def step_texts(self, chain: Chain) -> list[str]:
        """The text of each of its steps: [steps]; together they are its text."""

    def head(self, chain: Chain, t: int) -> Chain:
        """The first ``t`` steps of ``chain``, as a chain that goes on."""

    def pieces(self, text: str, after: tuple = ()) -> tuple:
        """``text`` in the policy's tokens, which is what a reader is charged for."""


def spread(problems, prefix) -> tuple[list[Problem], list]:
    """One prefix for each problem; ``prefix`` is one for all, or a list."""
    problems = [problems] if isinstance(problems, (str, Problem)) else problems
    problems = [Problem.of(python_str(x)) for x in problems]
    one = isinstance(prefix, (str, Chain))
    prefixes = [prefix] * len(problems) if one else prefix
    prefixes = [python_str(z) for z in prefixes]
    if len(prefixes) != len(problems):
        raise ValueError(f"{len(problems)} problems but {len(prefixes)} prefixes")
    return problems, prefixes


def python_str(text):
    """numpy's strings as Python's, as keys are made of their repr."""
    return str(text) if isinstance(text, str) else text


def summed_logprobs(policy, problems, prefixes, texts) -> np.ndarray:
    """``policy.next_logprobs`` by ``policy.logprob``: one call for each text."""
    out = np.zeros((len(prefixes), len(texts)))
    for column, text in zip(out.T, texts):
        rows = policy.logprob(problems, [text] * len(prefixes), prefix=prefixes)
        column[:] = [sum(row) for row in rows]
    return out
