"""The KV of many chains, and how a model of transformers attends to it.

Any causal model runs through transformers' extension points: a cache layer that is
allocated once, and an attention function for the single query token.
"""

import sys
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

    ``parent`` holds the positions before. Relatives share it, so a node of a tree costs
    the memory of its own tokens only. ``version`` stands for the weights that made it.
    """

    parent: "State | None"
    block: torch.Tensor  # [layers, 2, rows, kv heads, positions, head dim]
    row: int
    start: int
    stop: int
    version: int = 0


class Slots:
    """KV of ``rows`` chains of up to ``size`` positions; row r is at ``pos[r]``."""

    def __init__(self, rows: int, size: int, like: torch.Tensor, version: int = 0):
        self.version = version
        layers, _, _, heads, _, dim = like.shape
        shape = layers, 2, rows, heads, size, dim
        # The memory must be zeros: a masked column has weight 0, but 0 times NaN is
        # NaN. numpy's zeros take no memory and no time until they are written to.
        if like.device.type == "cpu" and like.dtype == torch.float32:
            self.kv = torch.from_numpy(np.zeros(shape, np.float32))
        else:
            self.kv = like.new_zeros(shape)
        self.bias = like.new_full((rows, size), -torch.inf)
        self.all = torch.arange(rows, device=like.device)
        # The same memory as tables: one for the keys and one for the values of a layer.
        self.cells = self.kv.view(layers * 2, -1, dim).unbind(0)
        self.first = torch.arange(0, rows * heads * size, size, device=like.device)
        self.first = self.first.view(rows, heads)
        self.aim(np.zeros(0, int))

    def aim(self, pos: np.ndarray):
        """The next token of row r goes to ``pos[r]`` and attends to positions before.

        ``keys`` [rows · kv heads, dim, L] and ``values`` [rows · kv heads, L, dim] hold
        those positions for each layer. ``mask`` [rows, L] is added to the scores; it is
        None if all rows have the same length.
        """
        self.n, self.length = len(pos), int(pos.max(initial=-1)) + 1
        self.pos = torch.as_tensor(pos, device=self.bias.device)
        self.bias[self.all[: self.n], self.pos] = 0
        self.at = (self.first[: self.n] + self.pos[:, None]).flatten()
        seen = self.kv[:, :, : self.n, :, : self.length].flatten(2, 3)
        self.keys = seen[:, 0].transpose(2, 3).unbind(0)
        self.values = seen[:, 1].unbind(0)
        self.mask = self.bias[: self.n, : self.length]
        if self.n and int(pos.min()) + 1 == self.length:
            self.mask = None

    def put(self, layer: int, k: torch.Tensor, v: torch.Tensor):
        """Write k, v [rows, kv heads, dim] of the tokens that are being read."""
        dim = k.shape[-1]
        self.cells[2 * layer].index_copy_(0, self.at, k.reshape(-1, dim))
        self.cells[2 * layer + 1].index_copy_(0, self.at, v.reshape(-1, dim))

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
        # Copy roots first, padding included: deeper states then overwrite the padding.
        for (deeper, _), items in sorted(groups.items(), key=lambda g: g[0][0]):
            block = items[0][1].block
            at = [row for row, _ in items]
            of = [state.row for _, state in items]
            if not deeper:
                # a block is as wide as the longest prompt of its batch
                width = min(block.shape[4], self.kv.shape[4])
                self.kv[:, :, at, :, :width] = block[:, :, of, :, :width]
                continue
            sizes = [state.stop - state.start for _, state in items]
            inner = np.concatenate([np.arange(m) for m in sizes])
            outer = inner + np.repeat([state.start for _, state in items], sizes)
            self.kv[:, :, np.repeat(at, sizes), :, outer] = block[
                :, :, np.repeat(of, sizes), :, inner
            ]

    def save(self, rows, parents, stops) -> list[State | None]:
        """The states of ``rows``: each holds what its parent lacks, up to its stop."""
        starts = np.array([p.stop if p is not None else 0 for p in parents])
        width = int((stops - starts).max(initial=0))
        if width == 0:
            return list(parents)
        columns = np.minimum(starts[:, None] + np.arange(width), stops.max() - 1)
        block = self.kv[:, :, np.asarray(rows)[:, None], :, columns]
        block = block.permute(2, 3, 0, 4, 1, 5)
        return [
            State(parent, block, i, int(start), int(stop), self.version)
            if stop > start
            else parent
            for i, (parent, start, stop) in enumerate(zip(parents, starts, stops))
        ]

    def move(self, to: list[int], source: list[int]):
        """Rows ``source`` take the places ``to``."""
        if to:
            kv = self.kv[..., : self.length, :]
            kv[:, :, to] = kv[:, :, source]
            self.bias[to] = self.bias[source]


class SlotLayer(CacheLayerMixin):
    """transformers' view of one layer of :class:`Slots`."""

    def __init__(self, slots: Slots, layer: int):
        super().__init__()
        self.slots, self.layer, self.is_initialized = slots, layer, True

    def update(self, key_states, value_states, *args, **kwargs):
        slots = self.slots
        slots.put(self.layer, key_states[:, :, 0], value_states[:, :, 0])
        kv = slots.kv[self.layer, :, : slots.n, :, : slots.length]
        return kv[0], kv[1]

    def lazy_initialization(self, key_states, value_states):
        pass

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self.slots.length, 0

    def get_seq_length(self) -> int:
        return self.slots.length - 1

    def get_max_length(self) -> int:
        return self.slots.bias.shape[1]


def attention(module, query, key, value, attention_mask, scaling=None, **kwargs):
    """Attention of one query token per row; longer queries go to torch's kernel.

    torch's CPU kernel is slow for a single query, and plain batched products are fast.
    The model's own function computes attention sinks and position biases.
    """
    odd = any(kwargs.get(name) is not None for name in ("s_aux", "position_bias"))
    stepping = (
        query.shape[2] == 1
        and attention_mask is not None
        and attention_mask.is_floating_point()  # as Engine.step builds it
    )
    if not stepping:
        if odd or kwargs.get("softcap") is not None:
            mask = additive(attention_mask, query, key)
            own = eager(module)
            return own(module, query, key, value, mask, scaling=scaling, **kwargs)
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **kwargs
        )
    rows, heads, _, dim = query.shape
    kv_heads, length = key.shape[1:3]
    window = kwargs.get("sliding_window")
    if not window and slides(module):
        raise ValueError("it attends within a window that only its own mask knows")
    if window:
        seen = (attention_mask == 0).sum(-1, keepdim=True)
        far = torch.arange(length, device=seen.device) < seen - window
        attention_mask = attention_mask.masked_fill(far, -torch.inf)
    if odd:
        own = eager(module)
        return own(module, query, key, value, attention_mask, scaling=scaling, **kwargs)
    scaling = dim**-0.5 if scaling is None else scaling
    q = query.reshape(rows * kv_heads, heads // kv_heads, dim) * scaling
    scores = torch.bmm(q, key.flatten(0, 1).transpose(1, 2))
    if softcap := kwargs.get("softcap"):
        scores = softcap * torch.tanh(scores / softcap)
    scores = scores.view(rows, heads, length) + attention_mask[:, 0]
    weights = scores.softmax(-1, dtype=torch.float32).to(value.dtype)
    out = torch.bmm(weights.view(rows * kv_heads, -1, length), value.flatten(0, 1))
    return out.view(rows, 1, heads, value.shape[-1]), None


def slides(module) -> bool:
    """Does the configuration say that this layer attends within a window?"""
    config = getattr(module, "config", None)
    kinds = getattr(config, "layer_types", None)
    layer = getattr(module, "layer_idx", None)
    if kinds and layer is not None:
        return kinds[layer] == "sliding_attention"
    return bool(getattr(config, "sliding_window", None))


def eager(module):
    """The plain attention function of the file that ``module`` was written in."""
    own = getattr(sys.modules[type(module).__module__], "eager_attention_forward", None)
    if own is None:
        raise NotImplementedError(f"{type(module).__name__} has no plain attention")
    return own


def additive(mask, query, key):
    """``mask`` as numbers to add to the scores; sdpa also takes None and booleans."""
    if mask is None:
        shape = query.shape[2], key.shape[2]
        mask = torch.ones(shape, dtype=torch.bool, device=query.device)
        mask = mask.tril(key.shape[2] - query.shape[2])[None, None]
    if mask.dtype == torch.bool:
        low = torch.finfo(query.dtype).min
        mask = torch.zeros_like(mask, dtype=query.dtype).masked_fill(~mask, low)
    return mask.view(-1, 1, *mask.shape[-2:])


AttentionInterface.register("ttslib", attention)
AttentionMaskInterface.register("ttslib", sdpa_mask)
