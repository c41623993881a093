"""Learning from what a verifier says: guess and check, policy gradients.

Both begin at the base, train an adapter of the policy and return ledgers of what was
drawn, asked and trained on.
"""

from .em import (
    above,
    bound,
    capped,
    confidence,
    confident,
    different,
    draw,
    e_step,
    guess_and_check,
    hindsight,
    hinted,
    likeliest,
    m_step,
    posterior,
    variants,
    verified,
    voted,
    warn_if_idle,
)
from .expert import expert_iteration, outcomes
from .preference import dpo, dpo_loss, loglikelihood, pairs, tree_pairs
from .reinforce import (
    METHODS,
    against_batch,
    against_group,
    clipped,
    divergence,
    gradient_step,
    improve,
    score_function,
    trl_reward,
)
from .v_star import v_star

__all__ = [
    "METHODS",
    "above",
    "against_batch",
    "against_group",
    "bound",
    "capped",
    "clipped",
    "confidence",
    "confident",
    "different",
    "divergence",
    "dpo",
    "dpo_loss",
    "draw",
    "e_step",
    "expert_iteration",
    "gradient_step",
    "guess_and_check",
    "hindsight",
    "hinted",
    "improve",
    "likeliest",
    "loglikelihood",
    "m_step",
    "outcomes",
    "pairs",
    "posterior",
    "score_function",
    "tree_pairs",
    "trl_reward",
    "v_star",
    "variants",
    "verified",
    "voted",
    "warn_if_idle",
]
