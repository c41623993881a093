"""r_ψ(z_1:t): outcome and process reward models, heads on tuned copies of a policy."""

import copy
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from transformers.cache_utils import DynamicCache

from ..policy.engine.fingerprint import digest
from ..policy.training import train
from ..problems import Problem

UNLIKELY = float(np.log(0.1))


class Row(NamedTuple):
    """A chain as a reward model reads it."""

    prompt: tuple[int, ...]  # ids of the prompt and of what was forced on the chain
    tokens: tuple[int, ...]
    logp: tuple[float, ...]  # of each token
    ends: list[int]  # where in ``tokens`` each step ends


class RewardModel(torch.nn.Module):
    """A copy of ``policy`` whose head gives the value of a chain after each step.

    Amortised roll-outs, slide 45. The model reads the problem and the chain. If it
    ``sees_logp``, it learns of each drawn token three things besides: that the policy
    drew it, its log p, and whether p was below 0.1. Each is a learned vector that is
    added to the token's embedding. The vectors start as noise of ``spread`` times the
    embeddings' (from 0 they grow so slowly that on 600 chains an outcome model hardly
    uses them). All weights are trained, or with ``rank`` only LoRA adapters of that
    rank, the head and these vectors. The model is a guide; its values lie within
    (0, 1). NotImplementedError for a model that can't read a prompt once for several
    chains.
    """

    def __init__(
        self,
        policy,
        *,
        sees_logp: bool = True,
        rank: int | None = None,
        spread: float = 1.0,
        seed: int = 0,
    ):
        super().__init__()
        self.policy, self.sees_logp = policy, sees_logp
        self.about = (*policy.hashes(), "reward model", sees_logp, rank, spread, seed)
        torch.manual_seed(seed)
        self.body = body_of(policy, rank)
        width = policy.base.config.get_text_config().hidden_size
        self.head = torch.nn.Linear(width, 1)
        usual = self.body.get_input_embeddings().weight.float().std().item()
        self.seen = torch.nn.Parameter(spread * usual * torch.randn(3, width))
        for part in (self.head.weight, self.head.bias, self.seen):
            part.data = part.data.to(policy.base.device)
        self.made, self.history = self.versions(), []

    def versions(self) -> list[int]:
        """How often each parameter was written to."""
        return [p._version for p in self.parameters()]

    # --- reading ---------------------------------------------------------------------
    def embed(self, tokens: torch.Tensor, logp: torch.Tensor) -> torch.Tensor:
        """Embeddings [rows, tokens, width]; ``logp`` [rows, tokens], NaN: not drawn."""
        x = self.body.get_input_embeddings()(tokens)
        if not self.sees_logp:
            return x
        drawn = ~logp.isnan()
        logp = logp.nan_to_num(0.0).clamp(min=-10)
        seen = torch.stack([drawn, logp, drawn & (logp < UNLIKELY)], -1)
        return x + seen.to(x.dtype) @ self.seen.to(x.dtype)

    def embedded(self, rows) -> torch.Tensor:
        """:meth:`embed` of ``rows`` of (tokens, log p), padded on the right.

        The log p belong to a row's last tokens. The tokens before were not drawn.
        """
        width = max(1, *(len(ids) for ids, _ in rows))
        tokens = torch.zeros(len(rows), width, dtype=torch.long)
        logp = torch.full((len(rows), width), torch.nan)
        for i, (ids, p) in enumerate(rows):
            tokens[i, : len(ids)] = torch.tensor(ids)
            logp[i, len(ids) - len(p) : len(ids)] = torch.tensor(p)
        return self.embed(tokens.to(self.seen.device), logp.to(self.seen.device))

    def logits(self, x: torch.Tensor, at: list, **cache) -> list[torch.Tensor]:
        """The head's output at places ``at[i]`` of row i of embeddings ``x``."""
        hidden = self.body(inputs_embeds=x, use_cache=bool(cache), **cache)[0]
        said = self.head(hidden.to(self.head.weight.dtype))[..., 0]
        return [row[places] for row, places in zip(said, at)]

    def row(self, problem, chain) -> Row:
        """``chain`` behind its problem; one that was written, not drawn, has no log p.

        ValueError where they are longer than the model reads.
        """
        ids, tokens = self.policy.row(problem, chain, eos=chain.finished)
        ends = self.policy.ends(replace(chain, tokens=tokens))
        return Row(ids, tokens, chain.logprobs, ends)

    # --- learning --------------------------------------------------------------------
    def fit(
        self,
        problems,
        chains,
        labels,
        *,
        epochs: float = 2,
        lr: float = 1e-3,
        batch_tokens: int = 1024,
        seed: int = 0,
        fresh: bool = False,
        progress: bool = False,
    ) -> "RewardModel":
        """Cross-entropy between the value after each step and its label.

        ``labels`` [chains] of [steps], from 0 to 1; NaN where there is none, so an
        outcome model has them at the last step only. Kept and resumed as all training;
        a second call goes on from the first. ValueError for labels that do not fit the
        chains, or where no label is known.
        """
        rows = [self.row(x, chain) for x, chain in zip(problems, chains, strict=True)]
        labels = [np.asarray(label, float) for label in labels]
        for x, row, label in zip(problems, rows, labels, strict=True):
            check_labels(Problem.of(x).id, label, len(row.ends))
        known = [np.isfinite(label).any() for label in labels]
        if rows and not any(known):
            raise ValueError("no label is known: nothing to train on")
        told = [np.nan_to_num(label, nan=-1).tolist() for label in labels]
        about = (*self.about, [tuple(row) for row in rows], told)
        if self.versions() != self.made:  # trained before: not what about describes
            about = (digest(dict(self.named_parameters())), *about)

        def loss(batch):
            batch = [i for i in batch if known[i]]
            if not batch:
                return None
            return self.loss([rows[i] for i in batch], [labels[i] for i in batch])

        trained = [p for p in self.parameters() if p.requires_grad]
        lengths = [len(row.prompt) + len(row.tokens) for row in rows]
        settings = dict(epochs=epochs, lr=lr, batch_tokens=batch_tokens, seed=seed)
        settings |= dict(fresh=fresh, progress=progress)
        self.history = train(trained, about, lengths, loss, **settings)
        return self

    def loss(self, rows: list[Row], labels) -> torch.Tensor:
        """Mean cross-entropy over the labels that are numbers."""
        x = self.embedded([(row.prompt + row.tokens, row.logp) for row in rows])
        at = [[len(row.prompt) + end for end in row.ends] for row in rows]
        said = torch.cat(self.logits(x, at))
        told = torch.from_numpy(np.concatenate(labels)).to(said)
        known = ~told.isnan()
        return F.binary_cross_entropy_with_logits(said[known], told[known])

    # --- judging ---------------------------------------------------------------------
    @torch.inference_mode()
    def steps(self, problems, chains, *, rows: int = 256) -> list[np.ndarray]:
        """Value of each chain after each step: [chains] of [steps].

        A prompt is read once for all its chains, and equal chains are read once.
        """
        groups: dict = {}  # prompt -> tokens -> (row, places of such chains)
        for i, (x, chain) in enumerate(zip(problems, chains, strict=True)):
            row = self.row(x, chain)
            alike = groups.setdefault(row.prompt, {})
            alike.setdefault(row.tokens, (row, []))[1].append(i)
        out: list = [np.zeros(0)] * len(chains)
        for prompt, alike in groups.items():
            found = sorted(alike.values(), key=lambda item: len(item[0].tokens))
            for start in range(0, len(found), rows):
                part = found[start : start + rows]
                values = self.read(prompt, [row for row, _ in part])
                for (_, places), value in zip(part, values):
                    for i in places:
                        out[i] = value
        return out

    def read(self, prompt: tuple, rows: list[Row]) -> list[np.ndarray]:
        """Values after the steps of chains ``rows`` that share ``prompt``."""
        cache = DynamicCache()
        x = self.embedded([(prompt, ())])
        self.body(inputs_embeds=x, cache=cache, use_cache=True)
        cache.batch_repeat_interleave(len(rows))
        x = self.embedded([(row.tokens, row.logp) for row in rows])
        said = self.logits(x, [row.ends for row in rows], cache=cache)
        return [value.float().sigmoid().cpu().numpy() for value in said]

    def __call__(self, problems, chains) -> tuple[np.ndarray, np.ndarray]:
        """(value after the newest step [chains], tokens that were read [chains])."""
        values = [v[-1] if len(v) else np.nan for v in self.steps(problems, chains)]
        return np.array(values), np.array([len(chain.tokens) for chain in chains], int)


def check_labels(name: str, labels: np.ndarray, steps: int):
    if labels.shape != (steps,):
        raise ValueError(f"{name}: {labels.size} labels for a chain of {steps} steps")
    if ((labels < 0) | (labels > 1)).any():
        raise ValueError(f"{name}: labels {labels.tolist()} do not lie within 0 to 1")


def body_of(policy, rank: int | None):
    """The policy without its head, copied: all of it to be trained, or LoRA on it.

    NotImplementedError for a model that can't go on from a text that it has read.
    """
    if policy.base.base_model is policy.base or not policy.shares_prompt:
        raise NotImplementedError(
            f"{type(policy.base).__name__} does not read a prompt once for several "
            "chains: there is no reward model on it, use another model"
        )
    model = copy.deepcopy(policy.model)
    if hasattr(model, "peft_config"):
        model = model.merge_and_unload() if policy.adapter else model.unload()
    body = model.base_model.eval()
    body.set_attn_implementation("sdpa" if body._supports_sdpa else "eager")
    body.requires_grad_(rank is None)
    if rank:
        from peft import LoraConfig, get_peft_model

        config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear")
        body = get_peft_model(body, config)
    return body
