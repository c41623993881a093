"""Policy gradients on a verifier's reward: REINFORCE, PPO and GRPO, slide 31.

Rewards are [problems, n]; log-probabilities and advantages are per token. The losses
are what a step descends.
"""

import inspect
import random
import warnings
from collections.abc import Callable
from inspect import ismodule

import numpy as np
import torch

from ..policy import Trainer
from ..verify import judge, read_answer, verify


# --- advantages: how much better than expected ---------------------------------------
def leave_one_out_advantage(rewards: np.ndarray) -> np.ndarray:
    """r less the mean of all *other* rewards of the batch: a baseline for REINFORCE.

    Left out of its own baseline, a reward keeps the gradient unbiased (Kool 2019).
    """
    return (rewards - rewards.mean()) * rewards.size / max(1, rewards.size - 1)


def grpo_advantage(rewards: np.ndarray) -> np.ndarray:
    """GRPO: r less its problem's mean, over its problem's spread (Shao 2024, 4.1).

    All of a problem right, or all wrong: nothing to learn from it, 0. Biased: a chain
    is in its own baseline, and the spread weighs problems anew.
    """
    spread = rewards.std(1, keepdims=True)
    centred = rewards - rewards.mean(1, keepdims=True)
    return np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)


# --- losses, a token ------------------------------------------------------------------
def reinforce_loss(logp, old, advantage):
    """REINFORCE: -A log p, whose gradient is the expected reward's, reversed.

    In expectation over the policy's own draws.
    """
    return -advantage * logp


def ppo_loss(logp, old, advantage, clip: float = 0.2):
    """PPO: beyond 1 ± clip the ratio p / p_old earns no more (Schulman 2017, eq. 7).

    What is bad and has become more likely, or good and less, is still corrected.
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
    policy.model.train()
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
    online, ``steps`` is one batch, drawn from the base, off-policy from the second step
    on. ``epochs`` passes over each draw; ``beta`` weighs the divergence from the base.
    ``reward(problems, rows)`` [problems, n] is asked once a chain. A step in which no
    advantage differs from 0 changes nothing. A run that was killed goes on at its draw;
    what was trained is not trained again unless ``fresh``. Replaces the adapter
    "default".

    A record has ``rewards``, the mean of each problem's chains; ``asked``, the reward
    evaluations, and ``tokens``, those drawn, both 0 where the step shares an earlier
    draw; ``used``, the chains with an advantage; ``kl``, the mean estimate of the
    divergence from the base in nats a token on the step's chains (0 unless ``beta``).
    """
    advantage, loss = METHODS[method] if isinstance(method, str) else method
    policy.attach(seed=seed)
    rng = random.Random(seed)
    asked = [(policy.encode(x)[0], repr(x)) for x in problems]
    about = (*policy.hashes(), asked, policy.max_tokens, steps, n, batch, refresh)
    about += (epochs, beta, lr, seed, *map(source, (advantage, loss, reward)))
    trainer = Trainer(policy.trained(), about, lr=lr, fresh=fresh)
    policy.retuned()
    every = [rng.sample(range(len(problems)), batch) for _ in range(steps)]
    for step in range(0, steps, refresh):
        rounds = every[step : step + refresh]
        if len(trainer.history) >= (step + len(rounds)) * epochs:
            continue
        asked = [problems[i] for chosen in rounds for i in chosen]
        rows = policy.sample(asked, n, seed=seed + step + 1)
        rewards = np.asarray(reward(asked, rows), float)
        record = {"rewards": rewards.mean(1).tolist(), "asked": rewards.size}
        record["tokens"] = sum(len(c.tokens) for row in rows for c in row)
        for r in range(len(rounds) * epochs):
            part = slice(r % len(rounds) * batch, (r % len(rounds) + 1) * batch)
            values = advantage(rewards[part])
            kept = [
                (x, c, a)
                for x, row, value in zip(asked[part], rows[part], values)
                for c, a in zip(row, value)
                if a or beta
            ]
            used = int(np.count_nonzero(values))
            if kept:
                gradient_step(policy, trainer, kept, loss, beta, **record, used=used)
            else:
                trainer.history.append(record | {"kl": 0.0, "used": 0})
            record = record | {"asked": 0, "tokens": 0}
        trainer.keep()  # not within a draw: its policy is gone by then
        policy.retuned()
    trainer.write(finished=True)
    policy.retuned()
    if not any(r["used"] for r in trainer.history):
        warnings.warn(
            f"in {steps} steps no chain's reward differed from its baseline: nothing "
            "was learned: take problems that are solved sometimes, or a larger n",
            stacklevel=2,
        )
    return trainer.history


def source(function) -> str:
    """What a function does, for the store's key: edited, it is another one."""
    try:
        held = [cell.cell_contents for cell in function.__closure__ or ()]
        names = sorted(inspect.getclosurevars(function).globals.items())
        held += [(n, v) for n, v in names if not callable(v) and not ismodule(v)]
        held += [function.__defaults__, function.__kwdefaults__]
        return inspect.getsource(function) + repr(held)
    except (AttributeError, OSError, TypeError):  # typed at a prompt, or a partial
        return repr(function)


def trl_reward(problems) -> Callable:
    """The verifier as a reward function of TRL's trainers; the rewards are 0 or 1.

    Prompts and completions are texts, or conversations: lists of messages. A problem is
    found by its prompt, the last message of the user: KeyError for a prompt that none
    of them has.
    """
    known = {x.prompt: x for x in problems}

    def verifier(prompts, completions, **columns) -> list[float]:
        asked = [known[said(prompt, "user")] for prompt in prompts]
        answers = [
            read_answer(said(completion, "assistant"), x.verifier)
            for x, completion in zip(asked, completions, strict=True)
        ]
        return [float(bool(verify(x, y))) for x, y in zip(asked, answers)]

    return verifier


def said(conversation, role: str) -> str:
    """A text as it is; of a list of messages the last one's that ``role`` has said.

    A message's content is a text, or a list of parts: those of type text count.
    """
    if isinstance(conversation, str):
        return conversation
    contents = [m["content"] for m in conversation if m["role"] == role]
    content = (contents[-1] if contents else None) or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if part["type"] == "text")
