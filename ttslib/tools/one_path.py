"""llm-reasoners' MCTS drives our policy, one path of one problem at a time.

What ``make bench`` measures our tree search against.
The policy is the same and so is what it is spared: a state is a chain with its kept KV,
a node's children are drawn in one batch, equal ones are merged, as llm-reasoners' own
examples do. The search is llm-reasoners' with its defaults: down by
Q + w_exp √(ln N_parent / N), then it simulates within the tree: expands node after
node, going to the child of the highest fast reward, down to an answer.
"""

from reasoners import Reasoner, SearchConfig, WorldModel
from reasoners.algorithm import MCTS

from ..verify import verify


class Steps(WorldModel):
    """A state is a chain; an action is the same chain one step further."""

    def __init__(self, policy, seed: int):
        super().__init__()
        self.policy, self.seed = policy, seed

    def init_state(self):
        return self.policy.start(self.example, seed=self.seed)

    def step(self, state, action):
        return action, {}

    def is_terminal(self, state) -> bool:
        return state.finished


class Sampled(SearchConfig):
    """Actions are ``branch`` sampled steps; an answer earns the verifier's verdict.

    A ``guide``'s value is the fast reward, which says what to try first.
    """

    def __init__(self, policy, branch: int, guide=None, **sampling):
        super().__init__()
        self.policy, self.branch, self.sampling = policy, branch, sampling
        self.guide, self.tokens = guide, 0

    def get_actions(self, state) -> list:
        (children,) = self.policy.extend([state], self.branch, **self.sampling)
        self.tokens += sum(child.cost for child in children)
        drawn = [child for child in children if child.cost]
        return list({child.tokens: child for child in drawn}.values())

    def fast_reward(self, state, action):
        if self.guide is None:
            return 0.0, {}
        return float(self.guide([self.example], [action])[0][0]), {}

    def reward(self, state, action, **_):
        passed = action.finished and verify(self.example, action.answer)
        return float(bool(passed)), {}


def search(policy, problems, simulations, *, branch=4, depth=12, seed=0, **options):
    """(nodes, tokens drawn) of trees of these problems, one after the other.

    ``depth`` limits a path's steps; the options are :class:`Sampled`'s.
    """
    world, config = Steps(policy, seed), Sampled(policy, branch, **options)
    nodes = 0
    for problem in problems:
        algorithm = MCTS(n_iters=simulations, depth_limit=depth)
        nodes += size(Reasoner(world, config, algorithm)(problem).tree_state)
    return nodes, config.tokens


def size(node) -> int:
    """Nodes of llm-reasoners' tree from ``node`` on."""
    return 1 + sum(map(size, node.children or []))
