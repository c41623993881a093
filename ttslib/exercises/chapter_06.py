"""References of chapter 06's exercises."""

import numpy as np


def one(value) -> str:
    value = float(value)
    if np.isclose(value, np.sqrt(15), rtol=1e-3):
        return ""
    if np.isclose(value, 15 / 16, rtol=1e-3):
        return (
            "that is how far it lies above the mean; now divide by the group's spread"
        )
    if np.isclose(value, np.sqrt(7), rtol=1e-3):
        return "that is the advantage in a group of 8; this group has 16 rewards"
    if np.isclose(value, np.sqrt(15) * np.sqrt(15 / 16), rtol=1e-3):
        return "the spread here divides by n, not by n - 1"
    return (
        "mean of 16 rewards with a single 1, then their spread: how far above, over it?"
    )


def two(function) -> str:
    """PPO's term on every combination of sign and side, with two widths of the clip."""
    ratio = np.array([1.0, 1.5, 0.5, 1.5, 0.5, 1.1, 0.9, 1.2, 3.0])
    sign = np.array([1.0, 1, 1, -1, -1, 2, -2, -0.5, 0])
    for clip in (0.2, 0.05):
        bounded = np.clip(ratio, 1 - clip, 1 + clip)
        wanted = np.minimum(ratio * sign, bounded * sign)
        found = np.asarray(function(ratio.copy(), sign.copy(), clip), float)
        if found.shape != wanted.shape:
            return f"arrays of shape {wanted.shape} gave one of shape {found.shape}"
        if np.allclose(found, wanted):
            continue
        if np.allclose(found, -wanted):
            return "that is the loss; the term is what is to be made large"
        if np.allclose(found, bounded * sign):
            return "clipped on both sides: a bad chain that became likelier is let off"
        if np.allclose(found, ratio * sign):
            return "nothing is clipped: the term grows with the ratio for ever"
        i = int(np.argmax(~np.isclose(found, wanted)))
        return (
            f"wrong at ratio {ratio[i]:g}, advantage {sign[i]:g}, clip {clip:g}: which "
            "of the two products is the smaller one there?"
        )
    return ""


def three(function) -> str:
    """Groups of several sizes, all alike, and a group of one."""
    for rewards in (
        np.array([[1.0, 0, 0, 0], [1, 1, 0, 1]]),
        np.ones((2, 3)),
        np.array([[0.5, 2.0]]),
        np.array([[1.0], [0.0]]),
    ):
        n = rewards.shape[1]
        kept = rewards.copy()
        found = np.asarray(function(kept), float)
        if not np.array_equal(kept, rewards):
            return "your function changes the rewards that it is given"
        if found.shape != rewards.shape:
            return f"rewards {rewards.shape} gave advantages of shape {found.shape}"
        if n == 1:
            if not np.array_equal(found, np.zeros_like(rewards)):
                return "a group of one has no others to be compared with: give 0"
            continue
        own = rewards - rewards.mean(1, keepdims=True)
        batch = (rewards - rewards.mean()) * rewards.size / (rewards.size - 1)
        if np.allclose(found, own * n / (n - 1)):
            continue
        if np.allclose(found, own):
            return "a reward is still in its own baseline: leave it out of the mean"
        if np.allclose(found, batch):
            return "the others are those of the same problem, not of the whole batch"
        return f"of the group {rewards[0].tolist()} came {found[0].round(3).tolist()}"
    return ""


def four(value) -> str:
    value = float(value)
    if np.isclose(value, 7 / 8):
        return ""
    if np.isclose(value, 8 / 7):
        return "that is what undoes it; which factor has to be undone?"
    return "write r less the group's mean as a multiple of r less the others' mean"


def five(value) -> str:
    found = np.asarray(value, float).ravel()
    if found.shape != (3,):
        return "three numbers, for REINFORCE, the M-step and GRPO, in this order"
    for name, one, other in zip(("REINFORCE", "the M-step", "GRPO"), found, (1, 9, 1)):
        if not np.isclose(one, other, rtol=1e-3):
            return f"{name}: by what is each problem's gradient of p multiplied there?"
    return ""


CHECKS = {"1": one, "2": two, "3": three, "4": four, "5": five}
