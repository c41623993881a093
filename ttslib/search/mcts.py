"""Monte-Carlo tree search over steps: UCT and PUCT, slides 57 and 58. No torch.

A tree's nodes are chains; a simulation walks from the root to a leaf by a score, draws
next steps there, judges one of them and tells everybody on the way what it was worth.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from ..chain import Chain, fork_index, key_of, uniforms
from ..problems import Problem
from ..verify import verify as automatic
from .beam import a_number, path, whole_numbers


@dataclass(eq=False)
class Node:
    """A chain in the tree, and how the simulations through it ended.

    ``prior`` is p of its newest step, shared out among siblings; ``draws`` counts the
    children that were drawn for it, equal ones too; ``visits`` N and ``wins`` w are the
    simulations through it and the sum of what they were worth; ``evaluation`` is its
    own value; ``in_flight`` simulations are on their way below it; ``closed``: it has
    ended, or has no tokens left.
    """

    chain: Chain
    parent: int = -1
    prior: float = 1.0
    children: list[int] = field(default_factory=list)
    draws: int = 0
    visits: int = 0
    wins: float = 0.0
    evaluation: float = math.nan
    in_flight: int = 0
    closed: bool = False

    @property
    def value(self) -> float:
        """w/N; NaN before the first visit."""
        return self.wins / self.visits if self.visits else math.nan

    @property
    def kept(self) -> bool:
        return self.visits > 0


@dataclass(eq=False)
class Tree:
    """What a search knows of ``problem``. Node -1 is the root.

    ``tokens`` were drawn, roll-outs included; ``guided`` is what the guide's values
    cost besides; ``ended`` are the roll-outs, as whole chains. ``first`` is (tokens,
    guided, simulations) spent when the first chain passed, None before that.
    """

    problem: Any
    root: Node
    nodes: list[Node] = field(default_factory=list)
    tokens: int = 0
    guided: int = 0
    simulations: int = 0
    ended: list[Chain] = field(default_factory=list)
    first: tuple[int, int, int] | None = None

    def at(self, i: int) -> Node:
        return self.nodes[i] if i >= 0 else self.root

    def path(self, i: int) -> list[Node]:
        return path(self.nodes, i)

    def best(self) -> list[Node]:
        """The most visited path: the move that AlphaZero would play, and so on."""
        out, node = [], self.root
        while any(self.nodes[i].visits for i in node.children):
            node = max((self.nodes[i] for i in node.children), key=lambda n: n.visits)
            out.append(node)
        return out

    @property
    def finished(self) -> list[Chain]:
        """Every finished chain, roll-outs too."""
        return [n.chain for n in self.nodes if n.chain.finished] + self.ended


# --- which child next ----------------------------------------------------------------
def ucb(wins: float, visits: int, above: int, alpha: float, prior: float = 1.0):
    """w/N + α √(ln N_parent / N), slide 58 (UCB1 on trees: Kocsis and Szepesvári 2006).

    What was never visited comes first.
    """
    if visits == 0:
        return math.inf
    return wins / visits + alpha * math.sqrt(math.log(above) / visits)


def puct(wins: float, visits: int, above: int, alpha: float, prior: float):
    """w/N + α P √N_parent / (1 + N): AlphaZero's (Silver 2017), 0 for w/N unvisited."""
    mean = wins / visits if visits else 0.0
    return mean + alpha * prior * math.sqrt(above) / (1 + visits)


# --- the search ----------------------------------------------------------------------
def mcts(
    policy,
    problems,
    guide: Callable | None = None,
    *,
    simulations: int = 64,
    tokens: float = math.inf,
    stop: bool = False,
    seed: int = 0,
    **settings,
) -> list[Tree]:
    """A tree a problem, all grown together; the settings are :func:`simulate`'s.

    It has ``simulations`` at most, and ends once ``tokens`` were drawn for it (the last
    round may go beyond), or with ``stop`` at the first chain that passes the verifier.
    """
    if not (simulations >= 1 and simulations % 1 == 0 and tokens > 0):
        raise ValueError(
            f"simulations is {simulations}, tokens {tokens}: a search needs some, and "
            "a whole number of simulations"
        )
    trees = growing = init_trees(policy, problems, seed)
    while growing:
        simulate(policy, growing, guide, limit=simulations, seed=seed, **settings)
        left = []
        for tree in growing:
            spent = tree.simulations >= simulations or tree.tokens >= tokens
            if spent or tree.root.closed or (stop and tree.first):
                release(tree)
            else:
                left.append(tree)
        growing = left
    return trees


def init_trees(policy, problems, seed: int = 0) -> list[Tree]:
    """Trees that are only a root."""
    problems = problems if isinstance(problems, (list, tuple)) else [problems]
    return [Tree(Problem.of(x), Node(policy.start(x, seed=seed))) for x in problems]


def simulate(
    policy,
    trees: list[Tree],
    guide: Callable | None = None,
    *,
    branch: int = 4,
    widen: float = 0.0,
    alpha: float = 1.0,
    score: Callable = ucb,
    parallel: int = 1,
    limit: int | None = None,
    verify: Callable | None = automatic,
    seed: int = 0,
    keep: bool = True,
    **sampling,
):
    """A simulation of each tree, slide 57, or ``parallel`` of them at a time.

    Down by ``score`` with exploration ``alpha`` to a node that was never judged, or
    that wants children: of N visits it is granted max(``branch``, ``widen`` · √N) draws
    of a next step; equal ones are merged. One is judged: by ``guide``, or else by one
    roll-out, and by ``verify`` where it is finished (None: by the guide too); N and w
    are told on the way up. Several under way count as lost until they are back (virtual
    loss). What has ended costs nothing to visit again: with a ``limit`` of simulations
    a tree goes on until one costs something.
    """
    check(branch, widen, alpha, parallel, guide, verify)
    grant = partial(max_children, branch=branch, widen=widen)
    under_way = [
        start for tree in trees for start in start_simulations(tree, parallel, limit)
    ]
    leaves: dict = {}
    while under_way:
        asking = []
        for tree, i in under_way:
            i = descend(tree, i, partial(score, alpha=alpha), grant, limit, seed)
            if i is None:
                continue
            if not needs_evaluation(tree, i):
                asking.append((tree, i))
            elif (tree, i) in leaves:  # another one is there already
                backpropagate(tree, i, in_flight=-1)
            else:
                leaves[tree, i] = None
        expand(partial(policy.extend, keep=keep, **sampling), asking, grant)
        under_way = asking
    evaluate_leaves(policy, list(leaves), guide, verify, seed, sampling)


def check(branch, widen, alpha, parallel, guide, verify):
    """ValueError for settings that make no sense."""
    whole_numbers(1, branch=branch, parallel=parallel)
    for name, value in dict(widen=widen, alpha=alpha).items():
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} is {value}: must be a number, 0 or more")
    if guide is None and verify is None:
        raise ValueError(
            "neither guide nor verify: give one of them, or nothing can be judged"
        )


def start_simulations(
    tree: Tree, parallel: int, limit: int | None
) -> list[tuple[Tree, int]]:
    """As many simulations as there may be at once, at the root."""
    count = parallel if limit is None else min(parallel, limit - tree.simulations)
    tree.root.in_flight += count
    return [(tree, -1)] * count


def max_children(node: Node, branch: int, widen: float) -> int:
    """Draws of a next step that a node may have by now: progressive widening.

    (Coulom 2007; Chaslot 2008.)
    """
    return max(branch, int(widen * math.sqrt(node.visits)))


def needs_evaluation(tree: Tree, i: int) -> bool:
    """The root is judged only where it cannot go on."""
    node = tree.at(i)
    return math.isnan(node.evaluation) and (i >= 0 or node.closed)


def descend(tree: Tree, i: int, score, grant, limit, seed: int) -> int | None:
    """From node ``i`` down to one that is to be judged or wants children.

    At a node that has ended the simulation is over: its value is told again, and
    another one begins, or None is returned at the ``limit``.
    """
    while True:
        node = tree.at(i)
        if needs_evaluation(tree, i):
            return i
        if node.closed:
            backpropagate(tree, i, visits=1, wins=node.evaluation, in_flight=-1)
            if limit is None or tree.simulations + tree.root.in_flight >= limit:
                return None
            i = -1
        elif node.draws < grant(node):
            return i
        else:
            i = pick(tree, node, score, seed)
        tree.at(i).in_flight += 1


def pick(tree: Tree, node: Node, score: Callable, seed: int) -> int:
    """The child with the highest score, of equal ones by chance."""
    above = max(1, node.visits + node.in_flight - 1)  # the one that asks left out
    scores = []
    for i in node.children:
        child = tree.nodes[i]
        n = child.visits + child.in_flight
        scores.append(score(child.wins, n, above, prior=child.prior))
    top = max(scores)
    best = [i for i, s in zip(node.children, scores) if s == top]
    if len(best) == 1:
        return best[0]
    key = key_of("pick", node.chain.prompt, seed, node.chain.index, above, len(scores))
    return best[int(uniforms(key, 0, 1)[0] * len(best))]


def expand(extend: Callable, asking: list[tuple[Tree, int]], grant: Callable):
    """Draws the children that these nodes want, in one call; equal ones are one."""
    places, chains = [], []
    for tree, i in dict.fromkeys(asking):
        node = tree.at(i)
        for child in range(node.draws, grant(node)):
            index = fork_index(node.chain, 0, child)
            chains.append(replace(node.chain, index=index))
            places.append((tree, i))
        node.draws = grant(node)
    for (tree, i), chain in zip(places, extend(chains) if chains else []):
        node = tree.at(i)
        tree.tokens += chain.cost
        known = {tree.nodes[j].chain.tokens for j in node.children}
        if not (chain.cost or chain.finished):
            node.closed = True  # no tokens left: whatever it promised, it is worth 0
            node.evaluation = 0.0 if i >= 0 else node.evaluation
        elif chain.tokens not in known:
            node.children.append(len(tree.nodes))
            if chain.finished:  # nobody goes on from its KV
                chain = replace(chain, state=None)
            tree.nodes.append(Node(chain, i, closed=chain.finished))
    for tree, i in dict.fromkeys(places):
        node, children = tree.at(i), [tree.nodes[j] for j in tree.at(i).children]
        at = len(node.chain.tokens)
        logp = [sum(child.chain.logprobs[at:]) for child in children]
        p = np.exp(np.array(logp) - max(logp, default=0.0))
        for child, share in zip(children, p / p.sum()):
            child.prior = float(share)


def evaluate_leaves(policy, leaves, guide, verify, seed: int, sampling: dict):
    """Each leaf's value, told to all above it; what has ended has its verdict."""
    asked, values = [], {}
    for tree, i in leaves:
        node = tree.at(i)
        if node.closed and not node.chain.finished:
            values[tree, i] = 0.0
        elif node.closed and verify is not None:
            values[tree, i] = passes(tree, node.chain, verify)
        else:
            asked.append((tree, i))
    problems = [tree.problem for tree, _ in asked]
    chains = [tree.at(i).chain for tree, i in asked]
    if guide is not None and asked:
        said = zip(asked, chains, *guide(problems, chains), strict=True)
        for (tree, i), chain, value, cost in said:
            values[tree, i] = a_number(value, tree.problem, chain)
            tree.guided += int(cost)
    elif asked:
        rows = policy.sample(problems, 1, prefix=chains, seed=seed, **sampling)
        for (tree, i), (chain,) in zip(asked, rows):
            tree.tokens += len(chain.tokens)
            tree.ended.append(joined(tree.at(i).chain, chain))
            values[tree, i] = passes(tree, chain, verify)
    for (tree, i), value in values.items():
        tree.at(i).evaluation = value
        backpropagate(tree, i, visits=1, wins=value, in_flight=-1)


def joined(begun: Chain, rest: Chain) -> Chain:
    """A chain and how it went on, as one chain."""
    return replace(
        rest,
        prefix=begun.prefix,
        text=begun.text + rest.text,
        tokens=begun.tokens + rest.tokens,
        logprobs=begun.logprobs + rest.logprobs,
    )


def passes(tree: Tree, chain: Chain, verify: Callable) -> float:
    """The verdict; the first that passes is noted."""
    passed = bool(verify(tree.problem, chain.answer))
    if passed and tree.first is None:
        tree.first = tree.tokens, tree.guided, tree.simulations + 1
    return float(passed)


def backpropagate(
    tree: Tree, i: int, visits: int = 0, wins: float = 0.0, in_flight: int = 0
):
    """Backpropagation: what a simulation was worth, to node ``i`` and all above it."""
    tree.simulations += visits
    while True:
        node = tree.at(i)
        node.visits += visits
        node.wins += wins
        node.in_flight += in_flight
        if i < 0:
            return
        i = node.parent


def kv_bytes(trees: Tree | list[Tree]) -> int:
    """Bytes of KV that are kept so that the open nodes can go on; shared ones once.

    What was drawn together lies in one block, which is kept while anybody needs a row.
    """
    trees = [trees] if isinstance(trees, Tree) else trees
    states, blocks = {}, {}
    for tree in trees:
        for node in [tree.root, *tree.nodes]:
            state = node.chain.state
            while state is not None and id(state) not in states:
                states[id(state)] = state
                blocks[id(state.block)] = state.block.untyped_storage().nbytes()
                state = state.parent
    return sum(blocks.values())


def release(tree: Tree):
    """Lets go of the KV of all nodes."""
    for node in [tree.root, *tree.nodes]:
        node.chain = replace(node.chain, state=None)
