"""Monte-Carlo tree search over steps: UCT and PUCT, slides 57 and 58. No torch.

A tree's nodes are chains. A simulation walks from the root to a leaf by a score, draws
next steps there, evaluates one of them, and adds its value to every node on the way.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from ..chain import Chain, fork_index, key_of, uniforms
from ..verify import verify as automatic
from .nodes import Node, Tree, a_number, init_trees, whole_numbers


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
    trees = growing = init_trees(policy, problems, seed=seed)
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

    Select: down by ``score`` with exploration ``alpha``, to a node that was never
    evaluated or may have more children: after N visits max(``branch``, ``widen`` · √N)
    draws of a next step. Expand: draw them; equal ones are merged. Evaluate: by
    ``guide``, or else by one roll-out, and by ``verify`` where a chain is finished
    (None: by the guide too). Backpropagate N and w. Simulations that have not come back
    count as lost until then (virtual loss). A finished node costs nothing to visit
    again: with a ``limit`` of simulations a tree goes on until one costs something.
    """
    check(branch, widen, alpha, parallel, guide, verify)
    rule = partial(score, alpha=alpha)
    allowed = partial(max_children, branch=branch, widen=widen)
    extend = partial(policy.extend, keep=keep, **sampling)
    walks = [
        walk for tree in trees for walk in start_simulations(tree, parallel, limit)
    ]
    leaves: dict = {}
    while walks:
        walks = select(walks, leaves, rule, allowed, limit, seed)
        expand(extend, walks, allowed)
    values = evaluate_leaves(policy, list(leaves), guide, verify, seed, sampling)
    for (tree, i), value in values.items():
        tree.nodes[i].evaluation = value
        backpropagate(tree, i, visits=1, wins=value, in_flight=-1)


def check(branch, widen, alpha, parallel, guide, verify):
    """ValueError for settings that make no sense."""
    whole_numbers(1, branch=branch, parallel=parallel)
    for name, value in dict(widen=widen, alpha=alpha).items():
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} is {value}: must be a number, 0 or more")
    if guide is None and verify is None:
        raise ValueError(
            "neither guide nor verify: give one of them, or nothing can be evaluated"
        )


def start_simulations(tree: Tree, parallel: int, limit: int | None) -> list[tuple]:
    """As many simulations as may run at once, at the root: (tree, node) of each."""
    count = parallel if limit is None else min(parallel, limit - tree.simulations)
    tree.root.in_flight += count
    return [(tree, 0)] * count


# --- select --------------------------------------------------------------------------
def select(walks, leaves: dict, rule, allowed, limit, seed: int) -> list[tuple]:
    """Take each walk (tree, node) down; returns those that wait for new children.

    Those that come to a node without an evaluation are noted in ``leaves``.
    """
    waiting = []
    for tree, i in walks:
        i = descend(tree, i, rule, allowed, limit, seed)
        if i is None:
            continue
        if not needs_evaluation(tree, i):
            waiting.append((tree, i))
        elif (tree, i) in leaves:  # another walk is there already
            backpropagate(tree, i, in_flight=-1)
        else:
            leaves[tree, i] = None
    return waiting


def descend(tree: Tree, i: int, rule, allowed, limit, seed: int) -> int | None:
    """From node ``i`` down to one that needs an evaluation, or may have more children.

    At a closed node the simulation is over: its value is backpropagated again, and
    another simulation begins, or None is returned at the ``limit``.
    """
    while True:
        node = tree.nodes[i]
        if needs_evaluation(tree, i):
            return i
        if node.closed:
            backpropagate(tree, i, visits=1, wins=node.evaluation, in_flight=-1)
            if limit is None or tree.simulations + tree.root.in_flight >= limit:
                return None
            i = 0
        elif node.draws < allowed(node):
            return i
        else:
            i = best_child(tree, node, rule, seed)
        tree.nodes[i].in_flight += 1


def needs_evaluation(tree: Tree, i: int) -> bool:
    """Was the node never evaluated? The root is only where it cannot go on."""
    node = tree.nodes[i]
    return math.isnan(node.evaluation) and (i > 0 or node.closed)


def best_child(tree: Tree, node: Node, rule: Callable, seed: int) -> int:
    """The child with the highest score, of equal ones by chance."""
    above = max(1, node.visits + node.in_flight - 1)  # without the walk that asks
    scores = []
    for i in node.children:
        child = tree.nodes[i]
        n = child.visits + child.in_flight
        scores.append(rule(child.wins, n, above, prior=child.prior))
    top = max(scores)
    best = [i for i, s in zip(node.children, scores) if s == top]
    if len(best) == 1:
        return best[0]
    key = key_of("pick", node.chain.prompt, seed, node.chain.index, above, len(scores))
    return best[int(uniforms(key, 0, 1)[0] * len(best))]


# --- expand --------------------------------------------------------------------------
def max_children(node: Node, branch: int, widen: float) -> int:
    """Draws of a next step that a node may have by now: progressive widening.

    (Coulom 2007; Chaslot 2008.)
    """
    return max(branch, int(widen * math.sqrt(node.visits)))


def expand(extend: Callable, waiting: list[tuple], allowed: Callable):
    """Draw the children that these nodes may have, in one call; equal ones are one."""
    parents = list(dict.fromkeys(waiting))
    places, chains = [], []
    for tree, i in parents:
        node = tree.nodes[i]
        for child in range(node.draws, allowed(node)):
            index = fork_index(node.chain, 0, child)
            chains.append(replace(node.chain, index=index))
            places.append((tree, i))
        node.draws = allowed(node)
    for (tree, i), chain in zip(places, extend(chains) if chains else []):
        node = tree.nodes[i]
        tree.tokens += chain.cost
        known = {tree.nodes[j].chain.tokens for j in node.children}
        if not (chain.cost or chain.finished):
            node.closed = True  # no tokens left: whatever it promised, it is worth 0
            node.evaluation = 0.0 if i > 0 else node.evaluation
        elif chain.tokens not in known:
            if chain.finished:  # nothing goes on from its KV
                chain = replace(chain, state=None)
            tree.add(Node(chain, i, closed=chain.finished))
    for tree, i in parents:
        share_priors(tree.nodes[i], [tree.nodes[j] for j in tree.nodes[i].children])


def share_priors(node: Node, children: list[Node]):
    """p of each child's newest step, normalised over the children."""
    at = len(node.chain.tokens)
    logp = [sum(child.chain.logprobs[at:]) for child in children]
    p = np.exp(np.array(logp) - max(logp, default=0.0))
    for child, share in zip(children, p / p.sum()):
        child.prior = float(share)


# --- evaluate, backpropagate ---------------------------------------------------------
def evaluate_leaves(policy, leaves, guide, verify, seed: int, sampling: dict) -> dict:
    """The value of each leaf (tree, node); a finished chain has its verdict."""
    asked, values = [], {}
    for tree, i in leaves:
        node = tree.nodes[i]
        if node.closed and not node.chain.finished:
            values[tree, i] = 0.0
        elif node.closed and verify is not None:
            values[tree, i] = passes(tree, node.chain, verify)
        else:
            asked.append((tree, i))
    problems = [tree.problem for tree, _ in asked]
    chains = [tree.nodes[i].chain for tree, i in asked]
    if guide is not None and asked:
        found = zip(asked, chains, *guide(problems, chains), strict=True)
        for (tree, i), chain, value, cost in found:
            values[tree, i] = a_number(value, tree.problem, chain)
            tree.guided += int(cost)
    elif asked:
        rows = policy.sample(problems, 1, prefix=chains, seed=seed, **sampling)
        for (tree, i), (chain,) in zip(asked, rows):
            tree.tokens += len(chain.tokens)
            tree.rollouts.append(joined(tree.nodes[i].chain, chain))
            values[tree, i] = passes(tree, chain, verify)
    return values


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
    """The verdict; the first chain that passes is noted."""
    passed = bool(verify(tree.problem, chain.answer))
    if passed and tree.first is None:
        tree.first = tree.tokens, tree.guided, tree.simulations + 1
    return float(passed)


def backpropagate(tree: Tree, i: int, visits=0, wins=0.0, in_flight=0):
    """Add what a simulation was worth to node ``i`` and all above it."""
    tree.simulations += visits
    while i >= 0:
        node = tree.nodes[i]
        node.visits += visits
        node.wins += wins
        node.in_flight += in_flight
        node.kept = node.visits > 0
        i = node.parent


# --- memory --------------------------------------------------------------------------
def kv_bytes(trees: Tree | list[Tree]) -> int:
    """Bytes of KV that are kept so that the open nodes can go on; shared ones once.

    What was drawn together lies in one block, which is kept while any row is needed.
    """
    trees = [trees] if isinstance(trees, Tree) else trees
    states, blocks = {}, {}
    for node in (node for tree in trees for node in tree.nodes):
        state = node.chain.state
        while state is not None and id(state) not in states:
            states[id(state)] = state
            blocks[id(state.block)] = state.block.untyped_storage().nbytes()
            state = state.parent
    return sum(blocks.values())


def release(tree: Tree):
    """Let go of the KV of all nodes."""
    for node in tree.nodes:
        node.chain = replace(node.chain, state=None)
