"""A reward model that follows a search: it reads what is new, from the KV it kept."""

from typing import NamedTuple

import numpy as np
import torch
from transformers.cache_utils import DynamicCache

from .reward import Row


class Read(NamedTuple):
    """What was read of a chain: its values [steps], and its KV.

    The KV are two tensors [layers, heads, t, d], of which some models have unlike d.
    """

    values: np.ndarray = np.zeros(0)
    kv: tuple[torch.Tensor, ...] = ()

    @property
    def length(self) -> int:
        return self.kv[0].shape[-2] if self.kv else 0


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
        self.of = model.versions()

    def __call__(self, problems, chains) -> tuple[np.ndarray, np.ndarray]:
        """(value after the newest step [chains], tokens that were read [chains])."""
        values, tokens = self.follow(problems, chains)
        return np.array([v[-1] if len(v) else np.nan for v in values]), tokens

    def steps(self, problems, chains) -> list[np.ndarray]:
        """Value of each chain after each step: [chains] of [steps]."""
        return self.follow(problems, chains)[0]

    @torch.inference_mode()
    def follow(self, problems, chains) -> tuple[list[np.ndarray], np.ndarray]:
        """(values [chains] of [steps], tokens that are new [chains])."""
        if self.of != self.model.versions():  # trained since: nothing holds any more
            self.prompts, self.known, self.of = {}, {}, self.model.versions()
        rows = [self.model.row(x, c) for x, c in zip(problems, chains, strict=True)]
        prompts = sorted({row.prompt for row in rows} - self.prompts.keys())
        self.prompts |= self.read({prompt: Rest(Read(), prompt) for prompt in prompts})
        keys = [(row.prompt, row.tokens) for row in rows]
        new = {k: self.rest(row) for k, row in zip(keys, rows) if k not in self.known}
        tokens = [len(new[key].tokens) if key in new else 0 for key in keys]
        found = self.known | self.read(new)
        self.known = {key: found[key] for key in keys}
        return [found[key].values for key in keys], np.array(tokens, int)

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
            past = [padded(part, wide) for part in zip(*(row.past.kv for row in rows))]
            for layer, (keys, values) in enumerate(zip(*past)):
                cache.update(keys, values, layer)
        place = (torch.arange(wide + new) - wide + before[:, None]).to(device)
        said = model.logits(
            x,
            [row.ends for row in rows],
            attention_mask=(place >= 0).long(),
            position_ids=place[:, wide:],
            cache=cache,
        )
        kv = [[c.keys for c in cache.layers], [c.values for c in cache.layers]]
        kv = zip(*(torch.stack(part, 1) for part in kv))
        out = []
        for row, logits, both in zip(rows, said, kv):
            values = np.append(row.past.values, logits.float().sigmoid().cpu().numpy())
            own = slice(wide - row.past.length, wide + len(row.tokens))
            out.append(Read(values, tuple(part[..., own, :].clone() for part in both)))
        return out


def padded(rows: tuple[torch.Tensor, ...], wide: int) -> torch.Tensor:
    """Rows [layers, heads, t, d], each of its own t: [layers, rows, heads, wide, d]."""
    layers, heads, _, size = rows[0].shape
    out = rows[0].new_zeros(layers, len(rows), heads, wide, size)
    for i, row in enumerate(rows):
        out[:, i, :, wide - row.shape[-2] :] = row
    return out
