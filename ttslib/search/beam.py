"""Search step by step under a guide r: S^t → R: beams, subtrees, look-ahead. No torch.

A guide is called with problems and chains, one for each, and returns values [chains]
and what they cost in tokens [chains]. A step is a line.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import cycle, islice
from typing import NamedTuple

import numpy as np

from ..chain import Chain, fork_index
from ..guides import AGGREGATE
from .nodes import Node, Tree, a_number, init_trees, whole_numbers
from .particles import particles


@dataclass(eq=False)
class BeamResult(Tree):
    """What a search by beams or particles found, and the tree it drew on the way.

    ``n`` steps were drawn a round. ``beams`` numbers the nodes that are in, group by
    group; ``live`` holds those of them that can go on, with their KV.
    """

    n: int = 0
    beams: list[list[int]] = field(default_factory=list, repr=False)
    live: dict[int, Chain] = field(default_factory=dict, repr=False)

    @property
    def leaves(self) -> list[Node]:
        """The finished nodes that are in at the end; a particle as often as it is.

        A beam of width 1 ends with one; ``ends`` has all that were drawn to their ends.
        """
        at = [i for beam in self.beams for i in beam if i not in self.live]
        return [self.nodes[i] for i in at]

    @property
    def finals(self) -> list[Chain]:
        """The chains of the leaves; none where every chain ran out of tokens."""
        return [node.chain for node in self.leaves]

    @property
    def scores(self) -> list[float]:
        """The scores of the leaves."""
        return [node.score for node in self.leaves]

    @property
    def weights(self) -> list[float]:
        """The weights of the leaves, where they are particles."""
        return [node.weight for node in self.leaves]

    def estimate(self, verify: Callable) -> float:
        """Unbiased p(Ver), by particles: the weight of the finals that pass."""
        passed = [bool(verify(self.problem, chain.answer)) for chain in self.finals]
        return float(np.dot(self.weights, passed))


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
    trees = init_beams(policy, problems, n, groups, seed)
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


def init_beams(policy, problems, n: int, groups: int, seed: int) -> list[BeamResult]:
    """Trees that are only a root, where every group begins."""
    trees = init_trees(policy, problems, seed, BeamResult, n=n)
    for tree in trees:
        tree.beams = [[0] for _ in range(groups)]
        tree.live = {0: tree.root.chain}
    return trees


def draw_children(
    extend: Callable, trees: list[BeamResult], width: int, branch: int, merge: bool
) -> list[Child]:
    """New children of the live chains, drawn in one call; finished chains stay in.

    Left out are those whose parent had no tokens left and, with ``merge``, those that
    their group has already.
    """
    asked = [want for tree in trees for want in wanted(tree, width, branch)]
    chains = extend([want.chain for want in asked]) if asked else []
    out, seen = [], set()
    for (tree, group, parent, _), chain in zip(asked, chains):
        tree.tokens += chain.cost
        key = (id(tree), group, chain.tokens)
        if (chain.cost or chain.finished) and not (merge and key in seen):
            seen.add(key)
            out.append(Child(tree, group, parent, chain))
    return out


def wanted(tree: BeamResult, width: int, branch: int) -> list[Child]:
    """The children to draw, each with its parent's chain; only finished nodes stay in.

    A group draws ``branch`` for each of its ``width`` places that no finished chain
    holds; where it has fewer live chains (first the root only) they have more each.
    """
    out = []
    for group, beam in enumerate(tree.beams):
        live = [i for i in beam if i in tree.live]
        tree.beams[group] = [i for i in beam if i not in tree.live]
        count = (width - len(tree.beams[group])) * branch
        parents = sorted(islice(cycle(live), count), key=live.index)
        for number, i in enumerate(parents):
            index = fork_index(tree.live[i], group, number)
            out.append(Child(tree, group, i, replace(tree.live[i], index=index)))
    tree.live = {}
    return out


def look_ahead(extend: Callable, children: list[Child], steps: int) -> list[Chain]:
    """The children's chains, each drawn ``steps`` steps further."""
    chains = [child.chain for child in children]
    for _ in range(steps):
        chains = extend(chains)
        for child, chain in zip(children, chains):
            child.tree.tokens += chain.cost
    return chains


def guide_values(guide: Callable, children: list[Child], chains: list[Chain]) -> list:
    """The guide's value of each chain: one call, each different chain once."""
    keys = [(id(child.tree), chain.tokens) for child, chain in zip(children, chains)]
    asked: dict = {}
    for key, child, chain in zip(keys, children, chains):
        asked.setdefault(key, (child.tree, chain))
    trees, chains = zip(*asked.values())
    values, tokens = guide([tree.problem for tree in trees], list(chains))
    for tree, cost in zip(trees, tokens, strict=True):
        tree.guided += int(cost)
    known = dict(zip(asked, map(float, values), strict=True))
    return [known[key] for key in keys]


def grow(child: Child, value: float, aggregate: Callable):
    """The child becomes a node of its tree, and is in."""
    tree, group, parent, chain = child
    path = tree.path(parent)
    values = [node.evaluation for node in path] + [a_number(value, tree.problem, chain)]
    score = a_number(aggregate(values), tree.problem, chain)
    weight = path[-1].weight if path else 1 / tree.n
    node = Node(replace(chain, state=None), parent, evaluation=values[-1])
    node.score, node.group, node.weight = score, group, weight
    at = tree.add(node)
    tree.beams[group].append(at)
    if not chain.finished:
        tree.live[at] = chain


def best(tree: BeamResult, group: int, width: int) -> list[int]:
    """The ``width`` nodes of the group with the highest score, the first of equals."""
    return sorted(tree.beams[group], key=lambda i: -tree.nodes[i].score)[:width]


def prune(tree: BeamResult, group: int, survivors: list[int]):
    """Mark the survivors as kept; release the KV of the nodes that were dropped."""
    stay = set(survivors)
    for i in set(tree.beams[group]):
        tree.nodes[i].kept = i in stay
        if i not in stay:
            tree.live.pop(i, None)
    tree.beams[group] = survivors
