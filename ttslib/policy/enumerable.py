"""A policy that can be enumerated: a finite tree with given probabilities.

It satisfies :class:`ttslib.policy.PolicyProtocol`, can be fitted, and gives exactly
what an estimator approximates: p(y | x), the value of a prefix, pass@k. No torch.
"""

from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np

from ..chain import Chain, check_sampling, fork_index, key_of, lines, uniforms
from ..problems import Problem
from .protocol import spread, summed_logprobs


class Enumerable:
    """p(y, z | x) as one tree a prompt: step → (probability, the tree below it).

    A step is a line with its line end; a chain ends where the tree below is empty.
    Tokens are steps: a chain's tokens number its children, its cost counts its steps.
    ``tie(tree)`` names the choice that a node is: nodes of one name, in all trees, hold
    one set of probabilities, child by child, and learn together. Without it every node
    is a choice of its own.
    """

    adapters, chats = (), False

    def __init__(self, trees: dict[str, dict], tie=id):
        self.trees = self.base = trees
        self.tie = tie
        for prompt, tree in trees.items():
            self.check(prompt, tree)

    def check(self, path: str, tree: dict):
        total = sum(p for p, _ in tree.values())
        if tree and not np.isclose(total, 1):
            raise ValueError(f"after {path!r}: the probabilities sum to {total:g}")
        for step, (_, below) in tree.items():
            self.check(path + step, below)

    def below(self, problem, text: str) -> dict:
        """The subtree after ``text``."""
        prompt = Problem.of(problem).prompt
        if prompt not in self.trees:
            raise ValueError(f"no tree for the prompt {prompt!r}")
        tree = self.trees[prompt]
        for step in lines(text):
            if step not in tree:
                raise ValueError(f"{step!r} has probability 0 after {prompt!r}")
            tree = tree[step][1]
        return tree

    # --- the policy's protocol -----------------------------------------------------
    def sample(self, problems, n, *, prefix="", seed=0, max_tokens=None, **options):
        """``n`` chains for each problem, as :meth:`Policy.sample` draws them."""
        problems, prefixes = spread(problems, prefix)
        check_sampling(n=n)
        for unused in ("fresh", "keep", "progress"):
            options.pop(unused, None)
        out = []
        for x, z in zip(problems, prefixes):
            left = max_tokens
            if isinstance(z, Chain):
                left = max_tokens and max(0, max_tokens - len(z.tokens))
                if z.finished:
                    raise ValueError(
                        f"problem {x.id}: its prefix is a chain that has ended"
                    )
                z = z.full_text
            starts = [self.start(x, prefix=z, seed=seed, index=i) for i in range(n)]
            out.append([self.go_on(chain, left, **options) for chain in starts])
        return out

    def start(self, problem, *, prefix="", seed=0, index=0) -> Chain:
        x = Problem.of(problem)
        about = dict(seed=int(seed), index=int(index), prefix=prefix)
        return Chain(x.prompt, verifier=x.verifier, **about)

    def extend(self, chains, n=None, *, fork=None, max_tokens=None, **options):
        """Extend chains by one step, as :meth:`Policy.extend` does."""
        options.pop("keep", None)
        out, children = [], 1 if n is None else n
        for chain in chains:
            row = [chain] * children
            if n is not None or fork is not None:
                row = [
                    replace(chain, index=fork_index(chain, fork or 0, j))
                    for j in range(children)
                ]
            at = len(chain.tokens) + 1
            at = at if max_tokens is None else min(at, max(max_tokens, at - 1))
            out.append([self.go_on(c, at, **options) for c in row])
        return out if n is not None else [row[0] for row in out]

    def go_on(self, chain: Chain, steps=None, temperature=1.0, top_p=1.0) -> Chain:
        """Draw ``chain`` to its end, or to ``steps`` steps, by its own uniforms."""
        check_sampling(temperature, top_p)
        tree = self.below(chain.prompt, chain.full_text)
        tokens, logprobs, text = list(chain.tokens), list(chain.logprobs), chain.text
        key = key_of(chain.prompt, chain.prefix, chain.seed, chain.index)
        while tree and (steps is None or len(tokens) < steps):
            p = probabilities(tree, temperature, top_p)
            u = uniforms(key, len(tokens), len(tokens) + 1)[0]
            at = int(np.searchsorted(np.cumsum(p), u * p.sum(), side="right"))
            step = list(tree)[at]
            logprobs.append(float(np.log(tree[step][0])))
            tokens.append(at)
            text, tree = text + step, tree[step][1]
        return replace(
            chain,
            text=text,
            tokens=tuple(tokens),
            logprobs=tuple(logprobs),
            finished=not tree,
            cost=len(tokens) - len(chain.tokens),
        )

    def ends(self, chain) -> list[int]:
        """Where each step ends: every token is a step."""
        return list(range(len(chain.tokens)))

    def step_texts(self, chain) -> list[str]:
        """The text of each step of ``chain``."""
        return lines(chain.text)

    def head(self, chain, t: int) -> Chain:
        """The first ``t`` steps of ``chain``, as a chain that goes on."""
        return replace(
            chain,
            text="".join(lines(chain.text)[:t]),
            tokens=chain.tokens[:t],
            logprobs=chain.logprobs[:t],
            finished=False,
        )

    def logprob(self, problems, texts, *, prefix=""):
        """log p of each step of ``texts``, strings or chains."""
        out = []
        problems, prefixes = spread(problems, prefix)
        for problem, before, text in zip(problems, prefixes, texts, strict=True):
            before = text.prefix if isinstance(text, Chain) else before
            tree, logp = self.below(problem, before), []
            after = text.text if isinstance(text, Chain) else text
            for step in lines(after):
                logp.append(float(np.log(tree[step][0])) if step in tree else -np.inf)
                tree = tree[step][1] if step in tree else {}
            out.append(tuple(logp))
        return out

    def next_logprobs(self, problems, prefixes, texts) -> np.ndarray:
        """log p of each of ``texts`` behind each prefix: [prefixes, texts]."""
        return summed_logprobs(self, problems, prefixes, texts)

    def pieces(self, text: str, after: tuple = ()) -> tuple[str, ...]:
        """``text`` in tokens, which are its steps."""
        return tuple(lines(text))

    # --- learning ------------------------------------------------------------------
    def attach(self, name=None, **options):
        """Forget what :meth:`fit` learned."""
        self.trees = self.base

    switch = attach

    def length(self, problem, chain) -> int:
        """The number of a chain's steps, forced ones too."""
        return len(chain.steps)

    def fit(self, examples, **options) -> list[float]:
        """The exact M-step: argmax_θ Σ w log p(z, y | x; θ), by counting.

        ``examples`` are (problem, chain[, weight]). A choice's probabilities become the
        shares of its counts; one that no example makes stays as it is. Returns the mean
        loss before and after.
        """
        if not examples:
            raise ValueError("no examples to train on")
        examples = [(x, chain, *(w or [1.0])) for x, chain, *w in examples]
        counts: dict = defaultdict(Counter)
        for problem, chain, weight in examples:
            tree = self.below(problem, "")
            for step in lines(chain.full_text):
                counts[self.tie(tree)][list(tree).index(step)] += weight
                tree = tree[step][1]

        def learned(tree):
            if not tree:
                return tree
            found = counts[self.tie(tree)]
            total = sum(found.values())
            return {
                step: (found[i] / total if total else p, learned(below))
                for i, (step, (p, below)) in enumerate(tree.items())
            }

        before = self.loss(examples)
        self.trees = {prompt: learned(tree) for prompt, tree in self.trees.items()}
        return [before, self.loss(examples)]

    def loss(self, examples) -> float:
        """Weighted mean of -log p(z, y | x)."""
        logp = self.logprob(*zip(*[(x, chain) for x, chain, _ in examples]))
        weights = [w for *_, w in examples]
        return -float(np.average([sum(p) for p in logp], weights=weights))

    # --- exact values that a sampler can only estimate -------------------------------
    def chains(self, problem, prefix="", *, temperature=1.0, top_p=1.0):
        """Every (chain after ``prefix``, its probability)."""

        def walk(tree, text, p):
            if not tree:
                yield replace(start, text=text, finished=True), p
                return
            q = probabilities(tree, temperature, top_p)
            for (step, (_, below)), share in zip(tree.items(), q / q.sum()):
                if share:
                    yield from walk(below, text + step, p * share)

        start = self.start(problem, prefix=prefix)
        return list(walk(self.below(problem, prefix), "", 1.0))

    def answers(self, problem, prefix="", **options) -> dict[str, float]:
        """p(y | x, prefix) for each answer y: the sum over chains z that give it."""
        out: dict[str, float] = defaultdict(float)
        for chain, p in self.chains(problem, prefix, **options):
            out[chain.answer] += p
        return dict(sorted(out.items(), key=lambda item: -item[1]))

    def value(self, problem, verify, prefix="", **options) -> float:
        """E[Ver(y)] over the ways to go on from ``prefix``."""
        found = self.answers(problem, prefix, **options)
        return sum(p for y, p in found.items() if verify(problem, y))

    def pass_at_k(self, problem, verify, k, **options):
        """1 - (1 - p)^k, where p is the probability of a right answer."""
        return 1 - (1 - self.value(problem, verify, **options)) ** np.asarray(k)


def probabilities(tree: dict, temperature=1.0, top_p=1.0) -> np.ndarray:
    """p of each child at a temperature, 0 outside the nucleus (not rescaled)."""
    p = np.array([p for p, _ in tree.values()])
    if temperature == 0:
        return np.eye(len(p))[p.argmax()]
    p = p ** (1 / temperature)
    p /= p.sum()
    order = np.argsort(-p, kind="stable")
    before = np.cumsum(p[order]) - p[order]
    p[order[before >= top_p]] = 0
    return p
