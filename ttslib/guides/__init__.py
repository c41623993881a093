"""r: S^t → R, what a partial chain is worth. No torch."""

from .rollouts import rollout_value

__all__ = ["rollout_value"]
