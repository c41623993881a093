"""Systematic resampling: particles that stand for the policy's chains. No torch."""

import numpy as np

from ..chain import key_of, uniforms
from .nodes import Tree


def particles(tree: Tree, group: int, n: int) -> list[int]:
    """``n`` nodes of the group, each time node i with chance a_i ∝ weight · score.

    Systematic resampling: one uniform, n equal strides. A survivor's weight is divided
    by n · a_i, so that sums over particles expect what they were, whatever the guide
    says, if it says 0 only where nothing right can follow. For the score ``last`` a_i
    is the newest value over the one before (twisted sequential Monte Carlo), for
    ``product`` the newest value alone (Puri et al. 2025, with r for its odds).
    """
    pool = tree.beams[group]
    nodes = [tree.nodes[i] for i in pool]
    mass = np.array([node.weight * node.score for node in nodes])
    if not (np.isfinite(mass).all() and (mass >= 0).all()):
        low, *_, high = sorted([node.score for node in nodes] * 2)
        raise ValueError(
            f"{tree.problem.id}: scores from {low:g} to {high:g}, but particles are "
            "drawn in proportion to them: let the guide give 0 or more, such as a "
            "probability"
        )
    if not mass.any():
        return []
    total, about = np.cumsum(mass), nodes[0].chain
    key = key_of("resample", about.prompt, about.seed, group, len(tree.drawn))
    strides = (uniforms(key, 0, 1) + np.arange(n)) / n * total[-1]
    at = np.searchsorted(total, strides, side="right").tolist()
    for j in set(at):
        nodes[j].weight *= total[-1] / (n * mass[j])
    return [pool[j] for j in at]
