"""The tree that a search draws: one Node and one Tree for beams, particles and MCTS.

Node 0 is the root, the problem before its first step. No torch.
"""

import math
from dataclasses import dataclass, field

from ..chain import Chain
from ..problems import Problem


@dataclass(eq=False)
class Node:
    """A chain in the tree, and what the search knows of it.

    ``parent`` and ``children`` number nodes of the same tree (the root's parent is -1).
    ``evaluation`` is what the guide, a roll-out or the verifier gave it (NaN: not
    asked); ``kept``: a beam kept it, or a simulation visited it.

    Beam search: ``score`` is all evaluations on the way here in one, ``group`` the
    subtree it belongs to, ``weight`` the share of the policy's chains that a particle
    stands for.

    MCTS: ``prior`` is p of its newest step, normalised over its siblings; ``draws``
    counts the children drawn for it, equal ones too; ``visits`` N and ``wins`` w are
    the simulations through it and the sum of their values; ``in_flight`` simulations
    have not come back yet; ``closed``: it is finished, or has no tokens left.
    """

    chain: Chain
    parent: int = -1
    children: list[int] = field(default_factory=list)
    evaluation: float = math.nan
    kept: bool = False
    score: float = math.nan
    group: int = 0
    weight: float = math.nan
    prior: float = 1.0
    draws: int = 0
    visits: int = 0
    wins: float = 0.0
    in_flight: int = 0
    closed: bool = False

    @property
    def value(self) -> float:
        """w/N where simulations came by, else the node's own evaluation."""
        return self.wins / self.visits if self.visits else self.evaluation


@dataclass(eq=False)
class Tree:
    """What a search drew for ``problem``; node 0 is the root.

    ``tokens`` were drawn, roll-outs and look-ahead included; ``guided`` is what the
    guide's evaluations cost besides. MCTS counts its ``simulations``, keeps its
    ``rollouts`` as whole chains, and notes in ``first`` what it had spent (tokens,
    guided, simulations) when the first chain passed, None before that.
    """

    problem: Problem
    nodes: list[Node] = field(default_factory=list)
    tokens: int = 0
    guided: int = 0
    simulations: int = 0
    rollouts: list[Chain] = field(default_factory=list)
    first: tuple[int, int, int] | None = None

    @property
    def root(self) -> Node:
        return self.nodes[0]

    @property
    def drawn(self) -> list[Node]:
        """Every node but the root."""
        return self.nodes[1:]

    @property
    def ends(self) -> list[Node]:
        """Every finished node, dropped ones too."""
        return [node for node in self.drawn if node.chain.finished]

    @property
    def finished(self) -> list[Chain]:
        """Every finished chain, dropped ones and roll-outs too: all that may vote."""
        return [node.chain for node in self.ends] + self.rollouts

    def add(self, node: Node) -> int:
        """The number of ``node``, a new child of its parent."""
        self.nodes.append(node)
        if node.parent >= 0:
            self.nodes[node.parent].children.append(len(self.nodes) - 1)
        return len(self.nodes) - 1

    def path(self, i: int) -> list[Node]:
        """The nodes from the first step to node ``i``."""
        out = []
        while i > 0:
            out.append(self.nodes[i])
            i = self.nodes[i].parent
        return out[::-1]

    def best(self) -> list[Node]:
        """The most visited path: the move that AlphaZero would play, and so on."""
        out, node = [], self.root
        while any(self.nodes[i].visits for i in node.children):
            node = max((self.nodes[i] for i in node.children), key=lambda n: n.visits)
            out.append(node)
        return out


def init_trees(policy, problems, seed: int = 0, kind=Tree, **about) -> list:
    """A tree for each problem (or prompt) that is only a root."""
    problems = problems if isinstance(problems, (list, tuple)) else [problems]
    return [
        kind(Problem.of(x), [Node(policy.start(x, seed=seed), kept=True)], **about)
        for x in problems
    ]


# --- what a search checks ------------------------------------------------------------
def whole_numbers(least: int, **given):
    """ValueError for a setting that is no whole number, or below ``least``."""
    for name, value in given.items():
        if not (value == int(value) and value >= least):
            raise ValueError(
                f"{name} is {value}: must be a whole number, at least {least}"
            )


def a_number(value, problem, chain: Chain) -> float:
    """``value`` as a float; ValueError where a guide gives NaN."""
    if math.isnan(value):
        raise ValueError(
            f"{problem.id}: the guide's value is not a number after "
            f"{chain.steps[-1:]}: look at how it was trained, or let it give 0 where "
            "it can't tell"
        )
    return float(value)
