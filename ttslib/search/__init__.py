"""Search: how a policy's chains and a judge of them make one answer. No torch."""

from .choose import ballot, best_of_n, majority_vote, rejection_sample

__all__ = ["ballot", "best_of_n", "majority_vote", "rejection_sample"]
