"""Search: how a policy's chains and a judge of them make one answer. No torch."""

from .beam import Found, Node, beam_search
from .choose import ballot, best_of_n, majority_vote, rejection_sample, weighted_vote
from .mcts import Tree, held, mcts, plant, puct, simulate, ucb

__all__ = [
    "Found",
    "Node",
    "Tree",
    "ballot",
    "beam_search",
    "best_of_n",
    "held",
    "majority_vote",
    "mcts",
    "plant",
    "puct",
    "rejection_sample",
    "simulate",
    "ucb",
    "weighted_vote",
]
