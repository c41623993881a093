"""The KV of many chains, and how a model of transformers attends to it.

Any causal model runs through transformers' extension points: a cache layer that is
allocated once, and an attention function for the single query token.
"""

from dataclasses import dataclass

import numpy as np
import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.cache_utils import CacheLayerMixin
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask


@dataclass(frozen=True, eq=False)
class State:
    """KV of positions start to stop: ``block[:, :, row, :, : stop - start]``.

    What comes before lies in ``parent``, shared with the chain's relatives, so a node
    of a tree costs the memory of its own tokens.
    """

    parent: "State | None"
    block: torch.Tensor  # [layers, 2, rows, kv heads, positions, head dim]
    row: int
    start: int
    stop: int


class Slots:
    """KV of ``rows`` chains of up to ``size`` positions; row r is at ``pos[r]``."""

    def __init__(self, model, rows: int, size: int, like: torch.Tensor | None):
        config, device = model.config.get_text_config(), model.device
        shape = like.shape if like is not None else kv_shape(config)
        dtype = like.dtype if like is not None else model.dtype
        layers, _, _, heads, _, dim = shape
        # zeros: a masked column weighs nothing, but 0 times NaN is NaN
        self.kv = torch.zeros(
            layers, 2, rows, heads, size, dim, dtype=dtype, device=device
        )
        self.bias = torch.full((rows, size), -torch.inf, dtype=dtype, device=device)
        self.columns = torch.arange(size, device=device)
        self.all = torch.arange(rows, device=device)
        self.aim(np.zeros(0, int))

    def aim(self, pos: np.ndarray):
        """The next token of row r goes to ``pos[r]`` and sees what lies before."""
        self.n, self.length = len(pos), int(pos.max(initial=-1)) + 1
        self.pos = torch.as_tensor(pos, device=self.bias.device)
        self.rows = self.all[: self.n]
        self.bias[self.rows, self.pos] = 0
        # None when every row is as long as the longest
        self.mask = self.bias[: self.n, : self.length]
        if self.n and int(pos.min()) + 1 == self.length:
            self.mask = None

    def put(self, layer: int, k: torch.Tensor, v: torch.Tensor):
        """Write k, v [rows, kv heads, dim]; all of the layer, [rows, heads, L, dim]."""
        kv = self.kv[layer]
        kv[0].index_put_((self.rows[:, None], *self.head_at(k)), k)
        kv[1].index_put_((self.rows[:, None], *self.head_at(v)), v)
        return kv[0, : self.n, :, : self.length], kv[1, : self.n, :, : self.length]

    def head_at(self, k):
        return torch.arange(k.shape[1], device=k.device)[None], self.pos[:, None]

    def load(self, rows: list[int], states: list[State | None]):
        """Copy chains' KV into ``rows``."""
        groups: dict = {}
        for row, state in zip(rows, states):
            self.bias[row] = -torch.inf
            if state is not None:
                self.bias[row, : state.stop] = 0
            while state is not None:
                root = state.parent is None
                group = groups.setdefault((not root, id(state.block)), [])
                group.append((row, state))
                state = state.parent
        # Roots first: they are copied with their padding, which the rest overwrites.
        for (deeper, _), items in sorted(groups.items(), key=lambda g: g[0][0]):
            block = items[0][1].block
            at = [row for row, _ in items]
            of = [state.row for _, state in items]
            if not deeper:
                width = block.shape[4]
                self.kv[:, :, at, :, :width] = block[:, :, of]
                continue
            sizes = [state.stop - state.start for _, state in items]
            inner = np.concatenate([np.arange(m) for m in sizes])
            outer = inner + np.repeat([state.start for _, state in items], sizes)
            self.kv[:, :, np.repeat(at, sizes), :, outer] = block[
                :, :, np.repeat(of, sizes), :, inner
            ]

    def save(self, rows, parents, stops) -> list[State | None]:
        """States of ``rows``: what each has beyond its parent, up to its stop."""
        starts = np.array([p.stop if p is not None else 0 for p in parents])
        width = int((stops - starts).max(initial=0))
        if width == 0:
            return list(parents)
        columns = np.minimum(starts[:, None] + np.arange(width), stops.max() - 1)
        block = self.kv[:, :, np.asarray(rows)[:, None], :, columns]
        block = block.permute(2, 3, 0, 4, 1, 5)
        return [
            State(parent, block, i, int(start), int(stop)) if stop > start else parent
            for i, (parent, start, stop) in enumerate(zip(parents, starts, stops))
        ]

    def move(self, to: list[int], source: list[int]):
        """Rows ``source`` take the places ``to``."""
        if to:
            kv = self.kv[..., : self.length, :]
            kv[:, :, to] = kv[:, :, source]
            self.bias[to] = self.bias[source]


def kv_shape(config) -> tuple:
    """[layers, 2, 1, kv heads, 1, head dim] of a model that has read nothing yet."""
    heads = config.num_attention_heads
    dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    kv_heads = getattr(config, "num_key_value_heads", None) or heads
    return config.num_hidden_layers, 2, 1, kv_heads, 1, dim


class SlotLayer(CacheLayerMixin):
    """transformers' view of one layer of :class:`Slots`."""

    def __init__(self, slots: Slots, layer: int):
        super().__init__()
        self.slots, self.layer, self.is_initialized = slots, layer, True

    def update(self, key_states, value_states, *args, **kwargs):
        return self.slots.put(self.layer, key_states[:, :, 0], value_states[:, :, 0])

    def lazy_initialization(self, key_states, value_states):
        pass

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.slots.length, 0

    def get_seq_length(self) -> int:
        return self.slots.length - 1

    def get_max_length(self) -> int:
        return self.slots.bias.shape[1]


def attention(module, query, key, value, attention_mask, scaling=None, **kwargs):
    """Attention of one query token per row; anything longer goes to torch's kernel.

    The torch CPU kernel is slow for a single query; plain batched products are not.
    """
    if query.shape[2] > 1 or attention_mask is None or attention_mask.shape[2] > 1:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **kwargs
        )
    for name in ("position_bias", "s_aux"):
        if kwargs.get(name) is not None:
            raise NotImplementedError(
                f"{type(module).__name__} attends with {name}, which the decoding "
                "engine does not know: use another model"
            )
    rows, heads, _, dim = query.shape
    kv_heads, length = key.shape[1:3]
    scaling = dim**-0.5 if scaling is None else scaling
    q = query.reshape(rows * kv_heads, heads // kv_heads, dim) * scaling
    scores = torch.bmm(q, key.flatten(0, 1).transpose(1, 2))
    if kwargs.get("softcap"):
        scores = kwargs["softcap"] * torch.tanh(scores / kwargs["softcap"])
    scores = scores.view(rows, heads, length) + attention_mask[:, 0]
    if kwargs.get("sliding_window"):
        seen = (attention_mask[:, 0] == 0).sum(-1, keepdim=True)
        far = torch.arange(length, device=seen.device) < seen - kwargs["sliding_window"]
        scores = scores.masked_fill(far, -torch.inf)
    weights = scores.softmax(-1, dtype=torch.float32).to(value.dtype)
    out = torch.bmm(weights.view(rows * kv_heads, -1, length), value.flatten(0, 1))
    return out.view(rows, 1, heads, value.shape[-1]), None


AttentionInterface.register("ttslib", attention)
AttentionMaskInterface.register("ttslib", sdpa_mask)
