"""A reward model that follows a search: it reads what is new, from the KV it kept."""

from typing import NamedTuple

import numpy as np
import torch
from transformers.cache_utils import DynamicCache

from .reward import Row


class Read(NamedTuple):
    """What was read of a chain: its values [steps], its KV [layers, 2, heads, t, d]."""

    values: np.ndarray = np.zeros(0)
    kv: torch.Tensor | None = None

    @property
    def length(self) -> int:
        return 0 if self.kv is None else self.kv.shape[-2]


class Rest(NamedTuple):
    """What is still to be read: tokens that follow ``past``, their log p, their ends.

    Of prompts nothing was read before, and they have no steps.
    """

    past: Read
    tokens: tuple[int, ...]
    logp: tuple[float, ...] = ()
    ends: list[int] = []


class CachedRewardModel:
    """``model``, a :class:`RewardModel`, as the guide of a search: each step read once.

    The values are those of ``model``. A search asks for children of the chains that it
    asked for before. So what a call has read is kept until the next call, and prompts
    are kept for good. The cost is the tokens that are new. Problems are read together,
    ``rows`` chains a batch.
    """

    def __init__(self, model, rows: int = 512):
        self.model, self.rows = model, rows
        self.prompts: dict[tuple, Read] = {}  # by their ids
        self.known: dict[tuple, Read] = {}  # by ids of prompt and chain

    def __call__(self, problems, chains) -> tuple[np.ndarray, np.ndarray]:
        """(value after the newest step [chains], tokens that were read [chains])."""
        values, tokens = self.follow(problems, chains)
        return np.array([v[-1] if len(v) else np.nan for v in values]), tokens

    def steps(self, problems, chains) -> list[np.ndarray]:
        """Value of each chain after each step: [chains] of [steps]."""
        return self.follow(problems, chains)[0]

    @torch.inference_mode()
    def follow(self, problems, chains) -> tuple[list[np.ndarray], np.ndarray]:
        """(values of each chain [chains] of [steps], tokens that were read [chains])."""
        rows = [self.model.row(x, c) for x, c in zip(problems, chains, strict=True)]
        prompts = sorted({row.prompt for row in rows} - self.prompts.keys())
        self.prompts |= self.read({prompt: Rest(Read(), prompt) for prompt in prompts})
        keys = [(row.prompt, row.tokens) for row in rows]
        tokens, new = np.zeros(len(rows), int), {}
        for i, (key, row) in enumerate(zip(keys, rows)):
            if key not in self.known and key not in new:
                new[key] = self.rest(row)
                tokens[i] = len(new[key].tokens)
        found = self.known | self.read(new)
        self.known = {key: found[key] for key in keys}
        return [found[key].values for key in keys], tokens

    def rest(self, row: Row) -> Rest:
        """What follows the longest beginning of ``row`` that is known."""
        past, size = self.prompts[row.prompt], 0
        for end in reversed(row.ends[:-1]):
            if (row.prompt, row.tokens[: end + 1]) in self.known:
                size = end + 1
                past = self.known[row.prompt, row.tokens[:size]]
                break
        ends = [end - size for end in row.ends if end >= size]
        return Rest(past, row.tokens[size:], row.logp[size:], ends)

    def read(self, new: dict[tuple, Rest]) -> dict[tuple, Read]:
        """Read in batches of like length."""
        out: dict[tuple, Read] = {}
        order = sorted(new, key=lambda k: (len(new[k].tokens), new[k].past.length))
        for start in range(0, len(order), self.rows):
            part = order[start : start + self.rows]
            out |= zip(part, self.batch([new[key] for key in part]))
        return out

    def batch(self, rows: list[Rest]) -> list[Read]:
        """Read the tokens of ``rows`` behind their past, which is padded on the left.

        So what is new follows at once, whatever was read of a row before.
        """
        model, device = self.model, self.model.seen.device
        before = torch.tensor([row.past.length for row in rows])
        x = model.embedded([(row.tokens, row.logp) for row in rows])
        wide, new = int(before.max()), x.shape[1]
        cache = DynamicCache()
        if wide:
            layers, _, heads, _, size = rows[0].past.kv.shape
            some = dict(dtype=rows[0].past.kv.dtype, device=device)
            kv = torch.zeros(len(rows), layers, 2, heads, wide, size, **some)
            for padded, row in zip(kv, rows):
                padded[..., wide - row.past.length :, :] = row.past.kv
            for layer in range(layers):
                cache.update(kv[:, layer, 0], kv[:, layer, 1], layer)
        place = (torch.arange(wide + new) - wide + before[:, None]).to(device)
        said = model.logits(
            x,
            [row.ends for row in rows],
            attention_mask=(place >= 0).long(),
            position_ids=place[:, wide:],
            cache=cache,
        )
        kv = torch.stack([torch.stack([c.keys, c.values], 1) for c in cache.layers], 1)
        out = []
        for row, logits, kept in zip(rows, said, kv):
            values = np.append(row.past.values, logits.float().sigmoid().cpu().numpy())
            kept = kept[..., wide - row.past.length : wide + len(row.tokens), :]
            out.append(Read(values, kept.clone()))
        return out
