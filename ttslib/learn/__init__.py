"""Learning from a verifier: guess and check, policy gradients, preferences.

All begin at the base, train an adapter of the policy, and return ledgers that count
the tokens drawn and trained on.
"""

from .expert import expert_iteration, outcomes
from .guess_and_check import (
    above,
    bound,
    capped,
    confidence,
    confident,
    different,
    draw_and_verify,
    e_step,
    guess_and_check,
    hinted,
    likeliest,
    m_step,
    posterior,
    rationalization,
    variants,
    verified,
    voted,
    warn_if_idle,
)
from .preference import dpo, dpo_loss, loglikelihood, pairs, tree_pairs
from .reinforce import (
    METHODS,
    divergence,
    grpo_advantage,
    leave_one_out_advantage,
    policy_gradient,
    ppo_loss,
    reinforce_loss,
)
from .trl import trl_reward
from .v_star import v_star

__all__ = [
    "METHODS",
    "above",
    "leave_one_out_advantage",
    "grpo_advantage",
    "bound",
    "capped",
    "ppo_loss",
    "confidence",
    "confident",
    "different",
    "divergence",
    "dpo",
    "dpo_loss",
    "draw_and_verify",
    "e_step",
    "expert_iteration",
    "guess_and_check",
    "rationalization",
    "hinted",
    "policy_gradient",
    "likeliest",
    "loglikelihood",
    "m_step",
    "outcomes",
    "pairs",
    "posterior",
    "reinforce_loss",
    "tree_pairs",
    "trl_reward",
    "v_star",
    "variants",
    "verified",
    "voted",
    "warn_if_idle",
]
