"""r: S^t → R, the value of a partial chain: slides 42 to 50.

A guide takes problems and chains, one problem for each chain. It returns the value of
each chain after its newest step [chains], and the cost in tokens, drawn or read
[chains]. Roll-outs ask the verifier. A reward model has learned to predict it. A stream
may carry values of its own. For countdown one guide is exact.

torch is loaded by the first use of a name that needs it, not by the import.
"""

from importlib import import_module

from .exact import reachable
from .generative import GenerativeVerifier, judge_steps
from .labels import AGGREGATE, only_last, prover_labels, step_labels
from .progress import process_advantage
from .rollouts import rollout_value, rollouts
from .stream import interleaved, learn_values, min_token_prob, with_values

NEEDS_TORCH = {"CachedRewardModel": "cached", "RewardModel": "reward"}
__all__ = [
    "AGGREGATE",
    "GenerativeVerifier",
    "interleaved",
    "judge_steps",
    "learn_values",
    "min_token_prob",
    "only_last",
    "prover_labels",
    "reachable",
    "rollout_value",
    "rollouts",
    "step_labels",
    "process_advantage",
    "with_values",
    *NEEDS_TORCH,
]


def __getattr__(name: str):
    if name not in NEEDS_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{NEEDS_TORCH[name]}", __name__), name)
