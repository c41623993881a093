"""A reward model that follows a search: it reads what is new, from the KV it kept."""

from typing import NamedTuple

import numpy as np
import torch
from transformers.cache_utils import DynamicCache


class Read(NamedTuple):
    """What is known of a chain: its values [steps] and KV, [layers, 2, heads, t, d]."""

    values: np.ndarray
    kv: torch.Tensor | None = None

    @property
    def length(self) -> int:
        return 0 if self.kv is None else self.kv.shape[-2]


class CachedRewardModel:
    """``model``, a :class:`RewardModel`, as the guide of a search: each step read once.

    Same values. A search asks for children of the chains that it asked for before, so
    what a call has read is kept until the next, and the prompts for good. What it costs
    are the tokens that are new. Problems are read together, ``rows`` chains a batch.
    """

    def __init__(self, model, rows: int = 512):
        self.model, self.rows = model, rows
        self.prompts: dict[tuple, Read] = {}
        self.known: dict[tuple, Read] = {}

    def __call__(self, problems, chains) -> tuple[np.ndarray, np.ndarray]:
        """(value after the newest step [chains], tokens that were read [chains])."""
        values, tokens = self.follow(problems, chains)
        return np.array([v[-1] if len(v) else np.nan for v in values]), tokens

    def steps(self, problems, chains) -> list[np.ndarray]:
        """Value of each chain after each step: [chains] of [steps]."""
        return self.follow(problems, chains)[0]

    @torch.inference_mode()
    def follow(self, problems, chains) -> tuple[list[np.ndarray], np.ndarray]:
        rows = [self.model.row(x, c) for x, c in zip(problems, chains, strict=True)]
        new = {ids for ids, *_ in rows} - self.prompts.keys()
        prompts = {ids: (Read(np.zeros(0)), ids, (), []) for ids in sorted(new)}
        self.prompts |= self.read(prompts)
        keys, asked = [(ids, tail) for ids, tail, *_ in rows], {}
        for key, (ids, tail, logp, ends) in zip(keys, rows):
            if key in self.known or key in asked:
                continue
            past, at = self.prompts[ids], 0
            for end in reversed(ends[:-1]):
                if (ids, tail[: end + 1]) in self.known:
                    past, at = self.known[ids, tail[: end + 1]], end + 1
                    break
            ends = [end - at for end in ends if end >= at]
            asked[key] = past, tail[at:], logp[at:], ends
        tokens = [len(asked[key][1]) if key in asked else 0 for key in keys]
        found = self.known | self.read(asked)
        self.known = {key: found[key] for key in keys}
        return [found[key].values for key in keys], np.array(tokens, int)

    def read(self, asked: dict) -> dict[tuple, Read]:
        """``asked`` holds (what is read, tokens after it, their log p, steps' ends)."""
        out: dict[tuple, Read] = {}
        order = sorted(asked, key=lambda k: (len(asked[k][1]), asked[k][0].length))
        for start in range(0, len(order), self.rows):
            part = order[start : start + self.rows]
            out |= zip(part, self.batch([asked[key] for key in part]))
        return out

    def batch(self, rows) -> list[Read]:
        model, device = self.model, self.model.seen.device
        before = torch.tensor([past.length for past, *_ in rows])
        x = model.embedded([(tail, p) for _, tail, p, _ in rows])
        wide, new = int(before.max()), x.shape[1]
        cache = DynamicCache()
        if wide:  # padded on the left, so that what is new follows at once
            layers, _, heads, _, size = rows[0][0].kv.shape
            some = dict(dtype=rows[0][0].kv.dtype, device=device)
            kv = torch.zeros(len(rows), layers, 2, heads, wide, size, **some)
            for row, (past, *_) in zip(kv, rows):
                row[..., wide - past.length :, :] = past.kv
            for layer in range(layers):
                cache.update(kv[:, layer, 0], kv[:, layer, 1], layer)
        place = (torch.arange(wide + new) - wide + before[:, None]).to(device)
        said = model.logits(
            x,
            [ends for *_, ends in rows],
            attention_mask=(place >= 0).long(),
            position_ids=place[:, wide:],
            cache=cache,
        )
        kv = [torch.stack([layer.keys, layer.values], 1) for layer in cache.layers]
        kv, out = torch.stack(kv, 1), []
        for i, (past, tail, *_) in enumerate(rows):
            values = said[i].float().sigmoid().cpu().numpy()
            kept = kv[i, ..., wide - past.length : wide + len(tail), :].clone()
            out.append(Read(np.append(past.values, values), kept))
        return out
