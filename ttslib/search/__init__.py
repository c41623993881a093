"""Search: how a policy's chains and a judge of them make one answer. No torch."""

from .beam import Found, Node, beam_search
from .choose import ballot, best_of_n, majority_vote, rejection_sample, weighted_vote

__all__ = [
    "Found",
    "Node",
    "ballot",
    "beam_search",
    "best_of_n",
    "majority_vote",
    "rejection_sample",
    "weighted_vote",
]
