"""Policy gradients on a verifier's reward: REINFORCE, PPO and GRPO, slide 31.

Rewards are [problems, n]; log-probabilities and advantages are per token. A step goes
down the loss.
"""

import random
import warnings
from collections.abc import Callable

import numpy as np
import torch

from ..policy import Trainer
from ..policy.engine import fingerprint
from ..problems import Problem
from ..verify import judge


# --- advantages: how much better than expected ---------------------------------------
def leave_one_out_advantage(rewards: np.ndarray) -> np.ndarray:
    """r less the mean of all *other* rewards of the batch: a baseline for REINFORCE.

    Left out of its own baseline, a reward keeps the gradient unbiased (Kool 2019).
    """
    above = rewards - rewards.mean()
    above[np.abs(above) < 1e-6 * np.abs(rewards).max()] = 0  # only rounding
    return above * rewards.size / max(1, rewards.size - 1)


def grpo_advantage(rewards: np.ndarray) -> np.ndarray:
    """GRPO: r less its problem's mean, over its problem's spread (Shao 2024, 4.1).

    Where all chains of a problem earn the same, there is nothing to learn: 0. Biased: a
    chain is in its own baseline, and the spread gives problems other weights.
    """
    above = rewards - rewards.mean(1, keepdims=True)
    above[np.abs(above) < 1e-6 * np.abs(rewards).max(1, keepdims=True)] = 0  # rounding
    spread = rewards.std(1, keepdims=True)
    return np.divide(above, spread, out=np.zeros_like(above), where=above != 0)


# --- losses, a token ------------------------------------------------------------------
def reinforce_loss(logp, old, advantage):
    """REINFORCE: -A log p, whose gradient is the expected reward's, reversed.

    In expectation over the policy's own draws.
    """
    return -advantage * logp


def ppo_loss(logp, old, advantage, clip: float = 0.2):
    """PPO: beyond 1 ± clip the ratio p / p_old earns no more (Schulman 2017, eq. 7).

    A bad token that has become likelier is still corrected, and a good one that has
    become less likely.
    """
    ratio = (logp - old).exp()
    bounded = ratio.clamp(1 - clip, 1 + clip)
    return -torch.minimum(ratio * advantage, bounded * advantage)


def divergence(logp, reference):
    """An estimate of KL(p, reference) that is never negative: e^-d - 1 + d."""
    d = logp - reference
    return (-d).exp() - 1 + d


METHODS = {
    "REINFORCE": (leave_one_out_advantage, reinforce_loss),
    "PPO": (leave_one_out_advantage, ppo_loss),
    "GRPO": (grpo_advantage, ppo_loss),
}


# --- one step -------------------------------------------------------------------------
def gradient_step(policy, trainer, drawn, loss, beta: float = 0.0, **record):
    """One step on ``drawn``: (problem, chain, advantage) of each chain of a draw.

    Descends the mean over their tokens of the loss, plus ``beta`` times the divergence
    from the base. The history gets ``record`` with that divergence, in nats a token.
    """
    rows = [policy.row(x, chain) for x, chain, _ in drawn]
    tokens = sum(len(written) for _, written in rows)
    total, kl = 0.0, 0.0
    for part, logp in policy.in_batches(rows, 16_384):
        logp = torch.cat(logp)  # of each token as θ is now, with its gradient
        old = [p for i in part for p in drawn[i][1].logprobs]  # as θ was at the draw
        earned = [drawn[i][2] for i in part for _ in rows[i][1]]  # one of each token
        old, earned = (torch.tensor(v).float().to(logp.device) for v in (old, earned))
        total = total + loss(logp, old, earned).sum() / tokens
        if beta:
            with torch.no_grad(), policy.model.disable_adapter():
                base = torch.cat(policy.token_logp([rows[i] for i in part]))
            away = divergence(logp, base).sum() / tokens
            total, kl = total + beta * away, kl + away.item()
    trainer.step(total, record | {"kl": kl})  # backward, its norm at most 1, AdamW


# --- the loop ------------------------------------------------------------------------
def policy_gradient(
    policy,
    problems,
    method="GRPO",
    *,
    steps: int,
    n: int = 8,
    batch: int = 32,
    refresh: int = 1,
    epochs: int = 1,
    beta: float = 0.0,
    reward: Callable = judge,
    lr: float = 2e-3,
    seed: int = 0,
    fresh: bool = False,
) -> list[dict]:
    """``steps`` × ``epochs`` gradient steps from the base on; a record of each.

    ``method`` is one of METHODS, or (advantage, loss). A step takes ``n`` chains of
    each of ``batch`` problems. ``refresh`` steps share one draw of the policy: 1 is
    online; ``steps`` is a single draw from the base, off-policy from the second step
    on. ``epochs`` is the passes over each draw; ``beta`` weighs the divergence from the
    base. ``reward(problems, rows)`` [problems, n] is asked once a chain. A step without
    an advantage other than 0 changes nothing. Training is without dropout. A run that
    was killed goes on at its last draw, and a finished one is not repeated unless
    ``fresh``. Replaces the adapter "default". ValueError for sizes or rewards that make
    no sense.

    A record has ``rewards``, the mean of each problem's chains; ``asked``, the number
    of rewards computed, and ``tokens``, the number drawn, both 0 where the step shares
    an earlier draw; ``used``, the chains with an advantage; ``kl``, the mean estimate
    of the divergence from the base in nats a token on the step's chains (0 unless
    ``beta``).
    """
    advantage, loss = METHODS[method] if isinstance(method, str) else method
    sizes = dict(n=n, batch=batch, refresh=refresh, epochs=epochs)
    if min(sizes.values()) < 1 or batch > len(problems):
        raise ValueError(f"of {len(problems)} problems: {sizes} make no sense")
    policy.attach(seed=seed)
    rng = random.Random(seed)
    chosen = [rng.sample(problems, batch) for _ in range(steps)]
    asked = [(policy.encode(x)[0], repr(x)) for x in problems]
    about = (*policy.hashes(), asked, policy.max_tokens, steps, n, batch, refresh)
    about += (epochs, beta, lr, seed)
    about += tuple(fingerprint.function(f) for f in (advantage, loss, reward))
    trainer = Trainer(policy.trained(), about, lr=lr, fresh=fresh)
    each = refresh * epochs  # steps that share a draw
    batches, record = [], {}

    def take(at):
        nonlocal batches, record
        if at % each == 0:
            start = at // epochs
            some = chosen[start : start + refresh]
            batches, record = draw_batches(policy, some, n, reward, seed + start + 1)
        xs, rows, rewards = batches[at % each % len(batches)]
        values = advantage(rewards)
        kept = [
            (x, chain, a)
            for x, row, of_row in zip(xs, rows, values)
            for chain, a in zip(row, of_row)
            if a or beta
        ]
        record = record | {"used": int(np.count_nonzero(values))}
        if kept:
            gradient_step(policy, trainer, kept, loss, beta, **record)
        else:
            trainer.step(None, record | {"kl": 0.0})
        record = record | {"asked": 0, "tokens": 0}

    with policy.tuning():
        # Written between draws only: the policy of a draw is not kept.
        trainer.run([0] * (steps * epochs), take, every=each)
    if not any(r["used"] for r in trainer.history):
        warnings.warn(
            f"in {steps} steps no chain's reward differed from its baseline: nothing "
            "was learned: take problems that are solved sometimes, or a larger n",
            stacklevel=2,
        )
    return trainer.history


def draw_batches(policy, batches, n: int, reward, seed: int) -> tuple[list, dict]:
    """(problems, chains, rewards) of each of ``batches``, and a record of the draw.

    ValueError where ``reward`` does not give a number for each chain.
    """
    xs, size = sum(batches, []), len(batches[0])
    rows = policy.sample(xs, n, seed=seed)
    rewards = np.asarray(reward(xs, rows), float)
    if rewards.shape != (len(xs), n):
        raise ValueError(
            f"the rewards have shape {rewards.shape}: give one for each of {n} chains "
            f"of each of {len(xs)} problems"
        )
    for x, its in zip(xs, rewards):
        if not np.isfinite(its).all():
            raise ValueError(f"problem {Problem.of(x).id}: rewards {its.tolist()}")
    record = {"rewards": rewards.mean(1).tolist(), "asked": rewards.size}
    record["tokens"] = sum(len(c.tokens) for row in rows for c in row)
    parts = [slice(i, i + size) for i in range(0, len(xs), size)]
    return [(xs[part], rows[part], rewards[part]) for part in parts], record
