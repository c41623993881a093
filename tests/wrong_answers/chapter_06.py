"""What a reader may well give for chapter 06's exercises, and what is not right."""

import numpy as np

from ttslib import learn


def in_place(rewards):
    n = rewards.shape[1]
    rewards -= rewards.mean(1, keepdims=True)
    return rewards * n / max(1, n - 1)


WRONG = {
    "06.1": [15 / 16, np.sqrt(7), 1.0, 15.0],
    "06.2": [
        lambda ratio, a, clip: np.clip(ratio, 1 - clip, 1 + clip) * a,
        lambda ratio, a, clip: (
            -np.minimum(ratio * a, np.clip(ratio, 1 - clip, 1 + clip) * a)
        ),
        lambda ratio, a, clip: np.minimum(ratio, 1 + clip) * a,
        lambda ratio, a, clip: np.minimum(ratio * a, np.clip(ratio, 0.8, 1.2) * a),
        lambda ratio, a, clip: float((ratio * a).mean()),
    ],
    "06.3": [
        lambda rewards: rewards - rewards.mean(1, keepdims=True),
        learn.leave_one_out_advantage,
        learn.grpo_advantage,
        in_place,
        lambda r: (r - r.mean(1, keepdims=True)) * r.shape[1] / (r.shape[1] - 1),
        lambda r: r - r.mean(),
    ],
    "06.4": [8 / 7, 1.0, 1 / 8],
    "06.5": [(1, 9, 9), (1, 1 / 9, 1), (9, 1), (1, 9, 3)],
}
