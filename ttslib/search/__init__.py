"""Search: how a policy's chains and a judge of them make one answer. No torch."""

from .beam import BeamResult, Node, beam_search
from .choose import ballot, best_of_n, majority_vote, rejection_sample, weighted_vote
from .mcts import Tree, init_trees, kv_bytes, mcts, puct, simulate, ucb

__all__ = [
    "BeamResult",
    "Node",
    "Tree",
    "ballot",
    "beam_search",
    "best_of_n",
    "kv_bytes",
    "majority_vote",
    "mcts",
    "init_trees",
    "puct",
    "rejection_sample",
    "simulate",
    "ucb",
    "weighted_vote",
]
