"""Search: how a policy's chains and a judge of them make one answer. No torch.

``choose`` has votes and best-of-N, ``nodes`` the tree that ``beam``, ``particles`` and
``mcts`` draw step by step.
"""

from .beam import BeamResult, beam_search
from .choose import ballot, best_of_n, majority_vote, rejection_sample, weighted_vote
from .mcts import kv_bytes, mcts, puct, simulate, ucb
from .nodes import Node, Tree, init_trees

__all__ = [
    "BeamResult",
    "Node",
    "Tree",
    "ballot",
    "beam_search",
    "best_of_n",
    "init_trees",
    "kv_bytes",
    "majority_vote",
    "mcts",
    "puct",
    "rejection_sample",
    "simulate",
    "ucb",
    "weighted_vote",
]
