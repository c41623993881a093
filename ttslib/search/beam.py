"""Search step by step under a guide r: S^t → R: beams and particles. No torch.

A guide is called with problems and chains, one for each, and returns values [chains]
and what they cost in tokens [chains]. A step is a line.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import cycle, islice
from typing import Any, NamedTuple

import numpy as np

from ..chain import Chain, fork_index, key_of, uniforms
from ..guides import AGGREGATE
from ..problems import Problem


@dataclass(frozen=True)
class Node:
    """A chain of the tree that a search draws, and what the guide said of it.

    ``parent`` numbers a node of the same tree (-1: the root), ``value`` is the guide's,
    ``score`` all values on the way here in one, ``kept`` whether it survived,
    ``weight`` the share of the policy's chains that a particle stands for.
    """

    chain: Chain
    parent: int
    value: float
    score: float
    group: int = 0
    weight: float = math.nan
    kept: bool = False


@dataclass(eq=False)
class BeamResult:
    """What a search found for ``problem``, and the tree it drew on the way.

    ``tokens`` were drawn, look-ahead included; ``guided`` is what the guide's values
    cost besides. ``beams`` numbers the nodes that are in, group by group (-1: the
    root); ``live`` holds those of them that can go on, with their KV.
    """

    problem: Any
    n: int
    nodes: list[Node] = field(default_factory=list)
    tokens: int = 0
    guided: int = 0
    beams: list[list[int]] = field(default_factory=list, repr=False)
    live: dict[int, Chain] = field(default_factory=dict, repr=False)

    def path(self, i: int) -> list[Node]:
        return path(self.nodes, i)

    @property
    def leaves(self) -> list[Node]:
        """The finished nodes that are in at the end; a particle as often as it is."""
        at = [i for beam in self.beams for i in beam if i not in self.live]
        return [self.nodes[i] for i in at]

    @property
    def finished(self) -> list[Node]:
        """Every finished node, those that were dropped too: who may vote on the answer.

        A beam of width 1 ends with one chain, but has drawn ``branch`` to their ends.
        """
        return [node for node in self.nodes if node.chain.finished]

    @property
    def finals(self) -> list[Chain]:
        return [node.chain for node in self.leaves]

    @property
    def scores(self) -> list[float]:
        """Of the finals."""
        return [node.score for node in self.leaves]

    @property
    def weights(self) -> list[float]:
        """Of the finals, where they are particles."""
        return [node.weight for node in self.leaves]

    def estimate(self, verify: Callable) -> float:
        """Unbiased p(Ver), by particles: the weight of the finals that pass."""
        passed = [bool(verify(self.problem, chain.answer)) for chain in self.finals]
        return float(np.dot(self.weights, passed))


def path(nodes: list, i: int) -> list:
    """The nodes from the first step to node ``i``."""
    out = []
    while i >= 0:
        out.append(nodes[i])
        i = nodes[i].parent
    return out[::-1]


class Child(NamedTuple):
    """A chain that was just drawn: in whose tree, by which group, after which node."""

    tree: BeamResult
    group: int
    parent: int
    chain: Chain


def beam_search(
    policy,
    problems,
    guide: Callable,
    n: int,
    *,
    branch: int = 4,
    aggregate: str | Callable = "last",
    groups: int = 1,
    lookahead: int = 0,
    resample: bool = False,
    max_steps: int = 40,
    seed: int = 0,
    keep: bool = True,
    **sampling,
) -> list[BeamResult]:
    """Draw ``n`` next steps, keep the ``n // branch`` best by the guide, and go on.

    ``groups`` search apart (DVTS, Beeching et al. 2024); the guide looks ``lookahead``
    steps ahead (Snell et al. 2024, section 5.2); ``resample`` keeps ``n`` particles by
    chance, one child each (Puri et al. 2025). ValueError where the guide says NaN.
    """
    branch = 1 if resample else branch
    aggregate = checked(n, branch, aggregate, groups, lookahead, max_steps)
    width = n // groups // branch  # of a group's beam
    trees = rooted(policy, problems, n, groups, seed)
    extend = partial(policy.extend, keep=keep, **sampling)
    for _ in range(max_steps):
        children = draw_children(extend, trees, width, branch, merge=not resample)
        if not children:
            break  # all are finished, or out of tokens
        values = guide_values(guide, children, look_ahead(extend, children, lookahead))
        for child, value in zip(children, values):
            grow(child, value, aggregate)
        for tree in dict.fromkeys(child.tree for child in children):
            for group in range(groups):
                survive = particles if resample else best
                prune(tree, group, survive(tree, group, width))
    return trees


def checked(n, branch, aggregate, groups, lookahead, max_steps) -> Callable:
    """The aggregate as a function; ValueError for settings that make no sense."""
    whole_numbers(1, n=n, branch=branch, groups=groups, max_steps=max_steps)
    whole_numbers(0, lookahead=lookahead)
    each = branch * groups
    if n % each:
        raise ValueError(
            f"n is {n}: must be a multiple of branch · groups = {branch} · {groups}, "
            f"so that each group keeps as many; the next is {(n // each + 1) * each}"
        )
    if not callable(aggregate) and aggregate not in AGGREGATE:
        raise ValueError(
            f"aggregate is {aggregate!r}: must be one of {', '.join(AGGREGATE)}, or a "
            "function of the list of a chain's values"
        )
    return aggregate if callable(aggregate) else AGGREGATE[aggregate]


def whole_numbers(least: int, **given):
    """ValueError for a setting that is none, or below ``least``."""
    for name, value in given.items():
        if not (value == int(value) and value >= least):
            raise ValueError(
                f"{name} is {value}: must be a whole number, at least {least}"
            )


def rooted(policy, problems, n: int, groups: int, seed: int) -> list[BeamResult]:
    """Trees that are only a root, where every group begins."""
    problems = problems if isinstance(problems, (list, tuple)) else [problems]
    trees = [BeamResult(Problem.of(problem), n) for problem in problems]
    for tree in trees:
        tree.beams = [[-1] for _ in range(groups)]
        tree.live = {-1: policy.start(tree.problem, seed=seed)}
    return trees


def draw_children(
    extend: Callable, trees: list[BeamResult], width: int, branch: int, merge: bool
) -> list[Child]:
    """New children of the live chains, in one call; the finished stay in.

    A group draws ``branch`` for each of its ``width`` places that no finished chain
    holds; where it has fewer live chains (first the root only) they have more each.
    Left out are those whose parent had no tokens left and, with ``merge``, those that
    their group has already.
    """
    places, chains = [], []
    for tree in trees:
        for group, beam in enumerate(tree.beams):
            live = [i for i in beam if i in tree.live]
            tree.beams[group] = [i for i in beam if i not in tree.live]
            count = (width - len(tree.beams[group])) * branch
            parents = sorted(islice(cycle(live), count), key=live.index)
            for child, i in enumerate(parents):
                index = fork_index(tree.live[i], group, child)
                chains.append(replace(tree.live[i], index=index))
                places.append((tree, group, i))
        tree.live = {}
    out, seen = [], set()
    for (tree, group, i), chain in zip(places, extend(chains) if chains else []):
        tree.tokens += chain.cost
        key = (id(tree), group, chain.tokens)
        if (chain.cost or chain.finished) and not (merge and key in seen):
            seen.add(key)
            out.append(Child(tree, group, i, chain))
    return out


def look_ahead(extend: Callable, children: list[Child], steps: int) -> list[Chain]:
    """The children's chains, each drawn ``steps`` steps further."""
    chains = [child.chain for child in children]
    for _ in range(steps):
        chains = extend(chains)
        for child, chain in zip(children, chains):
            child.tree.tokens += chain.cost
    return chains


def guide_values(
    guide: Callable, children: list[Child], chains: list[Chain]
) -> list[float]:
    """What the guide says of each chain: one call, each different chain once."""
    keys = [(id(child.tree), chain.tokens) for child, chain in zip(children, chains)]
    asked: dict = {}
    for key, child, chain in zip(keys, children, chains):
        asked.setdefault(key, (child.tree, chain))
    trees, chains = zip(*asked.values())
    values, tokens = guide([tree.problem for tree in trees], list(chains))
    for tree, cost in zip(trees, tokens, strict=True):
        tree.guided += int(cost)
    said = dict(zip(asked, map(float, values), strict=True))
    return [said[key] for key in keys]


def grow(child: Child, value: float, aggregate: Callable):
    """The child becomes a node of its tree, and is in."""
    tree, group, parent, chain = child
    path = tree.path(parent)
    values = [node.value for node in path] + [value]
    score = a_number(aggregate(values), tree.problem, chain)
    weight = path[-1].weight if path else 1 / tree.n
    tree.beams[group].append(len(tree.nodes))
    if not chain.finished:
        tree.live[len(tree.nodes)] = chain
    chain = replace(chain, state=None)
    tree.nodes.append(Node(chain, parent, value, score, group, weight))


def a_number(value, problem, chain) -> float:
    """ValueError where a guide says NaN."""
    if math.isnan(value):
        raise ValueError(
            f"{problem.id}: the guide's value is not a number "
            f"after {chain.steps[-1:]}: look at how it was trained, or let it give 0 "
            "where it can't tell"
        )
    return float(value)


def best(tree: BeamResult, group: int, width: int) -> list[int]:
    """The ``width`` nodes of the group with the highest score, the first of equals."""
    return sorted(tree.beams[group], key=lambda i: -tree.nodes[i].score)[:width]


def particles(tree: BeamResult, group: int, n: int) -> list[int]:
    """``n`` nodes of the group, each time node i with chance a_i ∝ weight · score.

    Systematic resampling: one uniform, n equal strides. A survivor's weight is divided
    by n · a_i, so that sums over particles expect what they were, whatever the guide
    says, if it says 0 only where nothing right can follow. For the score ``last`` a_i
    is the newest value over the one before (twisted sequential Monte Carlo), for
    ``product`` the newest value alone (Puri et al. 2025, with r for its odds).
    """
    pool = tree.beams[group]
    nodes = [tree.nodes[i] for i in pool]
    mass = np.array([node.weight * node.score for node in nodes])
    if not (np.isfinite(mass).all() and (mass >= 0).all()):
        low, *_, high = sorted([node.score for node in nodes] * 2)
        raise ValueError(
            f"{tree.problem.id}: scores from {low:g} to "
            f"{high:g}, but particles are drawn in proportion to them: let the guide "
            "give 0 or more, such as a probability"
        )
    if not mass.any():
        return []
    total, about = np.cumsum(mass), nodes[0].chain
    key = key_of("resample", about.prompt, about.seed, group, len(tree.nodes))
    strides = (uniforms(key, 0, 1) + np.arange(n)) / n * total[-1]
    at = np.searchsorted(total, strides, side="right").tolist()
    for j in set(at):
        weight = nodes[j].weight * total[-1] / (n * mass[j])
        tree.nodes[pool[j]] = replace(nodes[j], weight=weight)
    return [pool[j] for j in at]


def prune(tree: BeamResult, group: int, survivors: list[int]):
    """Who is in is marked; who is out lets go of its KV."""
    stay = set(survivors)
    for i in set(tree.beams[group]):
        tree.nodes[i] = replace(tree.nodes[i], kept=i in stay)
        if i not in stay:
            tree.live.pop(i, None)
    tree.beams[group] = survivors
